"""An organiser as the municipality's editor keeps it: a club, a society, a part of the municipality."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kommunepuls_events import Organiser

from gateway_api.domain.errors import Fault, Invalid

LONGEST_NAME = 80
LONGEST_ABOUT = 2_000
_LETTERS = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ä": "a", "ö": "o", "ð": "d", "þ": "th", "ß": "ss"})
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Club:
    """An organiser with a page of its own.

    Attributes:
        id: municipality and slug, stable: ``NO-9901/fjordvik-fotball``.
        about: who they are, in their own words (see :mod:`gateway_api.domain.organisers.texts`).
        link: their own site; empty for none.
        approved: whether it has a page and can be followed.
        asks: whether the editor looks at what it writes before residents see it.
        changed_at: None for one that only the town file names.
    """

    id: str
    municipality: str
    name: str
    about: str = ""
    link: str = ""
    approved: bool = True
    asks: bool = True
    changed_at: datetime | None = None

    @property
    def contract(self) -> Organiser:
        """As items name it."""
        return Organiser(id=self.id, name=self.name)

    def fields(self) -> dict[str, Any]:
        """The document fields."""
        return {
            "municipality": self.municipality,
            "name": self.name,
            "about": self.about,
            "link": self.link,
            "approved": self.approved,
            "asks": self.asks,
            "changed_at": self.changed_at,
        }

    @classmethod
    def of(cls, key: str, document: dict[str, Any]) -> "Club":
        """The organiser in a document."""
        return cls(id=key, **{name: document[name] for name in cls.__dataclass_fields__ if name != "id"})


def new_id(municipality: str, name: str) -> str:
    """The id of a new organiser, made of its name.

    Raises:
        Invalid: if nothing of the name can stand in an id.
    """
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    slug = _SLUG.sub("-", plain).strip("-")[:60].strip("-")
    if not slug:
        raise Invalid([Fault("/name", "write a name with letters")])
    return f"{municipality}/{slug}"


def checked(club: Club) -> Club:
    """The organiser, if it can be kept.

    Raises:
        Invalid: with each fault.
    """
    faults = []
    if not 2 <= len(club.name) <= LONGEST_NAME:
        faults.append(Fault("/name", f"has 2 to {LONGEST_NAME} characters"))
    if len(club.about) > LONGEST_ABOUT:
        faults.append(Fault("/about", f"has at most {LONGEST_ABOUT} characters"))
    if club.link and not is_link(club.link):
        faults.append(Fault("/link", "is an address such as https://www.example.no"))
    if faults:
        raise Invalid(faults)
    return club


def deed_of(before: Club, after: Club) -> str:
    """What a change of an organiser is called in the record: a slug, the weightiest first."""
    if before.approved != after.approved:
        return "organiser-approved" if after.approved else "organiser-closed"
    if before.asks != after.asks:
        return "organiser-asked" if after.asks else "organiser-trusted"
    return "organiser-changed"


_LINK = re.compile(r"https?://[^\s/?#@:<>\"']+(:\d{1,5})?([/?#][^\s<>\"']*)?", re.IGNORECASE)


def is_link(text: str) -> bool:
    """Whether it is the address of a web page that may be linked to."""
    return len(text) <= 500 and _LINK.fullmatch(text) is not None
