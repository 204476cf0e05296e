"""Asking again only for what changed: ETag and Last-Modified (RFC 9110 section 13)."""

from kommunepuls_chassis.web import Fetcher


async def fetch_if_changed(fetcher: Fetcher, url: str, position: dict) -> tuple[bytes | None, dict]:
    """The body, None if the upstream says that nothing changed, and the validators for the next time.

    Raises:
        ThrottledError, TransientError, PermanentError: see :meth:`Fetcher.get`.
    """
    headers = {}
    if position.get("url") == url:
        if etag := position.get("etag"):
            headers["If-None-Match"] = etag
        if modified := position.get("modified"):
            headers["If-Modified-Since"] = modified
    answer = await fetcher.get(url, headers=headers)
    if answer.status == 304:
        return None, {}
    validators = {
        "url": url,
        "etag": answer.headers.get("etag"),
        "modified": answer.headers.get("last-modified"),
    }
    return answer.body, validators
