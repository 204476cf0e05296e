"""Content rules: what a municipality's editors want done with items before they are published.

The rules of a municipality travel as one message, in their order, so that they change all at once. Whoever
publishes items applies them with :func:`judge`; it is the whole meaning of a rule.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kommunepuls_events.base import Identifier, Instant, Message, MunicipalityCode, Slug, SourceId
from kommunepuls_events.content import ContentItemV1, RuleTrace
from kommunepuls_events.phrases import Phrase, found
from kommunepuls_events.vocabulary import Kind, Severity

READ_CHARACTERS = 4000
"""Words further down in a long text say little about what it is about."""
HIGHEST_SEVERITY = Severity.MODERATE
"""What wakes everybody is for the warning services, not for words in a text."""
MOST_RULES = 200
DROPPED_BY_RULE = "dropped-by-rule"
"""The reason under which an item that a rule drops is kept in ``rejects.v1``."""
DROPPED_ENTRY = "dropped"
"""Its entry: sent back to its service, the item is published past the rule."""

_INLINE = re.compile(r"</?(?:a|abbr|b|em|i|mark|small|span|strong|sub|sup|u)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


class _Exact(Message):
    """A part whose every field counts: one of a newer version that a reader does not know is refused.

    A condition that is overlooked would make a rule hold for more than it says.
    """

    model_config = ConfigDict(extra="forbid")


class RuleCondition(_Exact):
    """When a rule holds: every field that is given must fit, and of a field's values one is enough."""

    sources: Annotated[tuple[SourceId, ...], Field(max_length=100)] = ()
    words: Annotated[tuple[Phrase, ...], Field(max_length=100)] = Field(
        default=(), description="phrases in title, summary or text; see kommunepuls_events.phrases"
    )
    without_words: Annotated[tuple[Phrase, ...], Field(max_length=100)] = Field(
        default=(), description="phrases of which none may be there"
    )
    areas: Annotated[tuple[Identifier, ...], Field(max_length=2000)] = Field(
        default=(), description="areas, each with those inside it"
    )
    kinds: tuple[Kind, ...] = ()

    @model_validator(mode="after")
    def _says_when(self) -> "RuleCondition":
        if not (self.sources or self.words or self.areas or self.kinds):
            raise ValueError("says when: a source, words, an area or a kind")
        return self


class RuleEffect(_Exact):
    """What a rule does with an item."""

    drop: bool = False
    severity: Severity | None = None
    add_interests: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    set_interests: Annotated[tuple[Slug, ...], Field(max_length=50)] = Field(
        default=(), description="in place of those it has"
    )
    add_areas: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    set_areas: Annotated[tuple[Identifier, ...], Field(max_length=100)] = Field(
        default=(), description="in place of those it has"
    )

    @model_validator(mode="after")
    def _does_one_thing(self) -> "RuleEffect":
        changes = (
            self.severity, self.add_interests, self.set_interests, self.add_areas, self.set_areas,
        )  # fmt: skip
        if self.drop == any(changes):
            raise ValueError("drops the item, or changes it: one of the two")
        if (self.add_interests and self.set_interests) or (self.add_areas and self.set_areas):
            raise ValueError("adds to what an item has, or takes its place: one of the two")
        if self.severity is not None and self.severity.rank > HIGHEST_SEVERITY.rank:
            raise ValueError(f"sets a severity of {HIGHEST_SEVERITY} at most")
        return self


class ContentRule(_Exact):
    """One rule."""

    id: Slug
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    when: RuleCondition
    then: RuleEffect

    def fits(self, item: ContentItemV1, text: str) -> bool:
        """Whether the rule holds for an item whose :func:`text_of` is given."""
        when = self.when
        return (
            (not when.sources or item.source in when.sources)
            and (not when.kinds or item.kind in when.kinds)
            and (not when.areas or not set(when.areas).isdisjoint(item.areas))
            and (not when.words or found(when.words, text))
            and not found(when.without_words, text)
        )


class ContentRulesV1(Message):
    """The rules in force in a municipality, in their order, as published to the compacted ``content-rules.v1``."""

    municipality: MunicipalityCode
    revision: int = Field(ge=1, description="one more for each change")
    rules: Annotated[tuple[ContentRule, ...], Field(max_length=MOST_RULES)] = ()
    changed_at: Instant


@dataclass(frozen=True, slots=True)
class Judged:
    """What rules make of an item: the item, and the rule that drops it, if one does."""

    item: ContentItemV1
    dropped_by: ContentRule | None = None


def judge(item: ContentItemV1, rules: Sequence[ContentRule]) -> Judged:
    """Apply rules to an item as its source sent it; see :func:`as_sent`.

    Every rule looks at the item as it was sent, so that none depends on what another did. What they do is done in
    their order: of two that set the same, the later counts. One that drops it is enough, the first is named. An
    emergency is left as it is: no rule can keep it from anybody, or make something else one.
    """
    if item.emergency or not rules:
        return Judged(item)
    text = text_of(item)
    fitting = [rule for rule in rules if rule.fits(item, text)]
    for rule in fitting:
        if rule.then.drop:
            return Judged(item, rule)
    interests, areas, severity = item.interests, item.areas, item.severity
    for rule in fitting:
        then = rule.then
        interests = then.set_interests or _together(interests, then.add_interests)
        areas = then.set_areas or _together(areas, then.add_areas)
        severity = then.severity or severity
    if (interests, areas, severity) == (item.interests, item.areas, item.severity):
        return Judged(item)
    trace = RuleTrace(
        rules=tuple(rule.id for rule in fitting),
        interests=item.interests,
        areas=item.areas,
        severity=item.severity,
    )
    changes = {"interests": interests, "areas": areas, "severity": severity, "changed_by": trace}
    return Judged(item.model_copy(update=changes))


def as_sent(item: ContentItemV1) -> ContentItemV1:
    """The item as its source sent it, before rules changed it."""
    trace = item.changed_by
    if trace is None:
        return item
    sent = {"interests": trace.interests, "areas": trace.areas, "severity": trace.severity}
    return item.model_copy(update=sent | {"changed_by": None})


def text_of(item: ContentItemV1) -> str:
    """Title, summary and the beginning of the text, without markup: where words are looked for."""
    body = html.unescape(_TAG.sub(" ", _INLINE.sub("", item.body[: 3 * READ_CHARACTERS])))
    return f"{item.title}\n{item.summary}\n{body}"[:READ_CHARACTERS]


def _together(before: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *more)))
