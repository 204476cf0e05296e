"""'Less of this': concrete choices that an item offers, each of which can be taken back exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

from kommunepuls_events import ContentItemV1, Reason, ReasonType, SubscriberProfileV1
from kommunepuls_matching.reference import is_muted

from gateway_api.domain import forms
from gateway_api.domain.choices import Choices

MUTED = ("items", "organisers", "interests", "sources")
RADIUS = "radius"
_RADII = (100.0, 200.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0, 10_000.0)
_MOST_INTERESTS = 2


@dataclass(frozen=True, slots=True)
class Less:
    """One choice: ``what`` is a kind of MUTED with the id of what is muted, or RADIUS with a place's id.

    ``metres`` is the new radius and ``before`` the one it takes the place of.
    """

    what: str
    of: str
    metres: float = 0.0
    before: float = 0.0

    def applied(self, choices: Choices) -> Choices:
        """The choices with it."""
        if self.what == RADIUS:
            return _with_radius(choices, self.of, self.metres, instead_of=self.before)
        return forms.muting(choices, self.what, self.of, mute=True)

    def undone(self, choices: Choices) -> Choices:
        """The choices without it: what they were, but for what was changed since."""
        if self.what == RADIUS:
            return _with_radius(choices, self.of, self.before, instead_of=self.metres)
        return forms.muting(choices, self.what, self.of, mute=False)


def _with_radius(choices: Choices, place: str, metres: float, *, instead_of: float) -> Choices:
    places = tuple(
        one.model_copy(update={"radius_metres": metres})
        if one.id == place and one.radius_metres == instead_of
        else one
        for one in choices.places
    )
    return choices.model_copy(update={"places": places})


def less_of(item: ContentItemV1, reasons: Sequence[Reason], profile: SubscriberProfileV1) -> list[Less]:
    """What a resident may choose on seeing an item, the narrowest first; nothing that they chose already."""
    found = [Less("items", item.id)]
    for reason in reasons:
        if reason.type is ReasonType.PLACE and reason.distance_metres:
            found += _smaller(reason, profile)
    reached = [one.interest for one in reasons if one.type is ReasonType.INTEREST and one.interest]
    found += [Less("interests", slug) for slug in (reached or item.interests)[:_MOST_INTERESTS]]
    if item.organiser:
        found.append(Less("organisers", item.organiser.id))
    found.append(Less("sources", item.source))
    return [one for one in found if one.what == RADIUS or one.of not in getattr(profile.muted, one.what)]


def _smaller(reason: Reason, profile: SubscriberProfileV1) -> list[Less]:
    """The largest round radius of the place that no longer reaches the item."""
    for place in profile.places:
        fitting = [one for one in _RADII if one < min(reason.distance_metres or 0.0, place.radius_metres)]
        if place.id == reason.place and fitting:
            return [Less(RADIUS, place.id, fitting[-1], place.radius_metres)]
    return []


def still_wanted(item: ContentItemV1, reasons: Sequence[Reason], profile: SubscriberProfileV1) -> bool:
    """Whether what was matched once is still what the resident chooses to hear of.

    What they were told stays in the message centre; the feed goes by their choices as they are now.
    """
    if item.emergency:
        return True
    if is_muted(item, profile):
        return False
    by_type = {kind: [one for one in reasons if one.type is kind] for kind in ReasonType}
    if any(by_type[kind] for kind in (ReasonType.SENSOR, ReasonType.FOLLOW_UP, ReasonType.EMERGENCY)):
        return True
    if any(one.organiser in profile.organisers for one in by_type[ReasonType.ORGANISER]):
        return True
    radii = {place.id: place.radius_metres for place in profile.places}
    located = any(one.area in profile.areas for one in by_type[ReasonType.AREA]) or any(
        (one.distance_metres or 0.0) <= radii[one.place]
        for one in by_type[ReasonType.PLACE]
        if one.place in radii
    )
    chosen = [
        one.interest in profile.interests and one.interest not in profile.muted.interests
        for one in by_type[ReasonType.INTEREST]
    ]
    return located and (any(chosen) or not chosen)
