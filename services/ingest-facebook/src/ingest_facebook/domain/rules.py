"""Content rules: which words make a text a volunteer need, an alert or of interest to whom.

Rules are data: shipped in ``data/content_rules.yaml``, and any source's own go before them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kommunepuls_events import Kind, Severity
from kommunepuls_events.base import Slug
from kommunepuls_events.phrases import Phrase, found
from pydantic import BaseModel, ConfigDict, Field

READ_CHARACTERS = 1000
"""Words further down in a long text say little about what it is about."""


class Rule(BaseModel):
    """What follows if a text holds one of the phrases, which are written as those of editors' content rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[Phrase, ...] = Field(min_length=1)
    kind: Kind | None = None
    interests: tuple[Slug, ...] = ()
    severity: Severity | None = None
    audience: tuple[Slug, ...] = ()
    exercise: bool = Field(default=False, description="an alert with these words is an exercise or test")


@dataclass(frozen=True, slots=True)
class Content:
    """What the rules found out about a text."""

    kind: Kind = Kind.NOTICE
    interests: tuple[str, ...] = ()
    severity: Severity = Severity.UNKNOWN
    audience: tuple[str, ...] = ()
    exercise: bool = False


def content_of(text: str, rules: Iterable[Rule], usual_interests: Iterable[str] = ()) -> Content:
    """Judge a text.

    Args:
        text: title and text together.
        rules: in order; the first that names a kind decides it, its severity counts, all give interests.
        usual_interests: of the source; they come after those that were found.
    """
    kind, severity, exercise = None, Severity.UNKNOWN, False
    text = text[:READ_CHARACTERS]
    interests: dict[str, None] = {}
    audience: dict[str, None] = {}
    for rule in rules:
        if not found(rule.words, text):
            continue
        if kind is None and rule.kind is not None:
            kind, severity = rule.kind, rule.severity or Severity.UNKNOWN
        exercise = exercise or rule.exercise
        interests.update(dict.fromkeys(rule.interests))
        audience.update(dict.fromkeys(rule.audience))
    interests.update(dict.fromkeys(usual_interests))
    return Content(
        kind or Kind.NOTICE, tuple(interests), severity, tuple(audience), exercise and kind is Kind.ALERT
    )
