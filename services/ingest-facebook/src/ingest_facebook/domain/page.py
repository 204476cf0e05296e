"""The page that posts and events come from, as far as an item needs to know it."""

from dataclasses import dataclass

from kommunepuls_chassis.town import Town
from kommunepuls_events import Organiser

from ingest_facebook.domain.configuration import GraphSourceConfig
from ingest_facebook.domain.language import language_of
from ingest_facebook.domain.places import Places, Whereabouts
from ingest_facebook.domain.rules import Content, Rule, content_of


@dataclass(frozen=True, slots=True)
class Page:
    """One source of one town."""

    municipality: str
    source: str
    organiser: Organiser
    interests: tuple[str, ...]
    areas: tuple[str, ...]
    language: str | None
    """The language of all its texts if the town file says so, else None: each text's own is found out."""
    usual_language: str
    timezone: str
    rules: tuple[Rule, ...]
    places: Places

    def language_of(self, text: str) -> str:
        """The language of a text of this page."""
        return self.language or language_of(text, self.usual_language)

    def content_of(self, text: str) -> Content:
        """What the rules say of a text of this page."""
        return content_of(text, self.rules, self.interests)

    def areas_of(self, found: Whereabouts) -> tuple[str, ...]:
        """The areas that were found, else those the page is for."""
        return found.areas or (() if found.geometry else self.areas)


def page_of(town: Town, config: GraphSourceConfig, shipped: tuple[Rule, ...], places: Places) -> Page:
    """The page of a source."""
    return Page(
        municipality=town.code,
        source=town.source_id(config),
        organiser=town.organiser_of(config),
        interests=config.interests,
        areas=config.areas,
        language=config.language,
        usual_language=town.language,
        timezone=town.timezone,
        rules=(*config.rules, *(shipped if config.shipped_rules else ())),
        places=places,
    )
