"""Reports in the shape of HARJA, the Finnish road agency's contract system.

Source: "Harja API, työkoneenseuranta" (https://github.com/finnishtransportagency/harja). Coordinates are
ETRS-TM35FIN (EPSG:3067), metres, x to the east.
"""

from functools import lru_cache

from kommunepuls_chassis.errors import RejectedInput
from pyproj import Transformer

from sensor_gateway.domain.ploughs.sightings import Position, Sighting, Work
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import listing, mapping, number

TASKS: dict[str, Work] = {
    "auraus ja sohjonpoisto": Work.PLOUGHING,
    "suolaus": Work.SALTING,
    "liuossuolaus": Work.SALTING,
}
"""Tasks that change the road. ``aurausviitoitus ja kinostimet`` sets snow stakes and ploughs nothing."""
_EAST, _NORTH = (40_000, 780_000), (6_500_000, 7_800_000)


def observations(body: object) -> list[object]:
    """The observations of one report.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    return listing(mapping(body, "the report").get("havainnot"), "havainnot")


def read(observation: object) -> Sighting:
    """One observation.

    Raises:
        RejectedInput: ``tasks-missing``, ``not-tm35fin``, ``bad-time``, ``time-without-zone`` or
            ``wrong-shape``.
    """
    fields = mapping(mapping(observation, "the observation").get("havainto"), "havainto")
    tasks = fields.get("suoritettavatTehtavat")
    if tasks is None:
        raise RejectedInput("tasks-missing", "suoritettavatTehtavat is missing: nobody says what was done")
    named = listing(tasks, "suoritettavatTehtavat")
    machine = fields.get("tyokone") if isinstance(fields.get("tyokone"), dict) else {}
    # One machine id occurs in several contracts.
    vehicle = f"{fields.get('urakkaid', '')}/{machine['id']}" if "id" in machine else ""
    return Sighting(
        vehicle=vehicle,
        at=instant(fields.get("havaintoaika"), "havaintoaika"),
        points=_points(mapping(fields.get("sijainti"), "sijainti")),
        works=frozenset(TASKS[task] for task in named if isinstance(task, str) and task in TASKS),
    )


def _points(place: dict) -> tuple[Position, ...]:
    if "viivageometria" in place:
        line = mapping(place["viivageometria"], "viivageometria")
        corners = listing(line.get("coordinates"), "coordinates")
        if not corners:
            raise RejectedInput("wrong-shape", "the line has no coordinates")
        return tuple(_position(*_corner(corner)) for corner in corners)
    point = mapping(place.get("koordinaatit"), "koordinaatit")
    return (_position(point.get("x"), point.get("y")),)


def _corner(corner: object) -> tuple[object, object]:
    values = listing(corner, "a coordinate")
    if len(values) < 2:
        raise RejectedInput("wrong-shape", "a coordinate has fewer than two numbers")
    return values[0], values[1]


def _position(x: object, y: object) -> Position:
    east, north = number(x, "x"), number(y, "y")
    if not _EAST[0] <= east <= _EAST[1] or not _NORTH[0] <= north <= _NORTH[1]:
        raise RejectedInput(
            "not-tm35fin", f"({east:.0f}, {north:.0f}) is not within ETRS-TM35FIN; is it swapped, or degrees?"
        )
    longitude, latitude = _transformer().transform(east, north)
    return round(longitude, 7), round(latitude, 7)


@lru_cache(maxsize=1)
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:3067", "EPSG:4326", always_xy=True)
