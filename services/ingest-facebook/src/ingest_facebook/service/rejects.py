"""Rejecting an object once: it stays in the list and is seen again at every poll."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.store import Collection

_NAMED = (
    "from",
    "to",
    "comments",
    "reactions",
    "likes",
    "sharedposts",
    "story_tags",
    "with_tags",
    "admin_creator",
)
"""Parts that name people. They are not asked for, and not kept if they come all the same."""


class Rejects:
    """Rejects of one source."""

    def __init__(self, intake: SourceIntake, known: Collection) -> None:
        self._intake = intake
        self._known = known

    async def guard(
        self, entry: str, raw: Any, work: Callable[[], Awaitable[None]], *, again: bool = False
    ) -> bool:
        """Run ``work`` on one object; what it rejects is kept with its reason. True if it was taken.

        Args:
            entry: how it is taken in again: ``post`` or ``event``.
            raw: the object's JSON value.
            work: takes it.
            again: whether to keep it even if it was rejected for the same reason before (a replay).
        """
        try:
            await work()
        except RejectedInput as rejected:
            native = raw.get("id") if isinstance(raw, dict) else None
            kept = nameless(raw)
            which = json.dumps(native).encode() if isinstance(native, str | int) else kept
            mark = b"\0".join([which, rejected.reason.encode(), rejected.detail.encode()])
            key = f"{self._intake.id}/{hashlib.sha256(mark).hexdigest()[:32]}"
            if await self._known.insert(key, {"source": self._intake.id}) or again:
                await self._intake.reject(entry, kept, rejected)
            return False
        return True


def nameless(raw: Any) -> bytes:
    """An object's JSON without the parts that name people."""
    kept = (
        {name: value for name, value in raw.items() if name not in _NAMED} if isinstance(raw, dict) else raw
    )
    try:
        return json.dumps(kept, ensure_ascii=True).encode()
    except RecursionError:
        return b'"nested too deep to be kept"'
