"""Onboarding: one question a page, the choices travelling along in the form, nothing kept."""

from collections.abc import Collection
from enum import StrEnum

from pydantic import ValidationError

from gateway_api.domain.choices import Choices, TownOffer


class Step(StrEnum):
    """The pages, in their order; the last asks for the address and is not counted."""

    WHERE = "where"
    WHAT = "what"
    WHOM = "whom"
    HOW = "how"
    PREVIEW = "preview"
    ADDRESS = "address"

    @property
    def number(self) -> int:
        """1 for the first."""
        return _ORDER.index(self) + 1

    @property
    def following(self) -> "Step":
        """The next; the last has itself."""
        return _ORDER[min(self.number, len(_ORDER) - 1)]

    @property
    def preceding(self) -> "Step":
        """The one before; the first has itself."""
        return _ORDER[max(self.number - 2, 0)]

    @property
    def asks(self) -> tuple[str, ...]:
        """The fields of the choices that its page has controls for."""
        return _ASKED.get(self, ())


_ORDER = tuple(Step)
COUNTED = len(_ORDER) - 1
_ASKED = {
    Step.WHERE: ("areas", "places"),
    Step.WHAT: ("interests",),
    Step.WHOM: ("organisers",),
    Step.HOW: ("channels", "cadence", "quiet_hours"),
}
ASKED = tuple(name for names in _ASKED.values() for name in names)
"""Everything that is asked; what onboarding does not ask for stays as a resident has it."""


def step_of(text: str) -> Step:
    """The step of that name; the first for any other."""
    return Step(text) if text in tuple(Step) else Step.WHERE


def written(choices: Choices) -> str:
    """The choices as they travel in the form: JSON, without what is as it begins."""
    return choices.model_dump_json(exclude_defaults=True)


def read(text: str, offer: TownOffer, fallback: Choices) -> Choices:
    """The choices of a form, without what the town does not offer (any more); the fallback if it is none."""
    try:
        choices = Choices.model_validate_json(text)
    except ValidationError:
        return fallback
    return choices.model_copy(
        update={
            "areas": _offered(choices.areas, offer.areas),
            "interests": _offered(choices.interests, offer.interests),
        }
    )


def _offered(chosen: Collection[str], offered: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in chosen if one in offered)


def with_answers(before: Choices, answered: Choices, names: Collection[str] = ASKED) -> Choices:
    """The choices with the named fields as they were answered."""
    return before.model_copy(update={name: getattr(answered, name) for name in names})


def is_empty(choices: Choices) -> bool:
    """Whether nothing was chosen yet that could bring anything."""
    return not (choices.areas or choices.places or choices.interests or choices.organisers)
