"""CloudEvents 1.0 in Kafka's binary content mode.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2; W3C Trace Context level 1 for ``traceparent``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from kommunepuls_events.base import Message, utc_now
from kommunepuls_events.contacts import ContactCommandV1
from kommunepuls_events.content import ContentItemV1
from kommunepuls_events.deliveries import DeliveryV1
from kommunepuls_events.matches import MatchV1, MatchV2, OfferV1
from kommunepuls_events.profiles import SubscriberProfileV1
from kommunepuls_events.rules import ContentRulesV1
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.sources import SourceStatusV1

Headers = list[tuple[str, bytes]]

CONTRACTS: dict[str, type[Message]] = {
    "kommunepuls.content-item.v1": ContentItemV1,
    "kommunepuls.sensor-reading.v1": SensorReadingV1,
    "kommunepuls.subscriber-profile.v1": SubscriberProfileV1,
    "kommunepuls.offer.v1": OfferV1,
    "kommunepuls.match.v1": MatchV1,
    "kommunepuls.match.v2": MatchV2,
    "kommunepuls.delivery.v1": DeliveryV1,
    "kommunepuls.contact-command.v1": ContactCommandV1,
    "kommunepuls.source-status.v1": SourceStatusV1,
    "kommunepuls.content-rules.v1": ContentRulesV1,
}
"""Every versioned message by its ``ce_type``."""

_TYPES = {contract: name for name, contract in CONTRACTS.items()}


class MalformedEvent(Exception):
    """A Kafka record that is not an event of this contract. ``reason`` is a slug, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Event:
    """A message with its envelope. ``source`` + ``id`` is the identity for deduplication."""

    id: str
    source: str
    subject: str
    data: Message
    time: datetime = field(default_factory=utc_now)
    traceparent: str | None = None

    @property
    def type(self) -> str:
        """``ce_type``, version included."""
        return _TYPES[type(self.data)]

    def headers(self) -> Headers:
        """The envelope as Kafka headers."""
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", self.time.isoformat().encode()),
            ("ce_subject", self.subject.encode()),
            ("content-type", b"application/json"),
        ]
        if self.traceparent:
            headers.append(("traceparent", self.traceparent.encode()))
        return headers

    def value(self) -> bytes:
        """The message as Kafka value."""
        return self.data.to_json()

    @classmethod
    def decode(cls, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> "Event":
        """Read a record back; the last of repeated headers counts.

        Raises:
            MalformedEvent: with ``reason`` one of missing-header, unknown-type, bad-header,
                tombstone, invalid-json, invalid-message.
        """
        envelope = {name: raw for name, raw in headers if raw is not None}
        try:
            texts = {name: envelope[f"ce_{name}"].decode() for name in ("id", "source", "type", "subject")}
            time = datetime.fromisoformat(envelope["ce_time"].decode())
            traceparent = envelope["traceparent"].decode() if "traceparent" in envelope else None
        except KeyError as missing:
            raise MalformedEvent("missing-header", f"header {missing.args[0]} is missing") from None
        except ValueError as error:
            raise MalformedEvent("bad-header", str(error)) from None
        contract = CONTRACTS.get(texts["type"])
        if contract is None:
            raise MalformedEvent("unknown-type", f"no contract for ce_type {texts['type'][:80]!r}")
        if value is None:
            raise MalformedEvent("tombstone", "the record has no value")
        try:
            data = contract.model_validate_json(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = "invalid-json" if first["type"] == "json_invalid" else "invalid-message"
            raise MalformedEvent(reason, f"{where or 'value'}: {first['msg']}") from None
        return cls(texts["id"], texts["source"], texts["subject"], data, time, traceparent)


def event_for(
    data: Message, *, producer: str, traceparent: str | None = None, time: datetime | None = None
) -> Event:
    """The event that carries a message, with the deterministic id of its kind.

    Args:
        data: one of the versioned messages.
        producer: name of the publishing service; the source of events that belong to no content source.
        traceparent: W3C trace context to go on with.
        time: when it happened; now if not given.
    """
    match data:
        case ContentItemV1():
            identity = (f"{data.id}#{data.revision}", data.source, data.id)
        case SensorReadingV1():
            stamp = data.sequence if data.sequence is not None else data.observed_at.isoformat()
            identity = (
                f"{data.sensor}#{data.observed_property}#{stamp}#{data.observed_at.isoformat()}",
                data.source,
                data.sensor,
            )
        case SubscriberProfileV1():
            identity = (f"{data.subscriber}#{data.revision}", f"/{producer}", data.subscriber)
        case OfferV1():
            offered = data.item or data.reading
            subject = data.item.id if data.item else data.reading.sensor
            mark = data.item.revision if data.item else data.reading.observed_at.isoformat()
            identity = (f"{subject}#{mark}", offered.source, subject)
        case MatchV1() | MatchV2():
            identity = (data.id, f"/{producer}", data.item.id)
        case DeliveryV1():
            identity = (
                f"{data.subscriber}#{data.item}#{data.revision}#{data.channel}#{data.state}#{data.attempt}",
                f"/{producer}",
                data.subscriber,
            )
        case ContactCommandV1():
            identity = (data.id, f"/{producer}", data.subscriber)
        case SourceStatusV1():
            identity = (f"{data.source}#{data.at.isoformat()}", data.source, data.source)
        case ContentRulesV1():
            identity = (f"{data.municipality}#{data.revision}", f"/{producer}", data.municipality)
        case _:
            raise TypeError(f"{type(data).__name__} is not a message of the contract")
    return Event(*identity, data, time or utc_now(), traceparent)
