"""What a town file says of a feed."""

from typing import Annotated

from kommunepuls_chassis.town import SourceConfig
from kommunepuls_events import Kind
from kommunepuls_events.base import Slug
from pydantic import Field, StringConstraints

WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]


class FeedSource(SourceConfig):
    """What all feeds have."""

    url: WebAddress
    area_words: dict[str, str] = Field(
        default_factory=dict, description="words in the text and the id of the area that they name"
    )


class RssSource(FeedSource):
    """RSS 2.0, RSS 1.0 or Atom (``type: rss``)."""

    kind: Kind = Kind.NOTICE
    categories: dict[str, tuple[Slug, ...]] = Field(
        default_factory=dict, description="the feed's category and the interests that it stands for"
    )


class CalendarSource(FeedSource):
    """An iCalendar file (``type: ical``)."""

    categories: dict[str, tuple[Slug, ...]] = Field(default_factory=dict)
    days_ahead: int = Field(default=120, ge=1, le=730, description="events that begin later are left out")
    withdraw_missing: bool = Field(
        default=True, description="a coming event that is no longer in the calendar was cancelled"
    )


class WarningSource(FeedSource):
    """CAP 1.2 (``type: cap``): one alert, an RSS or Atom list of alerts, or JSON with ``alerts``."""

    geocodes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="CAP geocode value and the ids of the areas that it stands for"
    )


SOURCE_TYPES: dict[str, type[FeedSource]] = {"rss": RssSource, "ical": CalendarSource, "cap": WarningSource}
