"""Reasons that many share, said once: what an answer is made of when it is told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kommunepuls_events import Reason, ReasonType
from kommunepuls_events.matches import each_with


@dataclass(frozen=True, slots=True)
class Group:
    """Subscribers who share their reasons.

    Attributes:
        reasons: best first; a place whose distance is each subscriber's own says none.
        distances: of each subscriber in turn those of the places that say none.
    """

    reasons: tuple[Reason, ...]
    subscribers: Sequence[str]
    distances: Sequence[float] = ()

    def each(self) -> Iterator[tuple[str, tuple[Reason, ...]]]:
        """Each subscriber with the reasons."""
        return each_with(self.reasons, self.subscribers, self.distances)


class Wording:
    """The reasons of one answer, none of which is made twice."""

    def __init__(self) -> None:
        self._made: dict[tuple, Reason] = {}
        self.emergency = Reason(type=ReasonType.EMERGENCY)

    def area(self, area: str) -> Reason:
        """They follow it."""
        return self._reason(("area", area), type=ReasonType.AREA, area=area)

    def organiser(self, organiser: str) -> Reason:
        """They follow the organiser."""
        return self._reason(("organiser", organiser), type=ReasonType.ORGANISER, organiser=organiser)

    def interest(self, slug: str) -> Reason:
        """It is an interest of theirs."""
        return self._reason(("interest", slug), type=ReasonType.INTEREST, interest=slug)

    def place(self, place: str, area: str | None, *, measured: bool) -> Reason:
        """It concerns a place of theirs: it is right there, or (``measured``) as far away as is said beside it."""
        return self._reason(
            ("place", place, area, measured),
            type=ReasonType.PLACE,
            place=place,
            area=area,
            distance_metres=None if measured else 0.0,
        )

    def _reason(self, key: tuple, **fields: object) -> Reason:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Reason(**fields)
        return found


def joined(parts: Iterable[Group]) -> list[Group]:
    """One group for all who share reasons, in whatever part of an index they were found.

    Groups are in the order of what their reasons say, and subscribers in their own: the same in every process, however
    its index came to hold them, and what is alike stands together. Equal reasons must be the same objects.
    """
    found: dict[tuple[int, ...], Group] = {}
    more: dict[tuple[int, ...], list[Group]] = {}
    for part in parts:
        key = tuple(map(id, part.reasons))
        if found.setdefault(key, part) is not part:
            more.setdefault(key, []).append(part)
    for key, parts_more in more.items():
        found[key] = _together([found[key], *parts_more])
    said = {id(reason): reason for group in found.values() for reason in group.reasons}
    order = sorted(said, key=lambda one: said[one].model_dump_json(exclude_none=True))
    rank = {one: number for number, one in enumerate(order)}
    ranked = {tuple(map(rank.__getitem__, key)): group for key, group in found.items()}
    return [_in_order(ranked[key]) for key in sorted(ranked)]


def _together(same: Sequence[Group]) -> Group:
    return Group(
        same[0].reasons,
        [subscriber for part in same for subscriber in part.subscribers],
        [metres for part in same for metres in part.distances],
    )


def _in_order(group: Group) -> Group:
    reasons, distances = group.reasons, group.distances
    if not distances:
        return Group(reasons, sorted(group.subscribers))
    each = len(distances) // len(group.subscribers)
    theirs = [tuple(distances[begin : begin + each]) for begin in range(0, len(distances), each)]
    ordered = sorted(zip(group.subscribers, theirs, strict=True))
    return Group(reasons, [one for one, _ in ordered], [metres for _, some in ordered for metres in some])
