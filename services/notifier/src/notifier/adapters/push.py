"""Web push (RFC 8030): encrypted for the browser, signed for the push service, bounded in time."""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import certifi
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.public_addresses import PrivateAddress, public_socket
from kommunepuls_chassis.web import retry_after
from yarl import URL

from notifier.adapters.gates import Gates
from notifier.adapters.push_encryption import encrypt
from notifier.adapters.vapid import VapidSigner
from notifier.domain.contacts import PushSubscription
from notifier.domain.identity import push_topic
from notifier.domain.messages import Message
from notifier.domain.push_payload import LARGEST_PLAIN_TEXT, push_payload
from notifier.ports import Catalogue
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock

_SMALL_PLAIN_TEXT = 1500
_MOST_PAYLOADS = 200
_MOST_LOST = 2
"""Kept connections that may turn out to be closed before a message is put off."""
_LONGEST_ANSWER = 65_536
_TAKEN = (200, 201, 202, 204)
_GONE = (404, 410)


class PushCarrier:
    """Implements :class:`~notifier.ports.Carrier` for web push."""

    def __init__(
        self,
        pool: aiohttp.ClientSession,
        signer: VapidSigner,
        catalogue: Catalogue,
        gates: Gates,
        clock: Clock,
        *,
        allow_private: bool,
        timeout_seconds: float,
    ) -> None:
        self._pool = pool
        self._signer = signer
        self._catalogue = catalogue
        self._gates = gates
        self._clock = clock
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._payloads: OrderedDict[tuple, bytes] = OrderedDict()

    async def carry(self, message: Message, endpoint: Endpoint, *, first: bool) -> None:
        """See :meth:`~notifier.ports.Carrier.carry`. What is too large (413) is sent again, shortened."""
        subscription = endpoint.contact
        if not self._allow_private and not subscription.endpoint.startswith("https://"):
            raise PermanentError("the push endpoint is not https", reason="insecure-endpoint")
        async with self._gates.through(subscription.origin, first=first):
            status, headers = await self._post(message, subscription, LARGEST_PLAIN_TEXT)
            if status == 413:
                status, headers = await self._post(message, subscription, _SMALL_PLAIN_TEXT)
            check_answer(status, headers)

    async def _post(
        self, message: Message, subscription: PushSubscription, largest: int
    ) -> tuple[int, Mapping[str, str]]:
        plain = self._payload(message, largest)
        headers = {
            "TTL": str(int(message.time_to_live.total_seconds())),
            "Urgency": str(message.urgency),
            "Topic": push_topic(message.topic),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._signer.authorization(subscription.origin, self._clock.now()),
        }
        body = encrypt(plain, subscription.p256dh, subscription.auth)
        try:
            return await self._ask(subscription, headers, body)
        except TimeoutError:
            raise TransientError("the push service did not answer in time", reason="timeout") from None
        except aiohttp.ClientError as error:
            if isinstance(getattr(error, "os_error", None), PrivateAddress):
                raise PermanentError(
                    "the push endpoint is not at a public address", reason="private-address"
                ) from None
            if isinstance(error, aiohttp.InvalidURL):
                raise PermanentError("the push endpoint is no address", reason="bad-contact") from None
            raise TransientError(
                f"the push service cannot be reached: {type(error).__name__}", reason="unreachable"
            ) from None

    async def _ask(
        self, subscription: PushSubscription, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str]]:
        """Ask, again when a kept connection turns out to be closed: that says nothing about the push service.

        Should it have taken the message before, it replaces it by this one, which has the same Topic.
        """
        for _ in range(_MOST_LOST):
            try:
                return await self._ask_once(subscription, headers, body)
            except (aiohttp.ClientConnectorError, TimeoutError):
                raise
            except aiohttp.ClientConnectionError:
                continue
        return await self._ask_once(subscription, headers, body)

    async def _ask_once(
        self, subscription: PushSubscription, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str]]:
        async with self._pool.post(
            # As it was registered: another spelling may be another subscription.
            URL(subscription.endpoint, encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=self._timeout,
        ) as response:
            # Read so that the connection can be used again; closed if somebody sends without end.
            await response.content.read(_LONGEST_ANSWER)
            return response.status, {name.lower(): value for name, value in response.headers.items()}

    def _payload(self, message: Message, largest: int) -> bytes:
        """The JSON, written once for all who read the same."""
        key = (
            message.stories, message.kind, message.title, message.sender, message.language, message.topic,
            message.home_url, largest,
        )  # fmt: skip
        plain = self._payloads.get(key)
        if plain is None:
            words = self._catalogue.words(message.language)
            plain = self._payloads[key] = push_payload(message, words, largest=largest)
            if len(self._payloads) > _MOST_PAYLOADS:
                self._payloads.popitem(last=False)
        return plain


def check_answer(status: int, headers: Mapping[str, str]) -> None:
    """Turn a push service's refusal into one of the chassis's errors (RFC 8030 sections 5 and 7.3).

    Redirects are refusals: an endpoint is where it is, and may not lead us elsewhere.
    """
    said = f"the push service answers {status}"
    if status in _TAKEN:
        return
    if status in _GONE:
        raise PermanentError(said, reason="endpoint-gone")
    if status == 429 or (status == 503 and "retry-after" in headers):
        raise ThrottledError(said, delay_seconds=max(retry_after(headers, default=60), 1.0))
    if status >= 500 or status == 408:
        raise TransientError(said, reason=f"http-{status}")
    if status == 413:
        raise PermanentError(said, reason="too-large")
    if status in (401, 403):
        raise PermanentError(said, reason="vapid-refused")
    raise PermanentError(said, reason=f"http-{status}")


@asynccontextmanager
async def open_push_pool(*, allow_private: bool) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections to push services, to public addresses only unless told otherwise."""
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(certifi.where())
    connector = aiohttp.TCPConnector(
        limit=400,
        keepalive_timeout=60.0,
        ssl=trusted,
        socket_factory=None if allow_private else public_socket,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
    ) as session:
        yield session
