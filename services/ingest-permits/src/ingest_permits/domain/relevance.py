"""Which documents of a journal concern building or planning; a journal holds everything."""

from ingest_permits.domain.rules import named_pattern
from ingest_permits.domain.titles import Title

BUILDING, PLANNING = "building-permits", "planning"


def interests_of(title: Title, *, case_title: str = "", assumed: bool = False) -> tuple[str, ...]:
    """The interests that a document belongs to; empty if it concerns neither building nor planning.

    Args:
        title: of the document.
        case_title: of its case, if known.
        assumed: the source holds nothing but building cases (an archive asked for one type of case).
    """
    text = f"{title.text} {case_title}"
    if named_pattern("relevance", "planning").search(text) or title.plan:
        return (PLANNING,)
    if assumed:
        return (BUILDING,)
    if named_pattern("relevance", "never").search(text):
        return ()
    if title.properties or named_pattern("relevance", "building").search(text):
        return (BUILDING,)
    return ()
