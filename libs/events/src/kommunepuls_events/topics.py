"""The topic registry: one row a topic. Topics, ACLs, AsyncAPI and docs are generated from it."""

from collections.abc import Callable
from dataclasses import dataclass

from kommunepuls_events.base import Message
from kommunepuls_events.contacts import ContactCommandV1
from kommunepuls_events.content import ContentItemV1
from kommunepuls_events.deliveries import DeliveryV1
from kommunepuls_events.matches import MatchV1, MatchV2, OfferV1
from kommunepuls_events.profiles import SubscriberProfileV1
from kommunepuls_events.rules import ContentRulesV1
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.sources import SourceStatusV1

DAY = 24 * 60 * 60
INGEST = ("ingest-facebook", "ingest-permits", "ingest-feeds", "sensor-gateway")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: with its version.
        contract: the message it carries; None where raw bytes are kept (rejects, replays, dead letters).
        key: what the records are keyed by, in words.
        key_of: the key of a message; None where the producer chooses.
        partitions: how many to create; profiles.v1 and offers.v1 must agree.
        retention_seconds: None for a compacted topic.
        producers, consumers: service names; ``*`` stands for a neighbour's ingest service.
        dead_letters: whether records that a consumer cannot take go to ``<name>.dead``.
        purpose: one sentence.
    """

    name: str
    contract: type[Message] | None
    key: str
    key_of: Callable[[Message], str] | None
    partitions: int
    retention_seconds: int | None
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    dead_letters: bool
    purpose: str
    max_message_bytes: int = 1_048_576

    @property
    def compacted(self) -> bool:
        """Whether Kafka keeps the last record of each key for good."""
        return self.retention_seconds is None

    @property
    def dead_letter_topic(self) -> str | None:
        """Where records go that a consumer could not take."""
        return f"{self.name}.dead" if self.dead_letters else None

    @property
    def config(self) -> dict[str, str]:
        """Kafka's own topic settings."""
        config = {"max.message.bytes": str(self.max_message_bytes)}
        if self.retention_seconds is None:
            # A tombstone is compacted within a day, so that an erasure is complete in Kafka by then.
            return config | {
                "cleanup.policy": "compact",
                "max.compaction.lag.ms": str(DAY * 1000),
                "delete.retention.ms": str(DAY * 1000),
                "segment.ms": str(DAY * 1000 // 4),
            }
        return config | {"cleanup.policy": "delete", "retention.ms": str(self.retention_seconds * 1000)}


CONTENT = Topic(
    "content.v1", ContentItemV1, "item id", lambda item: item.id, 6, 90 * DAY,
    (*INGEST, "gateway-api", "*"), ("personaliser", "notifier", "gateway-api"), True,
    "Every revision of every content item.",
)  # fmt: skip
SENSOR_READINGS = Topic(
    "sensor-readings.v1", SensorReadingV1, "sensor id", lambda reading: reading.sensor, 6, 14 * DAY,
    ("sensor-gateway", "*"), ("personaliser", "gateway-api"), True,
    "Every reading of every sensor, with its quality.",
)  # fmt: skip
PROFILES = Topic(
    "profiles.v1", SubscriberProfileV1, "subscriber id", lambda profile: profile.subscriber, 6, None,
    ("gateway-api",), ("personaliser", "notifier"), True,
    "What each subscriber chose; the last record of a subscriber counts, a tombstone erases.",
)  # fmt: skip
OFFERS = Topic(
    "offers.v1", OfferV1, "partition of profiles.v1, chosen by the producer", None, 6, 1 * DAY,
    ("personaliser",), ("personaliser",), True,
    "An item or reading as offered to each shard of subscribers; the personaliser's own.",
)  # fmt: skip
MATCHES = Topic(
    "matches.v2", MatchV2, "item id", lambda match: match.item.id, 6, 30 * DAY,
    ("personaliser",), ("notifier", "gateway-api"), True,
    "Chunks of the residents whom an item concerns, grouped by the reasons they share.",
)  # fmt: skip
MATCHES_V1 = Topic(
    "matches.v1", MatchV1, "item id", lambda match: match.item.id, 6, 30 * DAY,
    ("personaliser",), ("notifier", "gateway-api"), True,
    "What personalisers wrote before matches.v2; read until nothing is left of it (ADR-0012).",
)  # fmt: skip
DELIVERIES = Topic(
    "deliveries.v1", DeliveryV1, "subscriber id", lambda delivery: delivery.subscriber, 6, 90 * DAY,
    ("notifier",), ("gateway-api",), True,
    "What became of each message to each resident.",
)  # fmt: skip
CONTACT_COMMANDS = Topic(
    "contact-commands.v1", ContactCommandV1, "subscriber id", lambda command: command.subscriber, 6, 7 * DAY,
    ("gateway-api",), ("notifier",), True,
    "Contact endpoints on their way to the notifier, sealed for it alone.",
)  # fmt: skip
SOURCE_STATUS = Topic(
    "source-status.v1", SourceStatusV1, "source id", lambda status: status.source, 1, None,
    (*INGEST, "*"), ("gateway-api",), True,
    "How each source is doing.",
)  # fmt: skip
REJECTS = Topic(
    "rejects.v1", None, "source id", None, 3, 30 * DAY,
    (*INGEST, "*"), ("gateway-api",), False,
    "What an upstream sent and we could not take: the bytes as they came, the reason in the headers.",
    max_message_bytes=6_291_456,
)  # fmt: skip
REPLAYS = Topic(
    "replays.v1", None, "source id", None, 3, 7 * DAY,
    ("gateway-api",), INGEST, False,
    "Rejects that an operator sends back to the service that refused them.",
    max_message_bytes=6_291_456,
)  # fmt: skip
CONTENT_RULES = Topic(
    "content-rules.v1", ContentRulesV1, "municipality code", lambda rules: rules.municipality, 1, None,
    ("gateway-api",), (*INGEST, "*"), False,
    "The rules by which a municipality's items are changed or dropped before they are published.",
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (
    CONTENT,
    SENSOR_READINGS,
    PROFILES,
    OFFERS,
    MATCHES,
    MATCHES_V1,
    DELIVERIES,
    CONTACT_COMMANDS,
    SOURCE_STATUS,
    REJECTS,
    REPLAYS,
    CONTENT_RULES,
)
"""Every topic but the dead-letter topics, which follow from their rows."""

_BY_CONTRACT = {topic.contract: topic for topic in TOPICS if topic.contract}


def topic_for(message: Message | type[Message]) -> Topic:
    """The topic that carries a message."""
    return _BY_CONTRACT[message if isinstance(message, type) else type(message)]


def dead_letter_topics() -> tuple[Topic, ...]:
    """A row for each dead-letter topic: raw bytes, kept 30 days, read by the gateway for operators."""
    return tuple(
        Topic(
            f"{topic.name}.dead",
            None,
            f"as in {topic.name}",
            None,
            1,
            30 * DAY,
            topic.consumers,
            ("gateway-api",),
            False,
            f"Records of {topic.name} that a consumer could not take, with the reason in the headers.",
            max_message_bytes=topic.max_message_bytes + 65_536,
        )
        for topic in TOPICS
        if topic.dead_letters
    )
