"""Warnings that are polled: a CAP document, or a list that points to CAP documents."""

import asyncio
from urllib.parse import urljoin

from kommunepuls_chassis.errors import PermanentError, RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.store import DocumentStore
from kommunepuls_chassis.web import Fetcher
from kommunepuls_events import item_id
from kommunepuls_events.base import utc_now

from ingest_feeds.domain.alerts import is_alert, parse_alerts
from ingest_feeds.domain.cap import Alert, item_of
from ingest_feeds.domain.rss import parse_feed
from ingest_feeds.domain.sources import WarningSource

MOST_ALERTS = 200
"""Alerts of one list that are asked for at one poll."""

REMEMBERED = 2000


class WarningAdapter:
    """CAP. Updates and cancellations are revisions of the first alert of their chain."""

    def __init__(
        self,
        intake: SourceIntake,
        source: WarningSource,
        journal: ItemJournal,
        fetcher: Fetcher,
        store: DocumentStore,
    ) -> None:
        self._intake, self._source, self._journal = intake, source, journal
        self._fetcher, self._store = fetcher, store

    async def poll(self) -> dict | None:
        """See :class:`kommunepuls_chassis.sources.Adapter`."""
        answer = await self._fetcher.get(self._source.url)
        if await asyncio.to_thread(is_alert, answer.body):
            await self._intake.guard("alert", answer.body, lambda: self.take(answer.body))
            return None
        seen = list(self._intake.position.get("seen", []))
        try:
            entries = await asyncio.to_thread(lambda: list(parse_feed(answer.body)))
        except RejectedInput as rejected:
            await self._intake.reject("list", answer.body, rejected)
            return None
        for entry in list(reversed(entries))[-MOST_ALERTS:]:
            link = urljoin(self._source.url, entry.content.get("link") or entry.native_id)
            mark = f"{link} {entry.content.get('updated') or entry.content.get('published') or ''}"
            if mark not in seen:
                await self._fetch_alert(link)
                seen.append(mark)
        return {"seen": seen[-REMEMBERED:]}

    async def _fetch_alert(self, link: str) -> None:
        try:
            alert = await self._fetcher.get(link)
        except PermanentError as error:
            await self._intake.reject("link", link.encode(), RejectedInput("alert-not-there", str(error)))
            return
        await self._intake.guard("alert", alert.body, lambda: self.take(alert.body))

    async def take_again(self, entry: str, raw: bytes) -> None:
        """Take an alert that was refused; a list or a link is asked for again by itself."""
        if entry == "alert":
            await self._intake.guard("alert", raw, lambda: self.take(raw))

    async def take(self, body: bytes) -> None:
        """Take all alerts of a document, the oldest first."""
        alerts = await asyncio.to_thread(parse_alerts, body)
        for alert in sorted(alerts, key=lambda one: one.sent):
            await self.take_alert(alert)

    async def take_alert(self, alert: Alert) -> None:
        """Take one alert.

        Raises:
            RejectedInput: ``not-a-warning`` for an acknowledgement, an error message, a draft or a system
                message; ``unknown-alert`` for a cancellation of what never came.
        """
        if alert.type in ("ack", "error") or alert.status in ("system", "draft"):
            raise RejectedInput("not-a-warning", f"msgType {alert.type}, status {alert.status}")
        root = await self._root_of(alert)
        if alert.type == "cancel":
            if await self._journal.last(item_id(self._intake.id, root)) is None:
                raise RejectedInput("unknown-alert", "cancels an alert that never came")
            await self._intake.withdraw(item_id(self._intake.id, root))
            return
        draft = await asyncio.to_thread(
            item_of, alert, self._intake.town, self._source, root=root, now=utc_now()
        )
        known = await self._journal.last(draft.id)
        if known is not None and known.withdrawn and alert.identifier == root:
            return  # the list still shows an alert that was cancelled since
        await self._intake.take(draft)

    async def _root_of(self, alert: Alert) -> str:
        """The identifier of the first alert of the chain, as far as it was seen."""
        chains = await self._store.collection("cap_chains")
        for reference in alert.references:
            known = await chains.get(f"{self._intake.id} {reference}")
            root = known.document["root"] if known else reference
            await chains.put(f"{self._intake.id} {alert.identifier}", {"root": root})
            return root
        known = await chains.get(f"{self._intake.id} {alert.identifier}")
        return known.document["root"] if known else alert.identifier
