"""Fetching a portal's file by http(s) or from disk, and telling whether it changed."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.web import Fetcher

LARGEST_FILE = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file's bytes (None if it has not changed) and what to remember of it."""

    body: bytes | None
    remembered: dict[str, str]


async def fetch_file(fetcher: Fetcher, url: str, folder: Path, remembered: dict[str, str]) -> Fetched:
    """Get a file unless it is the one remembered.

    Args:
        fetcher: for http and https.
        url: an address, or a path relative to ``folder``.
        folder: of the town file.
        remembered: of the last time (ETag, SHA-256).

    Raises:
        PermanentError: no such file, not readable, larger than 128 MiB.
        TransientError, ThrottledError: as :meth:`Fetcher.get`.
    """
    if urlsplit(url).scheme in ("http", "https"):
        headers = {"If-None-Match": remembered["etag"]} if remembered.get("etag") else {}
        answer = await fetcher.get(url, headers=headers, largest=LARGEST_FILE)
        if answer.status == 304:
            return Fetched(None, remembered)
        body, etag = answer.body, answer.headers.get("etag", "")
    else:
        body, etag = await asyncio.to_thread(_read, _path(url, folder)), ""
    digest = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())
    now = {"sha256": digest, **({"etag": etag} if etag else {})}
    return Fetched(None if digest == remembered.get("sha256") else body, now)


def _path(url: str, folder: Path) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else folder / url


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PermanentError(f"{path.name} is larger than {LARGEST_FILE} bytes", reason="too-large")
        return path.read_bytes()
    except FileNotFoundError:
        raise PermanentError(f"there is no file {path.name}", reason="no-file") from None
    except OSError as error:
        raise TransientError(f"{path.name} cannot be read: {error.strerror}", reason="no-file") from None


def hash_of(text: str) -> str:
    """A short mark that changes with the text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
