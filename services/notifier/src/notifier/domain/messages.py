"""What a resident reads, before it becomes a mail or a push message."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from notifier.domain.sendings import Kind


class Urgency(StrEnum):
    """RFC 8030 section 5.3."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Story:
    """One item as one resident reads it.

    Attributes:
        mark: `Corrected`, `Withdrawn` or the like in the resident's language; empty for the first news.
        facts: what, in words: (`When`, `tirsdag 24. november kl. 18:00`), (`Where`, …).
        changes: a sentence a change.
        reasons: clauses that complete 'You get this because …'.
        links: (title, address) of the sources' own pages.
    """

    item: str
    revision: int
    mark: str
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    reasons: tuple[str, ...]
    url: str
    links: tuple[tuple[str, str], ...]
    severity: str
    emergency: bool
    withdrawn: bool

    @property
    def heading(self) -> str:
        """Mark and title."""
        return f"{self.mark}: {self.title}" if self.mark else self.title


@dataclass(frozen=True, slots=True)
class Section:
    """What a digest tells of one subject: stories in full, and others by their titles."""

    heading: str
    stories: tuple[Story, ...]
    titles: tuple[Story, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person.

    Attributes:
        key: of the sending; Message-ID follows from it.
        topic: what a later push message about the same takes the place of.
        sender: name of the municipality.
        title: one line of plain text, no line breaks.
        time_to_live: how long a push service should keep it.
        stories: the most important first.
        heading: of a digest: how many items, from where.
        preface: of a digest: the day, and why it comes.
        sections: of a digest: its stories by subject, shortened.
        left_out: how many of its stories no section holds.
        rhythm: of a digest: what the resident chose, in words.
        link: of a sign-in mail.
        letter: of a sign-in mail to the municipality's staff: staff-link or staff-invitation.
        unsubscribe_url: takes RFC 8058 one-click requests; None for what was asked for just now.
    """

    key: str
    kind: Kind
    language: str
    sender: str
    title: str
    topic: str
    urgency: Urgency
    time_to_live: timedelta
    stories: tuple[Story, ...] = ()
    heading: str = ""
    preface: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    left_out: int = 0
    rhythm: str = ""
    link: str | None = None
    letter: str = ""
    home_url: str = ""
    settings_url: str = ""
    unsubscribe_url: str | None = None
