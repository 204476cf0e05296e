"""Journeys that begin in a municipality's archive."""

from dataclasses import dataclass
from datetime import timedelta

from journey_recorded import hours_from_now, recorded_json
from journey_world import World

_METRES_A_DEGREE = 111_195.0
_JOURNAL = "permits/no_strand_journal_2025.json"
_APPLICATION, _DECISION = "2025/36440", "2025/37945"


@dataclass(frozen=True, slots=True)
class Permit:
    """An application and the decision, as items of the overview, and where the town's register has the property."""

    application: dict
    decision: dict
    point: tuple[float, float]


def recorded_permit() -> Permit:
    """A completion certificate of 2025 in Strand: asked for yesterday, given today."""
    rows = {row["dokumentID"]: row for row in recorded_json(_JOURNAL)}
    return Permit(
        _overview_item(rows[_APPLICATION], days=-1), _overview_item(rows[_DECISION], days=0), (6.07, 59.03)
    )


def made_up_permit() -> Permit:
    """A garage."""

    def row(number: int, title: str, kind: str) -> dict:
        link = f"https://strand.example/#/details/a-sak-1!x/d-dok-{number}!y"
        return {"dokumentID": f"2026/{number}", "tittel": title, "dokumenttype": kind, "detalj_link": link}

    asked = row(1, "70/12 Søknad om tillatelse til tiltak - garasje - Prøveveien 5", "Inngående dokument")
    given = row(2, "70/12 Tillatelse til tiltak - garasje - Prøveveien 5", "Utgående dokument")
    return Permit(_overview_item(asked, days=-1), _overview_item(given, days=0), (6.05, 59.02))


def _overview_item(row: dict, *, days: int) -> dict:
    """A row of the journal as the archive's API lists it."""
    parent, identifier = row["detalj_link"].split("#/details/")[1].split("/")
    day = hours_from_now(0) + timedelta(days=days)
    return {
        "identifier": identifier,
        "parentIdentifier": parent,
        "title": row["tittel"],
        "type": row["dokumenttype"],
        "properties": {"dato": f"{day:%d.%m.%Y}", "dokumentID": row["dokumentID"]},
    }


def place_north_of(point: tuple[float, float], metres: float, *, radius: float) -> dict:
    """A resident's place so far north of a point."""
    latitude = point[1] + metres / _METRES_A_DEGREE
    return {
        "id": "home",
        "label": "Hjemme",
        "longitude": point[0],
        "latitude": latitude,
        "radius_metres": radius,
    }


async def a_permit(world: World, variant: str, permit: Permit) -> None:
    """An application reaches who lives 300 m away and not who lives 3 km away; so does the decision."""
    source = f"NO-1130/innsyn-{variant}"
    permits = {"interests": ["building-permits"]}
    near = await world.resident("near", places=[place_north_of(permit.point, 300, radius=500)], **permits)
    far = await world.resident("far", places=[place_north_of(permit.point, 3000, radius=500)], **permits)
    careless = await world.resident(
        "careless", places=[place_north_of(permit.point, 300, radius=500)], interests=["music"]
    )
    keen = await world.resident("keen", language="sv", areas=["NO-1130/jorpeland"], **permits)
    elsewhere = await world.resident("elsewhere", areas=["NO-1130/tau"], **permits)
    everybody = (near, far, careless, keen, elsewhere)

    world.upstream.archives[variant] = [permit.application]
    item = await world.published(source)
    assert item.stage == "received"
    await world.told(
        near, item, because=("det er 300 m fra stedet ditt «Hjemme»", "du følger temaet Byggesaker")
    )
    await world.told(keen, item, because=("du följer området Jørpeland", "du följer ämnet Bygglov"))
    await world.nobody_but({near: 1, keen: 1}, item, everybody)
    assert world.topics.reasons(item.id, 1, near.subscriber) == ["place", "interest"]
    world.shows_one_trace(item)

    world.upstream.archives[variant] = [permit.decision, permit.application]
    decided = await world.published(source, lambda one: one.id == item.id and one.revision == 2)
    assert decided.stage == "decided"
    mail, _ = await world.told(near, decided, times=2, because=("vi har fortalt deg om dette før",))
    assert mail.subject.startswith("Nytt i saken: ")
    assert "Status: " in mail.text
    assert "mottatt → avgjort" in mail.text
    await world.told(keen, decided, times=2, because=("du följer området Jørpeland",))
    await world.nobody_but({near: 2, keen: 2}, decided, everybody)
