"""What was listed before and is not any more.

A page lists its newest posts; an old one that leaves this window was not deleted. One that is missing among
those still listed may have been: it has to be asked for by itself.
"""

from collections.abc import Mapping
from datetime import datetime


def vanished(
    before: Mapping[str, datetime], now_listed: Mapping[str, datetime], *, complete: bool
) -> list[str]:
    """Ids that were listed at the last poll and should be listed now, the newest first.

    Args:
        before: ids with their times at the last poll.
        now_listed: ids with their times now, all answers of this poll together.
        complete: whether the list ended, so that nothing can lie beyond it.
    """
    oldest = min(now_listed.values(), default=None)
    missing = {
        native: created
        for native, created in before.items()
        if native not in now_listed and (complete or (oldest is not None and created > oldest))
    }
    return sorted(missing, key=lambda native: missing[native], reverse=True)
