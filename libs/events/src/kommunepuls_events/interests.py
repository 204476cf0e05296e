"""The shared taxonomy of interests and life stages, with their names in four languages.

A slug is part of the contract: it is never renamed, only added. A town may add its own in its file.
"""

from typing import NamedTuple


class Names(NamedTuple):
    """Name in Norwegian bokmål and nynorsk, Swedish and English."""

    nb: str
    nn: str
    sv: str
    en: str


INTERESTS: dict[str, Names] = {
    "winter-maintenance": Names("Brøyting og strøing", "Brøyting og strøing", "Snöröjning och sandning", "Snow clearing"),
    "roads-and-traffic": Names("Vei og trafikk", "Veg og trafikk", "Vägar och trafik", "Roads and traffic"),
    "public-transport": Names("Kollektivtrafikk", "Kollektivtrafikk", "Kollektivtrafik", "Public transport"),
    "building-permits": Names("Byggesaker", "Byggesaker", "Bygglov", "Building permits"),
    "planning": Names("Planer og regulering", "Planar og regulering", "Detaljplaner", "Planning and zoning"),
    "water-and-sewage": Names("Vann og avløp", "Vatn og avløp", "Vatten och avlopp", "Water and sewage"),
    "waste": Names("Avfall og gjenvinning", "Avfall og gjenvinning", "Avfall och återvinning", "Waste and recycling"),
    "power": Names("Strøm", "Straum", "El", "Electricity"),
    "bathing": Names("Badeplasser", "Badeplassar", "Badplatser", "Bathing places"),
    "air-quality": Names("Luftkvalitet", "Luftkvalitet", "Luftkvalitet", "Air quality"),
    "weather-warnings": Names("Farevarsler", "Farevarsel", "Vädervarningar", "Weather warnings"),
    "emergencies": Names("Beredskap", "Beredskap", "Krisberedskap", "Emergencies"),
    "schools": Names("Skole", "Skule", "Skola", "Schools"),
    "kindergartens": Names("Barnehage", "Barnehage", "Förskola", "Kindergartens"),
    "youth": Names("Ungdom", "Ungdom", "Ungdom", "Youth"),
    "health": Names("Helse og omsorg", "Helse og omsorg", "Vård och omsorg", "Health and care"),
    "seniors": Names("Eldre", "Eldre", "Äldre", "Seniors"),
    "culture": Names("Kultur", "Kultur", "Kultur", "Culture"),
    "music": Names("Musikk og korps", "Musikk og korps", "Musik", "Music"),
    "library": Names("Bibliotek", "Bibliotek", "Bibliotek", "Library"),
    "sports": Names("Idrett", "Idrett", "Idrott", "Sports"),
    "football": Names("Fotball", "Fotball", "Fotboll", "Football"),
    "outdoors": Names("Friluftsliv", "Friluftsliv", "Friluftsliv", "Outdoors"),
    "volunteering": Names("Frivillighet", "Frivilligheit", "Volontärarbete", "Volunteering"),
    "local-democracy": Names("Politikk og høringer", "Politikk og høyringar", "Politik och samråd", "Local democracy"),
    "business": Names("Næringsliv", "Næringsliv", "Näringsliv", "Business"),
    "jobs": Names("Ledige stillinger", "Ledige stillingar", "Lediga jobb", "Jobs"),
    "municipal-news": Names("Nytt fra kommunen", "Nytt frå kommunen", "Nytt från kommunen", "News from the municipality"),
    "parking": Names("Parkering", "Parkering", "Parkering", "Parking"),
    "nature": Names("Natur og miljø", "Natur og miljø", "Natur och miljö", "Nature and environment"),
}  # fmt: skip

AUDIENCES: dict[str, Names] = {
    "young": Names("Ung", "Ung", "Ung", "Young"),
    "parents-of-small-children": Names("Småbarnsforelder", "Småbarnsforelder", "Småbarnsförälder", "Parent of small children"),
    "parents-of-pupils": Names("Forelder til skolebarn", "Forelder til skuleborn", "Förälder till skolbarn", "Parent of pupils"),
    "seniors": Names("Pensjonist", "Pensjonist", "Pensionär", "Senior"),
    "newcomers": Names("Nyinnflyttet", "Nyinnflytta", "Nyinflyttad", "Newcomer"),
    "businesses": Names("Driver bedrift", "Driv bedrift", "Företagare", "Business owner"),
}  # fmt: skip


def name_of(slug: str, language: str) -> str:
    """The name of an interest or life stage in a language; the slug itself if it is not known here."""
    names = INTERESTS.get(slug) or AUDIENCES.get(slug)
    return getattr(names, language, names.nb) if names else slug
