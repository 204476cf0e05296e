"""Where an item is about: from a place that Facebook names, else from the text, else where the page is from."""

from collections.abc import Iterable
from dataclasses import dataclass

from kommunepuls_events import Geometry, Point
from kommunepuls_events.geometry import MultiPoint
from kommunepuls_geography import EvidenceKind, Geography

from ingest_facebook.domain.graph_objects import GraphPlace

MOST_POINTS = 5
_PRECISION = list(EvidenceKind)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Areas (the smallest that are known), position, and the place in words; ``remark`` says what was left out."""

    areas: tuple[str, ...] = ()
    geometry: Geometry | None = None
    place_name: str | None = None
    remark: str | None = None


class Places:
    """What a town knows about places, asked for one municipality."""

    def __init__(self, geography: Geography, municipality: str) -> None:
        self._geography = geography
        self._municipality = municipality

    def in_text(self, text: str, language: str) -> Whereabouts:
        """Where a text is about; nothing if it names no place of the municipality."""
        location = self._geography.locate(text, self._municipality, language=language)
        if not location.evidence:
            return Whereabouts()
        precise = [one for one in location.evidence if one.point is not None]
        best = min((_PRECISION.index(one.kind) for one in precise), default=0)
        meant = sorted(
            (one for one in precise if _PRECISION.index(one.kind) == best), key=lambda one: one.start
        )
        points = list(dict.fromkeys(one.point for one in meant if one.point is not None))
        geometry: Geometry | None = None
        if len(points) == 1:
            geometry = Point(coordinates=points[0])
        elif points:
            geometry = MultiPoint(coordinates=tuple(points[:MOST_POINTS]))
        smaller = (one for one in (*meant, *location.evidence) if one.area_ids != (self._municipality,))
        named = next((one.name for one in smaller), None)
        return Whereabouts(self._smallest(location.area_ids), geometry, named)

    def of_place(self, place: GraphPlace | None, language: str) -> Whereabouts:
        """Where a place of Facebook's is.

        Coordinates that are none, or that lie in the municipality only if they are swapped, are left out with
        a remark; name and address then say where it is as far as they can.
        """
        if place is None:
            return Whereabouts()
        words = place_in_words(place)
        found = self.in_text(words, language) if words else Whereabouts()
        point, remark = self._point(place)
        if point is None:
            return Whereabouts(found.areas, found.geometry, words or None, remark)
        areas = self._smallest(
            [area.id for area in self._geography.areas_at(point.longitude, point.latitude)]
        )
        return Whereabouts(areas or found.areas, point, words or None)

    def _point(self, place: GraphPlace) -> tuple[Point | None, str | None]:
        location = place.location
        if location is None or location.longitude is None or location.latitude is None:
            return None, None
        longitude, latitude = location.longitude, location.latitude
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90) or (longitude == latitude == 0):
            return None, "the coordinates are not WGS84 degrees"
        if (
            -90 <= longitude <= 90
            and not self._geography.areas_at(longitude, latitude)
            and self._geography.areas_at(latitude, longitude)
        ):
            return None, "the coordinates are swapped"
        return Point(coordinates=(longitude, latitude)), None

    def _smallest(self, area_ids: Iterable[str]) -> tuple[str, ...]:
        """Without the areas around others of them: naming the municipality would concern everybody in it."""
        tree = self._geography.areas
        listed = list(dict.fromkeys(area_ids))
        around = {above.id for area_id in listed if area_id in tree for above in tree.ancestors(area_id)}
        return tuple(area_id for area_id in listed if area_id not in around)


def place_in_words(place: GraphPlace) -> str:
    """Name, street and town, each once."""
    location = place.location
    parts = [place.name, location.street if location else None, location.city if location else None]
    words: list[str] = []
    for part in parts:
        text = " ".join((part or "").split())
        if text and not any(text.lower() in known.lower() for known in words):
            words.append(text)
    return ", ".join(words)[:300]
