"""Where cases lie, by the areas and registers of their town."""

from collections.abc import Iterable

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import TownFile
from kommunepuls_events.geometry import Point
from kommunepuls_geography import Geography, GeographyError, geography_of
from kommunepuls_geography.locations import Evidence, EvidenceKind

from ingest_permits.domain.cases import Document
from ingest_permits.domain.drafts import Located

_LEAST_CONFIDENCE = 0.6


def load_geography(file: TownFile) -> Geography:
    """Everything that a town file says about places. Reads files: call it off the event loop.

    Raises:
        OperatorError: naming the file that is faulty.
    """
    try:
        return geography_of((file.town, file.folder))
    except GeographyError as error:
        raise OperatorError(f"{file.path}: {error}") from None


class TownPlaces:
    """Finds the position and areas of cases of one town."""

    def __init__(self, geography: Geography, municipality: str, language: str) -> None:
        self._geography = geography
        self._municipality = municipality
        self._language = language

    def locate(self, document: Document) -> Located:
        """A column's position if the row has one, else the address, property or place that the text names.

        A point comes from an address or a property alone; the middle of a village is no position of a case.
        """
        if document.point is not None:
            areas = self._geography.area_ids_of({"type": "Point", "coordinates": list(document.point)})
            return Located(Point(coordinates=document.point), tuple(areas), document.place or None)
        found = self._geography.locate(
            document.locate,
            self._municipality,
            language=self._language,
            journal_title=True,
            minimum_confidence=_LEAST_CONFIDENCE,
        )
        exact = _most_exact(found.evidence)
        point = Point(coordinates=exact.point) if exact and exact.point else None
        return Located(point, found.area_ids, self._name(document, exact, found.evidence))

    def _name(self, document: Document, exact: Evidence | None, evidence: Iterable[Evidence]) -> str | None:
        """The place in words; the town itself says nothing, and a property number is worded elsewhere."""
        if document.place:
            return document.place
        if exact is not None and exact.kind is EvidenceKind.ADDRESS:
            return exact.name
        for one in evidence:
            if one.kind is not EvidenceKind.PROPERTY and one.area_ids[:1] != (self._municipality,):
                return one.name
        return None


def _most_exact(evidence: Iterable[Evidence]) -> Evidence | None:
    for one in evidence:
        if one.kind in (EvidenceKind.ADDRESS, EvidenceKind.PROPERTY):
            return one
    return None
