"""Matches as they go out: in chunks, with ids that are the same when worked out again."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from kommunepuls_events import ContentItemV1, MatchV1, Recipient

CHUNK = 500


def match_id(item: ContentItemV1, shard: int, chunk: int) -> str:
    """Item, revision, shard and chunk."""
    return f"{item.id}#{item.revision}#{shard}#{chunk}"


def chunked(
    item: ContentItemV1, shard: int, recipients: Iterable[Recipient], now: datetime, *, size: int = CHUNK
) -> Iterator[MatchV1]:
    """The recipients, in the order given, in matches of at most ``size``; none if there are no recipients."""
    waiting = iter(recipients)
    chunk = 0
    while part := tuple(islice(waiting, size)):
        yield MatchV1(
            id=match_id(item, shard, chunk),
            item=item,
            shard=shard,
            chunk=chunk,
            recipients=part,
            matched_at=now,
        )
        chunk += 1
