"""How much of its allowance the app has used, and how to behave.

Source: https://developers.facebook.com/docs/graph-api/overview/rate-limiting/: ``X-App-Usage`` is JSON in a header,
``X-Business-Use-Case-Usage`` JSON keyed by page id with lists inside; the figures are per cent, the time to regain
access is in minutes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

SLOW_FROM_PERCENT = 75.0
PAUSE_FROM_PERCENT = 95.0
SLOWEST = 4.0
"""The interval is at most this many times as long before polling pauses."""
PAUSE_SECONDS = 900.0
"""How long to pause when Facebook does not say: the allowance is counted over a rolling hour."""
_FIGURES = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")


@dataclass(frozen=True, slots=True)
class Usage:
    """The highest figure in per cent, and the minutes after which a blocked app may ask again."""

    percent: float = 0.0
    regain_minutes: float = 0.0

    @property
    def factor(self) -> float:
        """How many times longer to wait between polls: 1 below 75 %, rising to 4 at 95 %."""
        over = (self.percent - SLOW_FROM_PERCENT) / (PAUSE_FROM_PERCENT - SLOW_FROM_PERCENT)
        return 1.0 + (SLOWEST - 1.0) * min(max(over, 0.0), 1.0)

    @property
    def pause_seconds(self) -> float:
        """How long not to ask at all; 0 for not at all long."""
        if self.regain_minutes > 0:
            return self.regain_minutes * 60
        return PAUSE_SECONDS if self.percent >= PAUSE_FROM_PERCENT else 0.0


def usage_of(headers: Mapping[str, str]) -> Usage:
    """Read the usage headers of an answer; what cannot be read counts as nothing used."""
    rows: list[object] = []
    for name, value in headers.items():
        if name.lower() in ("x-app-usage", "x-page-usage"):
            rows.append(_json(value))
        elif name.lower() == "x-business-use-case-usage":
            by_page = _json(value)
            if isinstance(by_page, dict):
                rows += [row for part in by_page.values() if isinstance(part, list) for row in part]
    known = [row for row in rows if isinstance(row, dict)]
    return Usage(
        max((_number(row.get(name)) for row in known for name in _FIGURES), default=0.0),
        max((_number(row.get("estimated_time_to_regain_access")) for row in known), default=0.0),
    )


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e6 else 0.0
