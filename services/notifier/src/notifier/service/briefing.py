"""What must be known to deliver a batch of sendings, read from the store in one go."""

import asyncio
from collections.abc import Mapping, Sequence, Set
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
    known: Set[str]
    contents: Mapping[tuple[str, int], ContentItemV1]
    standings: Mapping[str, Standing]
    taken_at: float

    def content(self, sending: Sending) -> ContentItemV1 | None:
        """What a sending is about, in the newest wording; what happened to it is what its own revision says."""
        item, revision = sending.item or "", sending.revision or 0
        own = self.contents.get((item, revision))
        standing = self.standings.get(item)
        if own is None or standing is None:
            return own
        newest = self.contents.get((item, standing.wording_of(revision)), own)
        return own if newest is own else newest.model_copy(update={"lifecycle": own.lifecycle})

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
    if without := subscribers - endpoints.keys():
        # Who registers between the two reads is known with the endpoint, and not as somebody who has none.
        endpoints |= await vault.known(without)
    revisions = {(one.item, one.revision) for one in sendings if one.item is not None}
    standings = await knowledge.standings({item for item, _ in revisions})
    newest = {
        (item, standings[item].wording_of(revision)) for item, revision in revisions if item in standings
    }
    return Briefing(
        profiles=profiles,
        erased=await knowledge.erased(subscribers - profiles.keys()),
        endpoints=endpoints,
        known=endpoints.keys(),
        contents=await knowledge.contents(revisions | newest),
        standings=standings,
        taken_at=taken_at,
    )
