"""Headers of dead letters and rejects: reason, origin, attempt; the value is the bytes as they came."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kommunepuls_events.base import utc_now
from kommunepuls_events.event import Headers, MalformedEvent

PREFIX = "dl_"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Why a record could not be taken, and where it came from.

    Attributes:
        reason: slug: invalid-json, missing-header, bad-signature, unknown-area…
        detail: one sentence for an operator; never a contact detail.
        service: who could not take it.
        attempts: how often it was tried.
        at: when it was given up.
        topic, partition, offset: origin of a Kafka record; empty and -1 for a reject of an upstream.
        source: id of the source of a reject; empty for a Kafka record.
        entry: how the service takes it in again (webhook, item, file…); empty for a Kafka record.
    """

    reason: str
    detail: str
    service: str
    attempts: int = 1
    at: datetime | None = None
    topic: str = ""
    partition: int = -1
    offset: int = -1
    source: str = ""
    entry: str = ""

    def headers(self, original: Iterable[tuple[str, bytes | None]] = ()) -> Headers:
        """The original headers with ours added; those of an earlier dead letter are replaced."""
        kept = [(name, raw or b"") for name, raw in original if not name.startswith(PREFIX)]
        ours = {
            "reason": self.reason,
            "detail": self.detail[:1000],
            "service": self.service,
            "attempts": str(self.attempts),
            "at": (self.at or utc_now()).isoformat(),
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.offset),
            "source": self.source,
            "entry": self.entry,
        }
        return kept + [(PREFIX + name, text.encode()) for name, text in ours.items()]

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes | None]]) -> "DeadLetter":
        """Read it back.

        Raises:
            MalformedEvent: if the headers are not those of a dead letter.
        """
        texts = {
            name.removeprefix(PREFIX): (raw or b"").decode(errors="replace")
            for name, raw in headers
            if name.startswith(PREFIX)
        }
        try:
            return cls(
                reason=texts["reason"],
                detail=texts["detail"],
                service=texts["service"],
                attempts=int(texts["attempts"]),
                at=datetime.fromisoformat(texts["at"]),
                topic=texts["topic"],
                partition=int(texts["partition"]),
                offset=int(texts["offset"]),
                source=texts["source"],
                entry=texts["entry"],
            )
        except (KeyError, ValueError) as error:
            raise MalformedEvent("bad-header", f"not a dead letter: {error}") from None


def original_headers(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    """The headers as they were before the record became a dead letter, for a replay."""
    return [(name, raw or b"") for name, raw in headers if not name.startswith(PREFIX)]
