"""Asking upstreams over HTTP: bounded in time and size, errors told apart."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError

USER_AGENT = "Kommunepuls/1 (municipal information service)"
LARGEST_ANSWER = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An upstream's answer; ``status`` 304 has an empty body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """An HTTP client for upstreams."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_ANSWER,
        raise_for_status: bool = True,
    ) -> Answer:
        """Ask once.

        Args:
            url, params, headers: of the request; a conditional request's 304 comes back as an answer.
            largest: bytes after which reading stops.
            raise_for_status: False to get 4xx and 5xx answers back, for APIs that explain in the body.

        Raises:
            ThrottledError: 429 or 503 with Retry-After.
            TransientError: no answer, a 5xx, an answer that breaks off.
            PermanentError: another 4xx, or an answer larger than ``largest``.
        """
        return await self._ask("GET", url, params, headers, None, largest, raise_for_status)

    async def post(
        self,
        url: str,
        *,
        json: object,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_ANSWER,
        raise_for_status: bool = True,
    ) -> Answer:
        """Ask once by POST with a JSON body, for APIs that take their query so; raises as :meth:`get`."""
        return await self._ask("POST", url, None, headers, json, largest, raise_for_status)

    async def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        json: object,
        largest: int,
        raise_for_status: bool,
    ) -> Answer:
        try:
            async with self._client.stream(
                method, url, params=params, headers=headers, json=json
            ) as response:
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > largest:
                        raise PermanentError(f"the answer is larger than {largest} bytes", reason="too-large")
                answer = Answer(response.status_code, response.headers, bytes(body))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise PermanentError(f"not an address that can be asked: {error}", reason="bad-address") from None
        except httpx.TimeoutException:
            raise TransientError("the upstream did not answer in time", reason="timeout") from None
        except httpx.HTTPError as error:
            raise TransientError(
                f"the upstream cannot be reached: {type(error).__name__}", reason="unreachable"
            ) from None
        if raise_for_status:
            check_status(answer)
        return answer


def check_status(answer: Answer) -> None:
    """Turn a bad HTTP status into an error of ours (see :meth:`Fetcher.get`)."""
    status = answer.status
    if status == 429 or (status == 503 and "retry-after" in answer.headers):
        raise ThrottledError(
            f"the upstream answers {status}", delay_seconds=retry_after(answer.headers, default=60)
        )
    if status >= 500:
        raise TransientError(f"the upstream answers {status}", reason=f"http-{status}")
    if status >= 400:
        raise PermanentError(f"the upstream answers {status}", reason=f"http-{status}")
    if 300 <= status < 400 and status != 304:
        raise PermanentError(f"the upstream redirects too often ({status})", reason="redirect")


def retry_after(headers: Mapping[str, str], *, default: float) -> float:
    """Seconds that ``Retry-After`` asks for (RFC 9110 section 10.2.3), at most a day."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            seconds = default
    return min(max(seconds, 0.0), 86_400.0) if seconds == seconds else default


@asynccontextmanager
async def open_fetcher(*, timeout_seconds: float = 30.0) -> AsyncIterator[Fetcher]:
    """A fetcher while inside. Redirects are followed five times."""
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(timeout_seconds, connect=10.0),
        headers={"User-Agent": USER_AGENT},
        follow_redirects=True,
        max_redirects=5,
        limits=httpx.Limits(max_connections=50),
    ) as client:
        yield Fetcher(client)
