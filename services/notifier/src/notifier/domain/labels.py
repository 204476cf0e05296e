"""Names that residents know for the ids on the topics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kommunepuls_events.interests import INTERESTS, name_of


@dataclass(frozen=True, slots=True)
class Labels:
    """Names from the town files.

    Attributes:
        municipalities: name by code.
        areas: by area id, the name by language; "" is the name everybody uses.
        interests: a town's own, by municipality and slug, the name by language.
    """

    municipalities: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    interests: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def municipality(self, code: str) -> str:
        """The municipality's name; its code if no town file tells."""
        return self.municipalities.get(code, code)

    def area(self, area: str, language: str) -> str:
        """An area's name; what its id ends in if no town file tells."""
        names = self.areas.get(area)
        if names is not None:
            return names.get(language) or names[""]
        return self.municipalities.get(area) or area.rpartition("/")[2].replace("-", " ").capitalize()

    def interest(self, slug: str, municipality: str, language: str) -> str:
        """An interest's name."""
        if slug not in INTERESTS and (names := self.interests.get((municipality, slug))):
            return names.get(language) or names["nb"]
        return name_of(slug, language)
