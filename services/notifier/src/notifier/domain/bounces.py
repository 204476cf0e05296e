"""What a returned mail means: for which address, about which of our mails, and what to do."""

from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.smtp_replies import Reply, Verdict, read_reply, verdict_on


class Effect(StrEnum):
    """What a returned mail does to an address."""

    HARD = "hard-bounce"
    """Never write to it again."""
    SOFT = "soft-bounce"
    """Count it; several within two weeks are as good as a hard one."""
    COMPLAINT = "complaint"
    """Whoever reads it does not want our mail: never write to it again."""
    NONE = "none"
    """It is nothing to act on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient of a delivery report (RFC 3464 section 2.3), or what its text says of one."""

    recipient: str
    action: str
    status: str | None
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """One outcome of a returned mail. `recipient` is a contact detail: it is compared, never kept."""

    effect: Effect
    detail: str
    recipient: str = ""
    original_message_id: str = ""


_COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list", "miscategorized"}
_TOLD_LATER = {"delayed", "relayed", "delivered", "expanded"}


def bounce_of(failure: Failure, original_message_id: str) -> Bounce:
    """What one reported recipient means."""
    if failure.action.lower() in _TOLD_LATER:
        return Bounce(Effect.NONE, failure.action.lower(), failure.recipient, original_message_id)
    reply: Reply = read_reply(failure.diagnostic, status=failure.status)
    verdict = verdict_on(reply)
    effect = Effect.HARD if verdict is Verdict.NO_SUCH_ADDRESS else Effect.SOFT
    return Bounce(effect, verdict, failure.recipient, original_message_id)


def complaint_of(feedback_type: str, recipient: str, original_message_id: str) -> Bounce:
    """What a feedback report (RFC 5965 section 3.1) means; authentication reports are no complaints."""
    kind = feedback_type.strip().lower()
    effect = Effect.COMPLAINT if kind in _COMPLAINTS else Effect.NONE
    return Bounce(effect, kind or "feedback", recipient, original_message_id)


SOFT_BOUNCES_THAT_COUNT = 5
SOFT_BOUNCE_DAYS = 14
