"""How many residents an item reaches, told so that nobody can be found out by it.

Numbers are perturbed by a value that the very set of residents decides (the cell key method of statistical
offices), then rounded. The same set always gives the same number, so that asking again tells nothing more, and
a number that changes does not tell that one resident came or went: who moves a point over the map step by step
cannot find the edge of somebody's circle.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kommunepuls_events import Reason, ReasonType

FEWEST = 5
"""Fewer are told as 'fewer than 5', none too."""

_SPREAD = 2
_STEPS = ((100, 5), (1_000, 10), (10_000, 100), (100_000, 1_000))
_LARGEST_STEP = 10_000
_BITS = 64


@dataclass(frozen=True, slots=True)
class About:
    """A number of residents: about ``number``, or fewer than FEWEST when it is None."""

    number: int | None

    @classmethod
    def of(cls, residents: Iterable[str], key: str) -> "About":
        """The number of these pseudonyms, each counted once. ``key`` is a secret, the same in every process."""
        tally = Tally(key)
        for one in set(residents):
            tally.add(one)
        return tally.about()


class Tally:
    """Counts residents, each of whom must be added once."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()[:64]
        self._count = 0
        self._marks = 0

    def add(self, resident: str) -> None:
        """Count one more."""
        self._count += 1
        digest = hashlib.blake2b(resident.encode(), digest_size=8, key=self._key).digest()
        self._marks = (self._marks + int.from_bytes(digest)) % (1 << _BITS)

    def about(self) -> About:
        """The number as it may be told."""
        shifted = self._count + self._marks % (2 * _SPREAD + 1) - _SPREAD
        if self._count == 0 or shifted < FEWEST:
            return About(None)
        step = next((step for below, step in _STEPS if shifted < below), _LARGEST_STEP)
        return About(max((shifted + step // 2) // step * step, FEWEST))


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom an item would reach. The parts overlap: a resident may have several reasons.

    Attributes:
        residents: all of them.
        places: those who have a place near it, or in its areas.
        areas: those who follow one of its areas, or one around or in it; by the area they follow, most first.
        interests: those who have chosen an interest of it, by interest, most first.
        organiser: those who follow who stands behind it.

    Areas and interests of fewer than FEWEST are left out: that they were named would tell of somebody.
    """

    residents: About
    places: About
    areas: Mapping[str, About]
    interests: Mapping[str, About]
    organiser: About


class ReachCount:
    """Counts whom an item reaches, and why."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._all, self._places, self._organiser = Tally(key), Tally(key), Tally(key)
        self._areas: dict[str, Tally] = {}
        self._interests: dict[str, Tally] = {}

    def add(self, resident: str, reasons: Iterable[Reason]) -> None:
        """Count a resident, once, with all their reasons."""
        self._all.add(resident)
        near = followed = False
        for reason in reasons:
            if reason.type is ReasonType.PLACE:
                near = True
            elif reason.type is ReasonType.ORGANISER:
                followed = True
            elif reason.type is ReasonType.AREA:
                self._areas.setdefault(reason.area or "", Tally(self._key)).add(resident)
            elif reason.type is ReasonType.INTEREST:
                self._interests.setdefault(reason.interest or "", Tally(self._key)).add(resident)
        if near:
            self._places.add(resident)
        if followed:
            self._organiser.add(resident)

    def told(self) -> Reach:
        """What may be told of it."""
        return Reach(
            self._all.about(),
            self._places.about(),
            _of_many(self._areas),
            _of_many(self._interests),
            self._organiser.about(),
        )


def _of_many(tallies: Mapping[str, Tally]) -> dict[str, About]:
    told = {name: tally.about() for name, tally in tallies.items()}
    known = {name: about for name, about in told.items() if about.number is not None}
    return dict(sorted(known.items(), key=lambda one: (-(one[1].number or 0), one[0])))
