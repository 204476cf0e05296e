"""Web push (RFC 8030): encrypted for the browser, signed for the push service, bounded in time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import timedelta

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError

from notifier.adapters.gates import Gate, Gates
from notifier.adapters.key_stock import KeyStock
from notifier.adapters.push_encryption import encrypt
from notifier.adapters.push_wire import Answer, Wire
from notifier.adapters.vapid import VapidSigner
from notifier.domain.contacts import PushSubscription
from notifier.domain.identity import push_topic
from notifier.domain.messages import Message
from notifier.domain.push_payload import LARGEST_PLAIN_TEXT, push_payload
from notifier.ports import Carried, Catalogue, Overloaded
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock

_SMALL_PLAIN_TEXT = 1500
_MOST_PARCELS = 200
_PARCEL_SECONDS = 300.0
_PARCEL_TIME = timedelta(minutes=5)
"""Within which two messages are kept equally long by push services."""
_TAKEN = (200, 201, 202, 204)
_GONE = (404, 410)


class Parcel:
    """A message as all who read the same get it: its JSON, and the headers for each push service."""

    def __init__(self, message: Message, catalogue: Catalogue, signer: VapidSigner, clock: Clock) -> None:
        self.plain = push_payload(message, catalogue.words(message.language), largest=LARGEST_PLAIN_TEXT)
        self.made_at = time.monotonic()
        self._message = message
        self._catalogue = catalogue
        self._signer = signer
        self._clock = clock
        self._headers: dict[str, list[str]] = {}

    def shortened(self) -> bytes:
        """The JSON for a push service that takes less."""
        words = self._catalogue.words(self._message.language)
        return push_payload(self._message, words, largest=_SMALL_PLAIN_TEXT)

    def headers(self, origin: str) -> list[str]:
        """The lines for a push service; the very same list each time."""
        lines = self._headers.get(origin)
        if lines is None:
            message = self._message
            lines = self._headers[origin] = [
                f"TTL: {int(message.time_to_live.total_seconds())}",
                f"Urgency: {message.urgency}",
                f"Topic: {push_topic(message.topic)}",
                "Content-Encoding: aes128gcm",
                "Content-Type: application/octet-stream",
                f"Authorization: {self._signer.authorization(origin, self._clock.now())}",
                # What libcurl would add by itself.
                "Accept:",
                "User-Agent:",
            ]
        return lines


class PushCarrier:
    """Implements :class:`~notifier.ports.CrowdCarrier` for web push."""

    def __init__(
        self,
        wire: Wire,
        signer: VapidSigner,
        catalogue: Catalogue,
        gates: Gates,
        clock: Clock,
        *,
        allow_private: bool,
        stock: KeyStock | None = None,
    ) -> None:
        self._wire = wire
        self._signer = signer
        self._catalogue = catalogue
        self._gates = gates
        self._clock = clock
        self._allow_private = allow_private
        self._stock = KeyStock() if stock is None else stock
        self._parcels: OrderedDict[tuple, Parcel] = OrderedDict()
        self._latest: tuple[Message, Parcel] | None = None

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """See :meth:`~notifier.ports.Carrier.carry`."""
        said: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None, release: Callable[[], None]) -> None:
            release()
            if said.done():
                return
            if error is None:
                said.set_result(None)
            else:
                said.set_exception(error)

        self.begin(message, [(endpoint, done)], first=first)
        await said

    def begin(self, message: Message, deliveries: Iterable[tuple[Endpoint, Carried]], *, first: bool) -> None:
        """See :meth:`~notifier.ports.CrowdCarrier.begin`."""
        parcel, allow_private = self._parcel(message), self._allow_private
        origin, gate, beginning = "", None, ""
        for endpoint, done in deliveries:
            subscription: PushSubscription = endpoint.contact
            if not allow_private and not subscription.endpoint.startswith("https://"):
                done(PermanentError("the push endpoint is not https", reason="insecure-endpoint"), _nothing)
                continue
            # Most have the same push service as the one before.
            if gate is None or not subscription.endpoint.startswith(beginning):
                origin = subscription.origin
                gate, beginning = self._gates.gate(origin), f"{origin}/"
            gate.enter(_Posting(self, gate, parcel, subscription, origin, done), first=first)

    def waiting(self, answered_within: float, *, first: bool) -> int:
        """See :meth:`~notifier.ports.CrowdCarrier.waiting`."""
        return self._gates.queued(answered_within, first=first)

    def post(self, plain: bytes, posting: "_Posting") -> None:
        """Encrypt and ask; the posting hears what was said."""
        subscription = posting.subscription
        body = encrypt(plain, self._stock.take(subscription.p256dh, subscription.auth))
        self._wire.ask(subscription.endpoint, posting.parcel.headers(posting.origin), body, posting.answered)

    def _parcel(self, message: Message) -> Parcel:
        """Written once for all who read the same."""
        if self._latest is not None and self._latest[0] is message:
            return self._latest[1]
        key = (
            message.stories, message.kind, message.title, message.sender, message.language, message.topic,
            message.home_url, message.urgency, message.time_to_live // _PARCEL_TIME,
        )  # fmt: skip
        parcel = self._parcels.get(key)
        if parcel is None or parcel.made_at + _PARCEL_SECONDS < time.monotonic():
            parcel = self._parcels[key] = Parcel(message, self._catalogue, self._signer, self._clock)
            if len(self._parcels) > _MOST_PARCELS:
                self._parcels.popitem(last=False)
        self._latest = (message, parcel)
        return parcel


class _Posting:
    """One message on its way to one push service: waits at the gate, asks, and hears."""

    __slots__ = (
        "_began", "_carrier", "_done", "_error", "_gate", "_shortened", "origin", "parcel", "subscription",
    )  # fmt: skip
    given_up = False

    def __init__(
        self,
        carrier: PushCarrier,
        gate: Gate,
        parcel: Parcel,
        subscription: PushSubscription,
        origin: str,
        done: Carried,
    ) -> None:
        self.parcel = parcel
        self.subscription = subscription
        self.origin = origin
        self._carrier = carrier
        self._gate = gate
        self._done = done
        self._shortened = False

    def start(self) -> None:
        """Ask."""
        self._began = self._gate.clock()
        try:
            self._carrier.post(self.parcel.plain, self)
        except Exception as error:
            self._end(error)

    def refuse(self, error: Overloaded) -> None:
        """It was not asked."""
        self._done(error, _nothing)

    def answered(self, said: Answer | PermanentError | TransientError) -> None:
        """What the push service said. What is too large (413) is sent again, shortened."""
        if not isinstance(said, Answer):
            self._end(said)
        elif said.status in _TAKEN:
            self._end(None)
        elif said.status == 413 and not self._shortened:
            self._shortened = True
            self._carrier.post(self.parcel.shortened(), self)
        else:
            self._end(check_answer(said))

    def _end(self, error: Exception | None) -> None:
        self._error = error
        self._done(error, self._release)

    def _release(self) -> None:
        self._gate.leave(self._began, self._error)


def check_answer(said: Answer) -> PermanentError | ThrottledError | TransientError | None:
    """A push service's refusal as one of the chassis's errors (RFC 8030 sections 5 and 7.3); None if it took it.

    Redirects are refusals: an endpoint is where it is, and may not lead us elsewhere.
    """
    status = said.status
    if status in _TAKEN:
        return None
    text = f"the push service answers {status}"
    if status in _GONE:
        return PermanentError(text, reason="endpoint-gone")
    if status == 429 or (status == 503 and said.retry_after):
        return ThrottledError(text, delay_seconds=max(said.retry_after or 60.0, 1.0))
    if status >= 500 or status == 408:
        return TransientError(text, reason=f"http-{status}")
    if status == 413:
        return PermanentError(text, reason="too-large")
    if status in (401, 403):
        return PermanentError(text, reason="vapid-refused")
    return PermanentError(text, reason=f"http-{status}")


def _nothing() -> None:
    """Nothing is under way."""
