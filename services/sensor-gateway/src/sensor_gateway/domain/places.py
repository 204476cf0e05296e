"""A town's areas, as far as this service needs them."""

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_geography import AreaLookup, AreaTree


class Places:
    """Areas of one town: which hold a position, and what they are called."""

    def __init__(self, tree: AreaTree) -> None:
        self._tree = tree
        self._lookup = AreaLookup(tree) if any(area.geometry is not None for area in tree) else None

    def areas_at(self, position: tuple[float, float]) -> tuple[str, ...]:
        """Ids of the areas that hold a position (longitude, latitude), the smallest first.

        Raises:
            RejectedInput: ``coordinates-swapped`` for a position outside of the town that lies inside it
                with its numbers exchanged.
        """
        if self._lookup is None:
            return ()
        found = tuple(area.id for area in self._lookup.areas_at(*position))
        longitude, latitude = position
        if not found and abs(longitude) <= 90 and self._lookup.areas_at(latitude, longitude):
            raise RejectedInput("coordinates-swapped", f"[{longitude:g}, {latitude:g}] is latitude first")
        return found

    def name_of(self, area: str) -> str:
        """What an area is called; the last part of its id if it is not known."""
        known = self._tree.get(area)
        if known:
            return known.name
        last = area.rpartition("/")[2].replace("-", " ").strip()
        return last[:1].upper() + last[1:]
