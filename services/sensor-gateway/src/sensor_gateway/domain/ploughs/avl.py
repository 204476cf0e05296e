"""Vehicle positions of a tracker such as Chicago's: all vehicles, every time, moved or not.

Positions are WGS84 degrees; XCoord and YCoord are the same in US feet (State Plane, EPSG:3435) and are
used where the degrees are missing.
"""

from functools import lru_cache

from kommunepuls_chassis.errors import RejectedInput
from pyproj import Transformer

from sensor_gateway.domain.ploughs.sightings import Position, Sighting, Work
from sensor_gateway.domain.times import instant
from sensor_gateway.domain.values import listing, mapping, number, position


def vehicles(body: object) -> list[object]:
    """The vehicles of an answer.

    Raises:
        RejectedInput: ``wrong-shape``.
    """
    answer = mapping(mapping(body, "the answer").get("TrackingDataResponse"), "TrackingDataResponse")
    return listing(answer.get("locationList"), "locationList")


def read(vehicle: object, works: dict[str, frozenset[Work]]) -> Sighting:
    """One vehicle.

    Args:
        vehicle: parsed JSON.
        works: what vehicles of each ``assetType`` do, as the town file says.

    Raises:
        RejectedInput: ``bad-time``, ``time-without-zone``, ``position-missing``, ``not-wgs84`` or
            ``wrong-shape``.
    """
    fields = mapping(vehicle, "the vehicle")
    return Sighting(
        vehicle=str(fields.get("assetName") or ""),
        at=instant(fields.get("postingTime"), "postingTime"),
        points=(_place(fields),),
        works=works.get(str(fields.get("assetType")), frozenset()),
    )


def _place(fields: dict) -> Position:
    place = position(fields.get("longitude"), fields.get("latitude"))
    if place:
        return place
    if fields.get("XCoord") is None or fields.get("YCoord") is None:
        raise RejectedInput("position-missing", "neither degrees nor XCoord and YCoord")
    longitude, latitude = _transformer().transform(
        number(fields["XCoord"], "XCoord"), number(fields["YCoord"], "YCoord")
    )
    found = position(longitude, latitude)
    if found is None:
        raise RejectedInput("position-missing", "XCoord and YCoord are nowhere")
    return found


@lru_cache(maxsize=1)
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:3435", "EPSG:4326", always_xy=True)
