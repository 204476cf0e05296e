"""What the service asks of its edges where more than one thing stands behind it."""

from collections.abc import Callable, Iterable
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


Carried = Callable[[Exception | None, Callable[[], None]], None]
"""Called once with None when a provider has taken a message, else with one of the errors of `Carrier.carry`.

Its second argument is to be called when what the provider said is dealt with: until then the message counts as
under way.
"""


class CrowdCarrier(Carrier, Protocol):
    """A carrier that a message to many can be handed to without waiting for each."""

    def begin(self, message: Message, deliveries: Iterable[tuple[Endpoint, Carried]], *, first: bool) -> None:
        """`carry` to each endpoint, with its `Carried` called from the event loop, perhaps at once, instead of returning.

        The very same message again costs less than an equal one.
        """

    def waiting(self, answered_within: float, *, first: bool) -> int:
        """How many messages, such as may pass the others or the others, wait for providers that answered within so many
        seconds."""


class Stock(Protocol):
    """Message keys made ahead, of which each is for one message."""

    @property
    def wanting(self) -> int:
        """How many are still to be made."""

    @property
    def full(self) -> bool:
        """Whether more would be kept in vain."""

    def __len__(self) -> int:
        """How many there are."""

    def offer(self, p256dh: bytes, auth: bytes) -> None:
        """Have one made for a subscription, unless there is one."""

    def work(self, seconds: float) -> None:
        """Throw away what is too old and make what is wanted, for about so long."""


class Catalogue(Protocol):
    """Our own words by language."""

    def words(self, language: str) -> Words:
        """The words in one of our languages."""
