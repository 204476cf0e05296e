"""Reports in the shape of HARJA, the Finnish road agency's contract system.

Source: "Harja API, työkoneenseuranta" (https://github.com/finnishtransportagency/harja). Coordinates are
metres in the sender's grid, in Finland ETRS-TM35FIN (EPSG:3067), x to the east.
"""

from kommunepuls_chassis.errors import RejectedInput

from sensor_gateway.domain.ploughs.grid import Grid
from sensor_gateway.domain.ploughs.sightings import Position, Sighting, Work
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import listing, mapping, number

TASKS: dict[str, Work] = {
    "auraus ja sohjonpoisto": Work.PLOUGHING,
    "suolaus": Work.SALTING,
    "liuossuolaus": Work.SALTING,
}
"""Tasks that change the road. ``aurausviitoitus ja kinostimet`` sets snow stakes and ploughs nothing."""


def observations(body: object) -> list[object]:
    """The observations of one report.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    return listing(mapping(body, "the report").get("havainnot"), "havainnot")


def read(observation: object, grid: Grid) -> Sighting:
    """One observation, its coordinates in the given grid.

    Raises:
        RejectedInput: ``tasks-missing``, ``outside-grid``, ``bad-time``, ``time-without-zone`` or
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
        points=_points(mapping(fields.get("sijainti"), "sijainti"), grid),
        works=frozenset(TASKS[task] for task in named if isinstance(task, str) and task in TASKS),
    )


def _points(place: dict, grid: Grid) -> tuple[Position, ...]:
    if "viivageometria" in place:
        line = mapping(place["viivageometria"], "viivageometria")
        corners = listing(line.get("coordinates"), "coordinates")
        if not corners:
            raise RejectedInput("wrong-shape", "the line has no coordinates")
        return tuple(_position(*_corner(corner), grid) for corner in corners)
    point = mapping(place.get("koordinaatit"), "koordinaatit")
    return (_position(point.get("x"), point.get("y"), grid),)


def _corner(corner: object) -> tuple[object, object]:
    values = listing(corner, "a coordinate")
    if len(values) < 2:
        raise RejectedInput("wrong-shape", "a coordinate has fewer than two numbers")
    return values[0], values[1]


def _position(x: object, y: object, grid: Grid) -> Position:
    return grid.position(number(x, "x"), number(y, "y"))
