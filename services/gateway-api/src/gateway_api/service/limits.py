"""Counting requests in fixed windows, over all processes."""

from datetime import datetime, timedelta

from kommunepuls_chassis.store import Collection
from kommunepuls_chassis.store.errors import VersionConflict

from gateway_api.domain.sign_in import window_end, window_of

_MOST_ATTEMPTS = 10


async def count(counts: Collection, name: str, length: timedelta, now: datetime) -> int:
    """Count one more for a name in the window that `now` lies in, and return the count.

    Names are keyed hashes, never addresses. Where many count at once, it gives up after some attempts
    and returns what it saw: a limit is a brake, not a lock.
    """
    key = f"{name}|{window_of(now, length)}"
    seen = 0
    for _ in range(_MOST_ATTEMPTS):
        stored = await counts.get(key)
        seen = stored.document["count"] if stored else 0
        document = {"count": seen + 1, "expires_at": window_end(now, length)}
        try:
            await counts.put(key, document, expected_version=stored.version if stored else 0)
        except VersionConflict:
            continue
        return seen + 1
    return seen + 1
