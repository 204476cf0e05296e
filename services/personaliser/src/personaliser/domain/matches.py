"""Matches as they go out: in chunks, with ids that are the same when worked out again."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from kommunepuls_events import ContentItemV1, MatchV2, RecipientGroup
from kommunepuls_matching.sharing import Group

CHUNK = 1000
"""Most recipients of a chunk."""
GROUPS = 500
"""Most groups of a chunk: where nearly everybody has reasons of their own, a chunk stays below Kafka's limit."""


def match_id(item: ContentItemV1, shard: int, chunk: int) -> str:
    """Item, revision, shard and chunk."""
    return f"{item.id}#{item.revision}#{shard}#{chunk}"


def chunked(
    item: ContentItemV1,
    shard: int,
    groups: Iterable[Group],
    now: datetime,
    *,
    size: int = CHUNK,
    most_groups: int = GROUPS,
) -> Iterator[MatchV2]:
    """The groups, in the order given, in matches of at most ``size`` recipients; none if there are no recipients."""
    for chunk, part in enumerate(_parts(groups, size, most_groups)):
        reasons = {id(reason): reason for group in part for reason in group.reasons}
        number_of = {one: number for number, one in enumerate(reasons)}
        told = []
        for group in part:
            because = [number_of[id(reason)] for reason in group.reasons]
            told.append(
                RecipientGroup(
                    because=because,
                    subscribers=group.subscribers,
                    distances_metres=group.distances or None,
                )
            )
        yield MatchV2(
            id=match_id(item, shard, chunk),
            item=item,
            shard=shard,
            chunk=chunk,
            reasons=tuple(reasons.values()),
            groups=told,
            matched_at=now,
        )


def _parts(groups: Iterable[Group], size: int, most_groups: int) -> Iterator[list[Group]]:
    part: list[Group] = []
    room = size
    for group in groups:
        begin, count = 0, len(group.subscribers)
        while begin < count:
            end = min(count, begin + room)
            part.append(group if end - begin == count else _section(group, begin, end))
            room -= end - begin
            begin = end
            if not room or len(part) == most_groups:
                yield part
                part, room = [], size
    if part:
        yield part


def _section(group: Group, begin: int, end: int) -> Group:
    each = len(group.distances) // len(group.subscribers)
    return Group(group.reasons, group.subscribers[begin:end], group.distances[begin * each : end * each])
