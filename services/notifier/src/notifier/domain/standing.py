"""Where an item stands: the newest revision residents were told of, and whether it was taken back."""

from dataclasses import dataclass
from datetime import datetime

from kommunepuls_events import ContentItemV1, LifecycleState


@dataclass(frozen=True, slots=True)
class Standing:
    """What content.v1 has said of an item so far.

    Attributes:
        revision: the newest seen.
        announced: the newest that is news to a reader; 0 if none is yet.
        withdrawn: whether the newest announced one takes the item back.
    """

    revision: int
    announced: int
    withdrawn: bool

    def allows(self, revision: int) -> str | None:
        """None if that revision may be told; else why not: `withdrawn` or `superseded`."""
        if revision >= self.announced:
            return None
        return "withdrawn" if self.withdrawn else "superseded"

    def wording_of(self, revision: int) -> int:
        """The revision whose texts tell that one best: the newest, unless that is news of its own."""
        return max(revision, self.revision) if revision >= self.announced else revision


def standing_after(before: Standing | None, item: ContentItemV1) -> Standing | None:
    """The standing with this revision taken in; None if it was seen already."""
    if before is not None and item.revision <= before.revision:
        return None
    if item.announced:
        return Standing(item.revision, item.revision, item.withdrawn)
    return Standing(item.revision, before.announced if before else 0, before.withdrawn if before else False)


def calls_for_follow_up(item: ContentItemV1) -> bool:
    """Whether those who were told of an earlier revision are to hear of this one."""
    return (
        item.announced
        and not item.exercise
        and item.revision > 1
        and item.lifecycle.state in (LifecycleState.UPDATED, LifecycleState.WITHDRAWN)
    )


def over_at(item: ContentItemV1, moment: datetime) -> bool:
    """Whether what an item tells of has passed by then."""
    return any(end is not None and end < moment for end in (item.valid_until, item.ends_at))


def says_it_is_over(item: ContentItemV1) -> bool:
    """Whether this revision itself tells that it is over: that was so when it was seen."""
    return item.lifecycle.state is LifecycleState.UPDATED and over_at(item, item.observed_at)
