"""How much of an area's roads was covered since the snowfall began."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sensor_gateway.domain.ploughs.roads import Match, MatchRules, Segment

COVERED_FROM = 0.8
"""Share of a segment's parts from which it counts as covered: ends lie in crossings, where the nearest
segment is often the other street."""
STEP = 0.05
"""Shares are told in steps, so that an item is not revised with every metre."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What is kept of a segment: parts as bits, when the newest was covered, how far off the lines were."""

    cells: int
    latest: datetime
    distance: float


@dataclass(frozen=True, slots=True)
class AreaCover:
    """An area's state: share of its length that is covered, first and last time, mean distance (metres)."""

    share: float
    earliest: datetime
    latest: datetime
    distance: float


def marked(before: Cover | None, match: Match, at: datetime) -> Cover:
    """The segment's state with a match added; the same match again changes nothing."""
    if before is None:
        return Cover(match.cells, at, round(match.distance, 1))
    if match.cells | before.cells == before.cells and at <= before.latest:
        return before
    return Cover(
        before.cells | match.cells,
        max(before.latest, at),
        round((before.distance + match.distance) / 2, 1) if match.cells & ~before.cells else before.distance,
    )


def is_covered(segment: Segment, cover: Cover) -> bool:
    """Whether enough of the segment was covered."""
    return cover.cells.bit_count() >= COVERED_FROM * segment.cells


def area_cover(
    area: str, segments: list[Segment], covers: Mapping[str, Cover], total_length: float
) -> AreaCover | None:
    """The state of an area, None if none of its segments is covered.

    Args:
        area: its id.
        segments: of the network; those of other areas are left out.
        covers: by segment id.
        total_length: of the area's segments, metres.
    """
    found = [
        (segment, covers[segment.id])
        for segment in segments
        if segment.area == area and segment.id in covers and is_covered(segment, covers[segment.id])
    ]
    if not found:
        return None
    times = [cover.latest for _, cover in found]
    return AreaCover(
        share=min(1.0, sum(segment.length for segment, _ in found) / total_length),
        earliest=min(times),
        latest=max(times),
        distance=sum(cover.distance for _, cover in found) / len(found),
    )


def step_of(share: float) -> float:
    """A share rounded down to a step, so that 'at least' is true."""
    return min(1.0, int(share / STEP + 1e-9) * STEP)


def confidence(state: AreaCover, rules: MatchRules, now: datetime) -> float:
    """How sure the statement is, 0 to 1.

    The share, less up to 0.3 for lines that ran beside the roads, and less 0.02 for each hour since the
    first road was done (at most 0.3): it may have drifted or snowed since.
    """
    beside = 0.3 * min(state.distance / rules.metres, 1.0)
    hours = max((now - state.earliest).total_seconds() / 3600, 0.0)
    return round(max(0.0, min(1.0, state.share - beside - min(0.02 * hours, 0.3))), 2)
