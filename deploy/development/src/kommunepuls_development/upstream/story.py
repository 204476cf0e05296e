"""What happens in Fjordvik: a morning in a minute, then something new every half minute.

Everything follows from the seconds since the story began, so that each upstream can be asked at any time
and a test can move the clock. Names, addresses and cases are made up.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Channel(StrEnum):
    """By which upstream something is told."""

    FACEBOOK = "facebook"
    NEWS = "news"
    CALENDAR = "calendar"
    WARNING = "warning"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that an upstream tells from a moment on.

    Attributes:
        at: seconds since the story began.
        channel, page: by which upstream, and for Facebook on which page.
        key: the upstream's own id; a later happening with the same key is an edit of the earlier one.
        title, text: what it says.
        extra: what its kind needs beside: place, start, stage, severity.
        gone_at: seconds after which the upstream no longer has it (deleted, cancelled).
    """

    at: float
    channel: Channel
    key: str
    title: str
    text: str
    page: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    gone_at: float | None = None

    def get(self, name: str, default: str = "") -> str:
        """A value of ``extra``."""
        return dict(self.extra).get(name, default)


MORNING: tuple[Happening, ...] = (
    Happening(
        2, Channel.NEWS, "vann-havna", "Vannet er stengt i Havna",
        "<p>Et rør har røket i Havnegata. Vannet i <strong>Havna</strong> er borte til omtrent kl. 14.</p>"
        "<p>Vanntank står ved Havna torg.</p>",
        extra=(("category", "Vann og avløp"),),
    ),
    Happening(
        3, Channel.FACEBOOK, "1001", "", page="fjordvik-fotball",
        text="Fjordvik Fotball trenger trener for jenter 12 år! ⚽ Trening tirsdag og torsdag på Vestlia stadion. "
        "Ta kontakt med oss her på siden.",
    ),
    Happening(
        4, Channel.CASE, "2026/412", "Storgata 4 - gnr {gnr} bnr {bnr} - søknad om oppføring av garasje",
        "", extra=(("street", "Storgata"), ("number", "4"), ("type", "Byggesak"), ("document", "Søknad om tillatelse i ett trinn")),
    ),
    Happening(
        5, Channel.CALENDAR, "sommerkonsert", "Adventskonsert i Fjordvik kirke",
        "Fjordvik musikkorps og Solåsen skoles kor. Gratis inngang.",
        extra=(("days", "5"), ("hour", "18"), ("hours", "2"), ("place", "Fjordvik kirke"), ("categories", "Musikk og korps")),
    ),
    Happening(
        8, Channel.FACEBOOK, "2001", "", page="fjordvik-kommune",
        text="Skolegata er stengt mellom nr. 4 og 18 fra i dag til fredag på grunn av arbeid med fjernvarme. "
        "Følg skiltet omkjøring over Torggata.",
    ),
    Happening(
        20, Channel.WARNING, "vind-1", "Kraftige vindkast i Fjordvik",
        "Fra i ettermiddag ventes vindkast på 30 m/s. Sikre løse gjenstander.",
        extra=(("severity", "Severe"), ("event", "Kraftige vindkast"), ("hours", "9")),
        gone_at=150,
    ),
    Happening(
        30, Channel.CASE, "2026/412", "Storgata 4 - gnr {gnr} bnr {bnr} - tillatelse til oppføring av garasje",
        "", extra=(("street", "Storgata"), ("number", "4"), ("type", "Byggesak"), ("document", "Tillatelse til tiltak")),
    ),
    Happening(
        40, Channel.NEWS, "strom-vestlia", "Strømmen er tilbake i Vestlia",
        "<p>Feilen i nettstasjonen i Liaveien er rettet. Alle i <em>Vestlia</em> har strøm igjen.</p>",
        extra=(("category", "Strøm"),),
    ),
    Happening(
        45, Channel.FACEBOOK, "1001", "", page="fjordvik-fotball",
        text="Fjordvik Fotball har fått trener for jenter 12 år – tusen takk! Vi trenger fortsatt en oppmann. ⚽ "
        "Trening tirsdag og torsdag på Vestlia stadion.",
    ),
)  # fmt: skip

