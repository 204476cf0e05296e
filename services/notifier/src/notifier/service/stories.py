"""Stories written once for all who read the same words, instead of once for each."""

from collections import OrderedDict
from collections.abc import Hashable

from kommunepuls_events import ContentItemV1
from kommunepuls_events.vocabulary import ReasonType

from notifier.domain.composing import Reader, story_without_reasons, with_reasons
from notifier.domain.labels import Labels
from notifier.domain.messages import Story
from notifier.domain.sendings import Sending

_MOST_KEPT = 2000
_PERSONAL = (ReasonType.PLACE, ReasonType.SENSOR)
"""Reasons whose words hold something of the resident's own: they are not kept."""


class Stories:
    """Keeps the stories of the last items by language, time zone and reasons."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Story] = OrderedDict()
        self._labels: Labels | None = None

    def of(self, item: ContentItemV1, sending: Sending, reader: Reader) -> Story:
        """The item as this resident reads it; the very same object for others who read the same."""
        if reader.labels is not self._labels:
            self._kept.clear()
            self._labels = reader.labels
        common = (
            item.id, item.revision, reader.words.language, reader.profile.timezone, sending.follow_up,
        )  # fmt: skip
        story = self._kept.get(common)
        if story is None:
            story = self._keep(common, story_without_reasons(item, sending.follow_up, reader))
        if any(reason.type in _PERSONAL for reason in sending.reasons):
            return with_reasons(story, sending.reasons, item, reader)
        for_reasons = (common, sending.reasons)
        told = self._kept.get(for_reasons)
        if told is None:
            told = self._keep(for_reasons, with_reasons(story, sending.reasons, item, reader))
        return told

    def _keep(self, key: Hashable, story: Story) -> Story:
        self._kept[key] = story
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return story
