"""Where a case stands, told from the kind and title of a document."""

from enum import StrEnum

from ingest_permits.domain.rules import stage_rules
from ingest_permits.domain.titles import Title


class Stage(StrEnum):
    """The stages of a permit that residents hear of, in the order of ``rank``."""

    RECEIVED = "received"
    AMENDED = "amended"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"

    @property
    def rank(self) -> int:
        """Of two documents of one day the one of higher rank is the newer."""
        return list(Stage).index(self)


def stage_of(title: Title, type_of_document: str) -> Stage | None:
    """The stage that a document brings its case to; None if it is no news to residents.

    The rules are those of ``data/stages.yaml``; the first that fits decides.
    """
    for rule in stage_rules():
        if rule.fits(type_of_document, title.lead, title.text):
            return Stage(rule.stage) if rule.stage else None
    return None
