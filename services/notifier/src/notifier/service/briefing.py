"""What must be known to deliver a batch of sendings, read from the store in one go."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kommunepuls_events import ContentItemV1, SubscriberProfileV1

from notifier.domain.sendings import Sending
from notifier.domain.standing import Standing
from notifier.records.knowledge import Knowledge
from notifier.records.vault import Endpoint, Vault


@dataclass(frozen=True, slots=True)
class Briefing:
    """Copies as they were when the batch was taken, at `taken_at` on the event loop's clock."""

    profiles: Mapping[str, SubscriberProfileV1]
    erased: set[str]
    endpoints: Mapping[str, list[Endpoint]]
    known: set[str]
    contents: Mapping[tuple[str, int], ContentItemV1]
    standings: Mapping[str, Standing]
    taken_at: float

    def content(self, sending: Sending) -> ContentItemV1 | None:
        """The texts that a sending is about."""
        return self.contents.get((sending.item or "", sending.revision or 0))

    def endpoints_left(self, sending: Sending) -> list[Endpoint]:
        """The endpoints on a sending's channel that neither have it nor were given up."""
        done = {*sending.reached, *sending.lost}
        return [
            endpoint
            for endpoint in self.endpoints.get(sending.subscriber, [])
            if endpoint.channel is sending.channel and endpoint.id not in done
        ]


async def brief(sendings: Sequence[Sending], knowledge: Knowledge, vault: Vault) -> Briefing:
    """Read what is needed for these sendings. What was claimed was claimed just now."""
    taken_at = asyncio.get_running_loop().time()
    subscribers = {sending.subscriber for sending in sendings}
    profiles = await knowledge.profiles(subscribers)
    endpoints = await vault.active(subscribers)
    without = subscribers - endpoints.keys()
    items = {sending.item for sending in sendings if sending.item is not None}
    return Briefing(
        profiles=profiles,
        erased=await knowledge.erased(subscribers - profiles.keys()),
        endpoints=endpoints,
        known=endpoints.keys() | (await vault.known(without) if without else set()),
        contents=await knowledge.contents(
            {(sending.item, sending.revision) for sending in sendings if sending.item is not None}
        ),
        standings=await knowledge.standings(items),
        taken_at=taken_at,
    )
