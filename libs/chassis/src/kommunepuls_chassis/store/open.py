"""Opening a store by its address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from kommunepuls_chassis.store.errors import StoreConfigurationError
from kommunepuls_chassis.store.port import DocumentStore
from kommunepuls_chassis.store.sqlite import SqliteStore


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[DocumentStore]:
    """The store at `url`, open until the context ends.

    - `sqlite:///folder/file.db`: a file below the working directory; four slashes for an absolute path, so
      `f"sqlite:///{path}"` is right for both. The folder is created. `?synchronous=full` waits for the disk.
    - `mongodb://host/database` (or `mongodb+srv`): with MongoDB's own options behind `?`.

    Raises StoreConfigurationError, in one line and without passwords, for an address that cannot be right,
    and StoreUnavailable if MongoDB does not answer.
    """
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        store = await SqliteStore.open(**_sqlite_file(url))
    elif scheme in ("mongodb", "mongodb+srv"):
        # Imported here: who runs on SQLite does not pay for the driver.
        from kommunepuls_chassis.store.mongo import MongoStore

        store = await MongoStore.open(url)
    else:
        raise StoreConfigurationError(
            "a store's address starts with sqlite:///, mongodb:// or mongodb+srv://"
        )
    try:
        yield store
    finally:
        await store.close()


def _sqlite_file(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    name = unquote(parts.path[1:])
    options = parse_qs(parts.query, keep_blank_values=True)
    synchronous = options.pop("synchronous", ["normal"])[-1]
    if parts.netloc or not name or name == ":memory:":
        raise StoreConfigurationError(
            "a SQLite store's address is sqlite:///folder/file.db (absolute: sqlite:////folder)"
        )
    if options or synchronous not in ("normal", "full"):
        raise StoreConfigurationError(
            "a SQLite store's address takes one option: synchronous=normal or synchronous=full"
        )
    return {"path": Path(name), "synchronous": synchronous}
