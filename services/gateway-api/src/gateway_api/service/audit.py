"""Who did what and when on the staff pages: written before it is done, kept, and shown."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kommunepuls_events.base import utc_now

from gateway_api.domain.staff import Role, Staff
from gateway_api.service.collections import Collections
from gateway_api.service.queries import Page, page_of


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of the record. ``detail`` holds names and counts, never an address."""

    at: datetime
    who: str
    role: str
    action: str
    municipality: str | None
    subject: str
    detail: dict[str, str]


class Audit:
    """The record."""

    def __init__(self, collections: Collections, *, now: Callable[[], datetime] = utc_now) -> None:
        self._collections = collections
        self._now = now

    async def note(
        self, who: Staff, action: str, municipality: str | None, subject: str = "", **detail: object
    ) -> None:
        """Write down what somebody is about to do.

        Before the deed: a line of something that then failed does no harm, a deed without a line would.

        Args:
            who: who does it.
            action: a slug; see ACTIONS in :mod:`gateway_api.domain.staff_vocabulary`.
            municipality: where; None for what concerns no single town.
            subject: what it is done to, as a reader knows it.
            detail: more of it, by name.
        """
        now = self._now()
        await self._collections.audit.insert(
            f"{now.timestamp():017.6f}-{secrets.token_hex(4)}",
            {
                "at": now,
                "who": who.name,
                "role": str(next((role for role in Role if role in who.roles), "")),
                "action": action,
                "municipality": municipality,
                "subject": subject,
                "detail": {name: str(value) for name, value in detail.items()},
            },
        )

    async def read(self, municipality: str | None, *, limit: int, cursor: str | None = None) -> Page:
        """Lines of one municipality, or of all, the newest first."""
        where = {"municipality": municipality} if municipality else {}
        return await page_of(self._collections.audit, where, "at", limit, cursor)


def noted(document: dict) -> Noted:
    """The line in a document."""
    return Noted(**document)
