"""What an item asks of an index: worked out once, matched against every partition."""

from dataclasses import dataclass
from functools import cached_property

from kommunepuls_events import ContentItemV1
from kommunepuls_geography import Geography

from kommunepuls_matching.areas import areas_of_item, related_areas
from kommunepuls_matching.footprint import Footprint


def is_offered(item: ContentItemV1) -> bool:
    """Whether anybody is told of this revision as new: announced, real and not withdrawn."""
    return item.announced and not item.exercise and not item.withdrawn


@dataclass(frozen=True)
class Concern:
    """An item with what geography knows of it.

    Attributes:
        areas: the most specific areas it concerns.
        related: every followed area that matches: those areas, what holds them, what lies in them.
        footprint: its geometry, or None.
    """

    item: ContentItemV1
    areas: tuple[str, ...]
    related: frozenset[str]
    footprint: Footprint | None

    @classmethod
    def of(cls, item: ContentItemV1, geography: Geography) -> "Concern":
        """Work it out.

        Raises:
            GeographyError: for a geometry that cannot be computed with.
        """
        areas = areas_of_item(item, geography)
        footprint = Footprint.of(item.geometry) if item.geometry is not None else None
        return cls(item, areas, related_areas(areas, geography.areas), footprint)

    @cached_property
    def interests(self) -> tuple[str, ...]:
        """The item's interests, none twice."""
        return tuple(dict.fromkeys(self.item.interests))
