"""Which areas an item concerns, and which followed areas that means."""

from collections.abc import Iterable

from kommunepuls_events import ContentItemV1
from kommunepuls_geography import AreaTree, Geography


def most_specific(areas: Iterable[str], tree: AreaTree) -> tuple[str, ...]:
    """The areas without those that hold another of them, in the order given.

    Ingest services name an area together with the areas around it. Taken at its word, the municipality in
    such a list would make the item concern everybody who follows any part of it.
    """
    given = tuple(dict.fromkeys(areas))
    around = {ancestor.id for area in given if area in tree for ancestor in tree.ancestors(area)}
    return tuple(area for area in given if area not in around)


def areas_of_item(item: ContentItemV1, geography: Geography) -> tuple[str, ...]:
    """The areas that an item concerns: its own, else those of its geometry, else its municipality.

    Raises:
        GeographyError: for a geometry that cannot be computed with.
    """
    areas: Iterable[str] = item.areas
    if not item.areas and item.geometry is not None:
        areas = geography.area_ids_of(item.geometry.model_dump())
    return most_specific(areas, geography.areas) or (item.municipality,)


def with_areas(item: ContentItemV1, geography: Geography) -> ContentItemV1:
    """The item with its areas filled in, if it named none and its geometry tells them.

    Raises:
        GeographyError: as :func:`areas_of_item`.
    """
    if item.areas or item.geometry is None:
        return item
    return item.model_copy(update={"areas": areas_of_item(item, geography)})


def related_areas(areas: Iterable[str], tree: AreaTree) -> frozenset[str]:
    """Every area whose followers such an item concerns: the areas, what holds them, what lies in them."""
    related: set[str] = set()
    for area in areas:
        related.add(area)
        if area in tree:
            related.update(one.id for one in tree.ancestors(area))
            related.update(one.id for one in tree.descendants(area))
    return frozenset(related)


def areas_around(longitude: float, latitude: float, geography: Geography) -> frozenset[str]:
    """Every area that holds a position (WGS84 degrees), with the areas around those."""
    return frozenset(area.id for area in geography.areas_at(longitude, latitude))
