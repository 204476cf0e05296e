"""The item that tells residents that their area is ploughed."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from kommunepuls_events import ContentItemV1, Kind, Organiser, Translation, item_id

from sensor_gateway.domain.ploughs.sightings import Work

_MONTHS = {
    "nb": [
        "januar",
        "februar",
        "mars",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "desember",
    ],
    "sv": [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_TITLES = {
    Work.PLOUGHING: {"nb": "{area} er brøytet", "nn": "{area} er brøytt", "sv": "{area} är plogat",
                     "en": "{area} has been ploughed"},
    Work.SALTING: {"nb": "{area} er saltet", "nn": "{area} er salta", "sv": "{area} är saltat",
                   "en": "{area} has been salted"},
}  # fmt: skip
_SUMMARIES = {
    "nb": "{share} av veilengden er {done} siden snøfallet begynte {began}. Sist {latest}.",
    "nn": "{share} av veglengda er {done} sidan snøfallet tok til {began}. Sist {latest}.",
    "sv": "{share} av väglängden är {done} sedan snöfallet började {began}. Senast {latest}.",
    "en": "{share} of the road length has been {done} since the snowfall began on {began}. Last on {latest}.",
}
_SHARES = {
    "nb": ("Hele 100 prosent", "Minst {percent} prosent"), "nn": ("Heile 100 prosent", "Minst {percent} prosent"),
    "sv": ("Hela 100 procent", "Minst {percent} procent"), "en": ("All", "At least {percent} percent"),
}  # fmt: skip
_DONE = {
    Work.PLOUGHING: {"nb": "brøytet", "nn": "brøytt", "sv": "plogad", "en": "ploughed"},
    Work.SALTING: {"nb": "saltet", "nn": "salta", "sv": "saltad", "en": "salted"},
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of an area: settled when a step is reached, so that the text stays until the next.

    Attributes:
        share: step reached, 0 to 1.
        earliest, latest: when the first and the last road was done, as of then.
        confidence: as of then.
        over: when a new snowfall ended its worth.
    """

    area: str
    work: Work
    snowfall: datetime
    share: float
    earliest: datetime
    latest: datetime
    confidence: float
    over: datetime | None = None


def item_of(
    told: Told,
    *,
    source: str,
    municipality: str,
    organiser: Organiser,
    area_name: str,
    zone: str,
    now: datetime,
) -> ContentItemV1:
    """The draft of the area's item; native id is the area, the work and the snowfall.

    Args:
        told: what is to be told.
        source, municipality, organiser: of the item.
        area_name: for people.
        zone: time zone of the texts.
        now: when this is said.
    """
    native = f"{told.area}#{told.work}#{told.snowfall.isoformat()}"
    texts = {language: _texts(told, area_name, language, ZoneInfo(zone)) for language in _SUMMARIES}
    return ContentItemV1(
        id=item_id(source, native),
        revision=1,
        municipality=municipality,
        source=source,
        native_id=native,
        organiser=organiser,
        kind=Kind.CONDITION,
        interests=("winter-maintenance",),
        areas=(told.area,),
        place_name=area_name,
        title=texts["nb"].title,
        summary=texts["nb"].summary,
        language="nb",
        translations={language: texts[language] for language in ("nn", "sv", "en")},
        published_at=min(told.latest, now),
        observed_at=now,
        valid_from=told.earliest,
        valid_until=told.over,
        confidence=told.confidence,
    )


def _texts(told: Told, area_name: str, language: str, zone: ZoneInfo) -> Translation:
    whole, part = _SHARES[language]
    share = whole if told.share >= 1 else part.format(percent=round(told.share * 100))
    return Translation(
        title=_TITLES[told.work][language].format(area=area_name)[:300],
        summary=_SUMMARIES[language].format(
            share=share,
            done=_DONE[told.work][language],
            began=_moment(told.snowfall.astimezone(zone), language),
            latest=_moment(told.latest.astimezone(zone), language),
        ),
    )


def _moment(local: datetime, language: str) -> str:
    month = _MONTHS.get(language, _MONTHS["nb"])[local.month - 1]
    if language == "en":
        return f"{local.day} {month} at {local:%H:%M}"
    return f"{local.day}{'' if language == 'sv' else '.'} {month} kl. {local:%H.%M}"
