"""The closed word lists of the contract. Adding a word is a new minor version, removing one is breaking."""

from enum import StrEnum


class Kind(StrEnum):
    """What sort of thing an item tells."""

    NOTICE = "notice"
    PERMIT = "permit"
    EVENT = "event"
    CONDITION = "condition"
    """The state of a place now: ploughed, closed, 20 °C in the water."""
    ALERT = "alert"
    VOLUNTEER_NEED = "volunteer-need"
    POLL = "poll"


class Severity(StrEnum):
    """CAP 1.2 section 3.2.2, ``severity``; ordered by :attr:`rank`."""

    UNKNOWN = "unknown"
    MINOR = "minor"
    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        """0 (unknown) to 4 (extreme)."""
        return _RANKS[self._value_]


_RANKS = {severity.value: rank for rank, severity in enumerate(Severity)}


class LifecycleState(StrEnum):
    """Where an item stands with this revision."""

    PUBLISHED = "published"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"


class Quality(StrEnum):
    """How far a reading can be trusted; the flags beside it say why."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"


class Direction(StrEnum):
    """Which way a value passes a threshold."""

    RISING = "rising"
    FALLING = "falling"


class Channel(StrEnum):
    """How a message reaches a person."""

    EMAIL = "email"
    PUSH = "push"


class Cadence(StrEnum):
    """How often a resident wants to hear; emergencies do not wait for it."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"


class ReasonType(StrEnum):
    """Why an item reached a resident."""

    AREA = "area"
    PLACE = "place"
    INTEREST = "interest"
    ORGANISER = "organiser"
    SENSOR = "sensor"
    EMERGENCY = "emergency"
    FOLLOW_UP = "follow-up"
    """What they were told before was changed or withdrawn."""


class DeliveryState(StrEnum):
    """What became of a message to one person on one channel."""

    SENT = "sent"
    HELD = "held"
    DIGESTED = "digested"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class Permanence(StrEnum):
    """Whether trying again can help a failed delivery."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"


class ContactAction(StrEnum):
    """What the notifier is asked to do with a contact endpoint."""

    REGISTER = "register"
    """Keep the sealed endpoint and use it from now on."""
    RETIRE = "retire"
    """Forget one endpoint."""
    SEND_LINK = "send-link"
    """Mail the sealed sign-in link to the sealed address; keep nothing."""
    SEND_TEST = "send-test"
    """Send a test notification to one kept endpoint."""
    ERASE = "erase"
    """Forget everything kept for the subscriber."""
