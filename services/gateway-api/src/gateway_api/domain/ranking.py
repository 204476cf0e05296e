"""In which order a feed stands: the newest first, and what matters more counts as newer than it is.

Every entry has an age in hours: the time since it was matched. What matters makes it younger, what is over
makes it older; the youngest stands first. So a severe warning of yesterday stands above an everyday notice of
this morning, and nothing stays on top for ever.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kommunepuls_events import ContentItemV1, Kind, Reason, ReasonType, Severity

from gateway_api.domain.items import over_at

YOUNGER_BY_SEVERITY = {
    Severity.EXTREME: 96.0,
    Severity.SEVERE: 48.0,
    Severity.MODERATE: 18.0,
    Severity.MINOR: 3.0,
    Severity.UNKNOWN: 0.0,
}
"""Hours; of a warning that still holds, twice as many."""
OLDER_WHEN_OVER = 72.0
OLDER_WHEN_WITHDRAWN = 48.0
YOUNGER_WHEN_SOON = 24.0
"""Of an event that begins within SOON."""
SOON = timedelta(hours=48)

_YOUNGER_BY_REASON = {
    ReasonType.EMERGENCY: 24.0,
    ReasonType.SENSOR: 12.0,
    ReasonType.ORGANISER: 6.0,
    ReasonType.FOLLOW_UP: 6.0,
    ReasonType.AREA: 4.0,
    ReasonType.INTEREST: 1.0,
}
_NEXT_DOOR = 12.0
_HALF_AT_METRES = 400.0
_FURTHER_REASON = 1.0
_MOST_FURTHER = 3


def age_in_hours(
    item: ContentItemV1, reasons: Sequence[Reason], matched_at: datetime, now: datetime
) -> float:
    """The age by which an entry is sorted."""
    age = (now - matched_at).total_seconds() / 3600
    if item.withdrawn:
        return age + OLDER_WHEN_WITHDRAWN - _by_reasons(reasons)
    over = over_at(item)
    if over is not None and over <= now:
        return age + OLDER_WHEN_OVER - _by_reasons(reasons)
    younger = YOUNGER_BY_SEVERITY[item.severity] * (2 if item.kind is Kind.ALERT else 1)
    if item.starts_at and now <= item.starts_at <= now + SOON:
        younger += YOUNGER_WHEN_SOON
    return age - younger - _by_reasons(reasons)


def _by_reasons(reasons: Sequence[Reason]) -> float:
    """Hours for the strongest reason, and a little for each further one."""
    strongest = max((_strength(one) for one in reasons), default=0.0)
    return strongest + _FURTHER_REASON * min(max(len(reasons) - 1, 0), _MOST_FURTHER)


def _strength(reason: Reason) -> float:
    if reason.type is ReasonType.PLACE:
        return _NEXT_DOOR / (1 + (reason.distance_metres or 0.0) / _HALF_AT_METRES)
    return _YOUNGER_BY_REASON[reason.type]
