"""What the service asks of its edges where more than one thing stands behind it."""

from typing import Protocol

from notifier.domain.language import Words
from notifier.domain.messages import Message
from notifier.records.vault import Endpoint


class Overloaded(Exception):
    """So much waits for that provider already, or it has asked for patience, that it was not asked."""

    def __init__(self, delay_seconds: float = 2.0) -> None:
        """`delay_seconds`: when to try it again."""
        super().__init__("not now")
        self.delay_seconds = delay_seconds


class Carrier(Protocol):
    """Brings a message to one endpoint: SMTP, web push, or what tests put in their place."""

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """Hand the message to the provider; returns when the provider has taken it.

        Args:
            first: whether it may pass those who wait (an emergency, a sign-in link).

        Raises:
            PermanentError: it will never be taken; reasons `hard-bounce` and `endpoint-gone` mean that
                the endpoint is of no use any more.
            ThrottledError: later, after the delay asked for.
            TransientError: later.
            Overloaded: it was not asked.
        """


class Catalogue(Protocol):
    """Our own words by language."""

    def words(self, language: str) -> Words:
        """The words in one of our languages."""
