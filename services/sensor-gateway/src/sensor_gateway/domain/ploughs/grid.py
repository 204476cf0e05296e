"""Projected coordinates as WGS84, checked against where their grid is meant to be used."""

from functools import lru_cache

from kommunepuls_chassis.errors import RejectedInput
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from sensor_gateway.domain.ploughs.sightings import Position

_MARGIN_DEGREES = 1.0


class Grid:
    """One coordinate reference system by its EPSG number, x to the east and y to the north, in metres."""

    def __init__(self, epsg: int) -> None:
        """Look the system up.

        Raises:
            ValueError: if there is none of that number, or it is not projected.
        """
        try:
            system = CRS.from_epsg(epsg)
        except CRSError:
            raise ValueError(f"EPSG:{epsg} is not a coordinate reference system") from None
        if not system.is_projected or system.area_of_use is None:
            raise ValueError(f"EPSG:{epsg} ({system.name}) is not a projected grid")
        self.name = system.name
        self._bounds = system.area_of_use.bounds
        self._transformer = Transformer.from_crs(system, 4326, always_xy=True)

    def position(self, east: float, north: float) -> Position:
        """Longitude and latitude in degrees.

        Raises:
            RejectedInput: ``outside-grid`` if that is not where the grid is used: swapped, degrees, another grid.
        """
        longitude, latitude = self._transformer.transform(east, north)
        west, south, most_east, most_north = self._bounds
        inside = (
            west - _MARGIN_DEGREES <= longitude <= most_east + _MARGIN_DEGREES
            and south - _MARGIN_DEGREES <= latitude <= most_north + _MARGIN_DEGREES
        )
        if not inside:  # infinite values, too
            detail = f"({east:.0f}, {north:.0f}) is not within {self.name}; is it swapped, or in degrees?"
            raise RejectedInput("outside-grid", detail)
        return round(longitude, 7), round(latitude, 7)


@lru_cache(maxsize=16)
def grid(epsg: int) -> Grid:
    """The grid of an EPSG number, looked up once; raises as :class:`Grid`."""
    return Grid(epsg)
