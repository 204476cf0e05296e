"""Reads an answer as it is told."""

from itertools import pairwise

from kommunepuls_events import Reason
from kommunepuls_matching.index import Answer


def told(answer: Answer) -> dict[str, tuple[Reason, ...]]:
    """Everybody with the reasons: in groups that are in order, and nobody in two of them."""
    groups = answer.groups()
    assert all(list(group.subscribers) == sorted(group.subscribers) for group in groups)
    said = [[reason.model_dump_json(exclude_none=True) for reason in group.reasons] for group in groups]
    assert said == sorted(said)
    assert all(one != following for one, following in pairwise(said)), "one for all who share"
    found = [one for group in groups for one in group.each()]
    assert len({subscriber for subscriber, _ in found}) == len(found) == len(answer)
    return dict(found)
