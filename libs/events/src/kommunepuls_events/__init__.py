"""The contract of Kommunepuls: messages, topics and schemas.

A neighbouring municipality needs this package (which depends on pydantic alone) and a Kafka
client to take part. Start with :class:`ContentItemV1`, :class:`Event` and :data:`TOPICS`.
"""

from kommunepuls_events.contacts import ContactCommandV1
from kommunepuls_events.content import (
    Change,
    ContentItemV1,
    Lifecycle,
    Link,
    Organiser,
    Picture,
    RuleTrace,
    Translation,
    item_id,
)
from kommunepuls_events.deliveries import DeliveryV1
from kommunepuls_events.event import CONTRACTS, Event, MalformedEvent, event_for
from kommunepuls_events.geometry import Geometry, Point
from kommunepuls_events.matches import (
    Match,
    MatchV1,
    MatchV2,
    OfferV1,
    Reason,
    Recipient,
    RecipientGroup,
)
from kommunepuls_events.profiles import (
    Muted,
    Place,
    QuietHours,
    SensorThreshold,
    SubscriberProfileV1,
)
from kommunepuls_events.rules import (
    ContentRule,
    ContentRulesV1,
    Judged,
    RuleCondition,
    RuleEffect,
    as_sent,
    judge,
)
from kommunepuls_events.sensors import SensorReadingV1
from kommunepuls_events.sources import SourceStatusV1
from kommunepuls_events.topics import TOPICS, Topic, topic_for
from kommunepuls_events.vocabulary import (
    Cadence,
    Channel,
    ContactAction,
    DeliveryState,
    Direction,
    Kind,
    LifecycleState,
    Permanence,
    Quality,
    ReasonType,
    Severity,
)

__all__ = [
    "CONTRACTS",
    "TOPICS",
    "Cadence",
    "Change",
    "Channel",
    "ContactAction",
    "ContactCommandV1",
    "ContentItemV1",
    "ContentRule",
    "ContentRulesV1",
    "DeliveryState",
    "DeliveryV1",
    "Direction",
    "Event",
    "Geometry",
    "Judged",
    "Kind",
    "Lifecycle",
    "LifecycleState",
    "Link",
    "MalformedEvent",
    "Match",
    "MatchV1",
    "MatchV2",
    "Muted",
    "OfferV1",
    "Organiser",
    "Permanence",
    "Picture",
    "Place",
    "Point",
    "Quality",
    "QuietHours",
    "Reason",
    "ReasonType",
    "Recipient",
    "RecipientGroup",
    "RuleCondition",
    "RuleEffect",
    "RuleTrace",
    "SensorReadingV1",
    "SensorThreshold",
    "Severity",
    "SourceStatusV1",
    "SubscriberProfileV1",
    "Topic",
    "Translation",
    "as_sent",
    "event_for",
    "item_id",
    "judge",
    "topic_for",
]
