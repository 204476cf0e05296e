"""Fetching a picture from an address that a stranger chose: public addresses only, bounded in time and size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.public_addresses import PrivateAddress, public_socket
from kommunepuls_chassis.web import USER_AGENT

_MOST_REDIRECTS = 3
_CONNECT_SECONDS = 5.0


class WebPictures:
    """Implements :class:`~gateway_api.service.picture_fetching.PictureSource` over HTTP.

    Every connection, that of a redirect too, goes to the address that was checked (see `public_socket`).
    """

    def __init__(self, session: aiohttp.ClientSession, *, most_bytes: int) -> None:
        self._session = session
        self._most = most_bytes

    async def fetch(self, url: str) -> bytes:
        """See :meth:`~gateway_api.service.picture_fetching.PictureSource.fetch`."""
        try:
            async with self._session.get(url, max_redirects=_MOST_REDIRECTS) as answer:
                if answer.status >= 500 or answer.status in (408, 429):
                    raise TransientError(f"the site answers {answer.status}", reason="http-error")
                if answer.status != 200:
                    raise PermanentError(f"the site answers {answer.status}", reason="http-error")
                return await self._read(answer)
        except TimeoutError:
            raise TransientError("the site did not answer in time", reason="timeout") from None
        except (aiohttp.InvalidURL, aiohttp.TooManyRedirects, ValueError):
            raise PermanentError("the address leads nowhere", reason="bad-address") from None
        except aiohttp.ClientError as error:
            if isinstance(getattr(error, "os_error", None), PrivateAddress):
                raise PermanentError("not at a public address", reason="private-address") from None
            raise TransientError(
                f"the site cannot be reached: {type(error).__name__}", reason="unreachable"
            ) from None

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for part in answer.content.iter_chunked(65_536):
            body += part
            if len(body) > self._most:
                raise PermanentError(f"it has more than {self._most} bytes", reason="too-large")
        return bytes(body)


@asynccontextmanager
async def open_web_pictures(
    *, allow_private: bool, timeout_seconds: float, most_bytes: int
) -> AsyncIterator[WebPictures]:
    """A source while inside, without cookies, proxies or an address of ours in what it asks."""
    connector = aiohttp.TCPConnector(
        limit=8, limit_per_host=2, socket_factory=None if allow_private else public_socket
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT, "Accept": "image/webp,image/jpeg,image/png,image/gif"},
        timeout=aiohttp.ClientTimeout(total=timeout_seconds, connect=_CONNECT_SECONDS),
    ) as session:
        yield WebPictures(session, most_bytes=most_bytes)