_EVERYDAY = (
    (
        Channel.NEWS,
        "Gatelys i {street} repareres",
        "<p>Gatelysene i {street} er mørke. De repareres i løpet av uka.</p>",
        "Vei og trafikk",
    ),
    (
        Channel.NEWS,
        "Lekeplassen i {street} er åpen igjen",
        "<p>Nye husker og ny sandkasse i {street}.</p>",
        "Nytt fra kommunen",
    ),
    (
        Channel.FACEBOOK,
        "",
        "Loddsalg og kaker ved {street} lørdag kl. 12. Alle er velkommen! 🎂",
        "fjordvik-fotball",
    ),
    (
        Channel.FACEBOOK,
        "",
        "{street} feies i morgen mellom kl. 8 og 12. Flytt bilen, takk.",
        "fjordvik-kommune",
    ),
    (Channel.CASE, "{street} {number} - gnr {{gnr}} bnr {{bnr}} - søknad om påbygg", "", "Byggesak"),
    (Channel.CASE, "{street} {number} - gnr {{gnr}} bnr {{bnr}} - søknad om ny bolig", "", "Byggesak"),
    (Channel.CALENDAR, "Nabotreff i {street}", "Kaffe og vafler. Ta med en nabo.", "Frivillighet"),
)

FIRST_EVERYDAY, BETWEEN, EVERYDAYS = 75.0, 30.0, 2000


class Story:
    """The story from the moment it begins; before that the upstreams are there and have nothing to tell."""

    def __init__(self, streets: list[str]) -> None:
        self.began = datetime.max.replace(tzinfo=UTC)
        self._streets = streets

    def begin(self, now: datetime) -> None:
        """Let it begin, once."""
        self.began = min(self.began, now)

    def seconds(self, now: datetime) -> float:
        """Seconds since it began."""
        return (now - self.began).total_seconds()

    def time_of(self, happening: Happening) -> datetime:
        """When it happened."""
        return self.began + timedelta(seconds=happening.at)

    def told(self, channel: Channel, now: datetime, *, page: str = "") -> list[Happening]:
        """What an upstream tells now, the newest first: the last edit of each, without what is gone."""
        seconds = self.seconds(now)
        newest: dict[str, Happening] = {}
        for happening in self._all(seconds):
            if happening.channel is channel and happening.page == page and happening.at <= seconds:
                newest[happening.key] = happening
        there = [one for one in newest.values() if one.gone_at is None or seconds < one.gone_at]
        return sorted(there, key=lambda one: one.at, reverse=True)

    def history(self, channel: Channel, key: str, now: datetime) -> list[Happening]:
        """All that was told of one key so far, the oldest first."""
        seconds = self.seconds(now)
        return [
            one
            for one in self._all(seconds)
            if one.channel is channel and one.key == key and one.at <= seconds
        ]

    def gone(self, channel: Channel, now: datetime) -> list[Happening]:
        """What an upstream had and no longer has."""
        seconds = self.seconds(now)
        return [
            one
            for one in self._all(seconds)
            if one.channel is channel and one.gone_at is not None and one.gone_at <= seconds
        ]

    def _all(self, seconds: float) -> list[Happening]:
        count = min(max(0, int((seconds - FIRST_EVERYDAY) / BETWEEN) + 1), EVERYDAYS)
        return [*MORNING, *(self._everyday(number) for number in range(count))]

    def _everyday(self, number: int) -> Happening:
        dice = random.Random(number)
        channel, title, text, word = dice.choice(_EVERYDAY)
        street, house = dice.choice(self._streets), str(dice.randint(1, 12))
        title, text = (part.format(street=street, number=house) for part in (title, text))
        extra: tuple[tuple[str, str], ...] = (("category", word),)
        page = ""
        if channel is Channel.FACEBOOK:
            page = word
        elif channel is Channel.CASE:
            extra = (
                ("street", street),
                ("number", house),
                ("type", word),
                ("document", "Søknad om tillatelse"),
            )
        elif channel is Channel.CALENDAR:
            extra = (
                ("days", str(dice.randint(1, 20))),
                ("hour", "17"),
                ("hours", "2"),
                ("place", street),
                ("categories", word),
            )
        key = f"2026/{1000 + number}" if channel is Channel.CASE else f"{5000 + number}"
        return Happening(FIRST_EVERYDAY + number * BETWEEN, channel, key, title, text, page, extra)
