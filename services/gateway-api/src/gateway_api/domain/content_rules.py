"""A municipality's content rules as editors keep them: in an order, each on or off, every version kept."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kommunepuls_events import ContentRule, ContentRulesV1
from kommunepuls_events.rules import MOST_RULES

from gateway_api.domain.errors import Fault, Invalid, NotFound

Inside = Callable[[str], Iterable[str]]
"""The ids of the areas inside an area, itself not among them."""


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule and whether it is on."""

    rule: ContentRule
    on: bool = False

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id


@dataclass(frozen=True, slots=True)
class Version:
    """All rules of a municipality as they were from one change to the next.

    Attributes:
        revision: 0 before the first change.
        at, who: when it was made, and by whom.
        deed: what was done: a key of ACTIONS in :mod:`gateway_api.domain.staff_vocabulary`.
        subject: the name of the rule it was done to, or the number of the version that was restored.
    """

    municipality: str
    revision: int
    rules: tuple[KeptRule, ...] = ()
    at: datetime | None = None
    who: str = ""
    deed: str = ""
    subject: str = ""

    def rule(self, rule: str) -> KeptRule:
        """One of the rules.

        Raises:
            NotFound: if there is none of that id.
        """
        for kept in self.rules:
            if kept.id == rule:
                return kept
        raise NotFound("there is no such rule")

    def with_rule(self, rule: ContentRule, *, on: bool) -> tuple[KeptRule, ...]:
        """The rules with one changed, or added at the end.

        Raises:
            Invalid: if there are too many.
        """
        kept = KeptRule(rule, on)
        if any(one.id == rule.id for one in self.rules):
            return tuple(kept if one.id == rule.id else one for one in self.rules)
        if len(self.rules) >= MOST_RULES:
            raise Invalid([Fault("/rules", f"there are at most {MOST_RULES} rules")])
        return (*self.rules, kept)

    def without(self, rule: str) -> tuple[KeptRule, ...]:
        """The rules without one."""
        gone = self.rule(rule)
        return tuple(one for one in self.rules if one is not gone)

    def switched(self, rule: str, *, on: bool) -> tuple[KeptRule, ...]:
        """The rules with one turned on or off."""
        wanted = self.rule(rule)
        return tuple(replace(one, on=on) if one is wanted else one for one in self.rules)

    def moved(self, rule: str, steps: int) -> tuple[KeptRule, ...]:
        """The rules with one moved up (negative) or down, as far as there is room."""
        wanted = self.rule(rule)
        rules = [one for one in self.rules if one is not wanted]
        place = min(max(self.rules.index(wanted) + steps, 0), len(rules))
        return (*rules[:place], wanted, *rules[place:])

    def fields(self) -> dict[str, Any]:
        """The document fields, without the outbox."""
        return {
            "municipality": self.municipality,
            "revision": self.revision,
            "rules": [{"rule": one.rule.model_dump_json(), "on": one.on} for one in self.rules],
            "at": self.at,
            "who": self.who,
            "deed": self.deed,
            "subject": self.subject,
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Version":
        """The version in a document."""
        rules = tuple(
            KeptRule(ContentRule.model_validate_json(one["rule"]), one["on"]) for one in document["rules"]
        )
        return cls(
            municipality=document["municipality"],
            revision=document["revision"],
            rules=rules,
            at=document["at"],
            who=document["who"],
            deed=document["deed"],
            subject=document["subject"],
        )


def new_rule_id() -> str:
    """The id of a rule: it stays when the name changes."""
    return f"r-{secrets.token_hex(5)}"


def in_force(rules: Iterable[KeptRule], inside: Inside) -> tuple[ContentRule, ...]:
    """The rules that are on, in their order, the areas of each with those inside them."""
    return tuple(_spread(one.rule, inside) for one in rules if one.on)


def message_of(version: Version, inside: Inside) -> ContentRulesV1 | None:
    """What is published of a version; None before the first change."""
    if version.at is None:
        return None
    return ContentRulesV1(
        municipality=version.municipality,
        revision=version.revision,
        rules=in_force(version.rules, inside),
        changed_at=version.at,
    )


def _spread(rule: ContentRule, inside: Inside) -> ContentRule:
    if not rule.when.areas:
        return rule
    areas = dict.fromkeys(rule.when.areas)
    for area in rule.when.areas:
        areas.update(dict.fromkeys(inside(area)))
    return rule.model_copy(update={"when": rule.when.model_copy(update={"areas": tuple(areas)})})
