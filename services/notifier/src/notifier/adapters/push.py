"""Web push (RFC 8030): encrypted for the browser, signed for the push service, bounded in time."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpcore
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.web import retry_after

from notifier.adapters.gates import Gates
from notifier.adapters.public_addresses import PublicBackend
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
_TAKEN = (200, 201, 202, 204)
_GONE = (404, 410)


class PushCarrier:
    """Implements :class:`~notifier.ports.Carrier` for web push."""

    def __init__(
        self,
        pool: httpcore.AsyncConnectionPool,
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
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout_seconds)

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
        plain = push_payload(message, self._catalogue.words(message.language), largest=largest)
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
            response = await self._pool.request(
                "POST",
                subscription.endpoint,
                headers=headers,
                content=body,
                extensions={"timeout": self._timeouts},
            )
        except httpcore.TimeoutException:
            raise TransientError("the push service did not answer in time", reason="timeout") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise TransientError(
                f"the push service cannot be reached: {type(error).__name__}", reason="unreachable"
            ) from None
        except httpcore.UnsupportedProtocol:
            raise PermanentError("the push endpoint is not https", reason="insecure-endpoint") from None
        return response.status, {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }


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
async def open_push_pool(*, allow_private: bool) -> AsyncIterator[httpcore.AsyncConnectionPool]:
    """Connections to push services, to public addresses only unless told otherwise."""
    backend: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()
    if not allow_private:
        backend = PublicBackend(backend)
    async with httpcore.AsyncConnectionPool(
        max_connections=200,
        max_keepalive_connections=50,
        keepalive_expiry=60.0,
        http2=True,
        network_backend=backend,
    ) as pool:
        yield pool
