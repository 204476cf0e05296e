"""The production store: a MongoDB database through motor.

What is stored is `{_id: key, version, document}`, so that no name in a document meets MongoDB's own. Only calls
that motor and `pymongo.AsyncMongoClient` share are made; the client's class is an argument (ADR-0001).
"""

import asyncio
import functools
import inspect
import itertools
import random
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    InvalidOperation,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.write_concern import WriteConcern

from kommunepuls_chassis.store.conditions import Where
from kommunepuls_chassis.store.documents import Document, Value, check_key, is_key, value_at
from kommunepuls_chassis.store.errors import (
    DocumentError,
    StoreClosed,
    StoreConfigurationError,
    StoreError,
    StoreUnavailable,
    VersionConflict,
)
from kommunepuls_chassis.store.fields import Fields, check_collection_name
from kommunepuls_chassis.store.mongo_queries import after_filter, content, sort_order, where_filter
from kommunepuls_chassis.store.port import Index, Stored

Result = TypeVar("Result")

SERVER_SELECTION_MILLISECONDS = 5_000
MOST_PER_REQUEST = 1_000
CLAIM_SPREAD = 16
# https://www.mongodb.com/docs/manual/reference/error-codes/
_UNAUTHORISED, _AUTHENTICATION_FAILED = 13, 18
_PATH_NOT_VIABLE = 28
_TOO_LARGE = {10334, 17419, 17420}
_WRITE_CONCERN_FAILED = 64
_DUPLICATE_KEY = 11000
# Elections, shutdowns and a majority that did not answer in time.
_TRANSIENT = {6, 7, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, _WRITE_CONCERN_FAILED}
_OPTIONS = CodecOptions(tz_aware=True, tzinfo=UTC)


def translated(error: Exception) -> StoreError:
    """The driver's error as one of the port's."""
    if isinstance(error, DocumentTooLarge | BSONError):
        return DocumentError(f"MongoDB cannot hold the document: {error}")
    if isinstance(error, ConnectionFailure):
        return StoreUnavailable(f"MongoDB does not answer: {type(error).__name__}")
    if isinstance(error, InvalidOperation):
        return StoreClosed("the store is closed")
    if isinstance(error, BulkWriteError):
        codes = [failure["code"] for failure in error.details["writeErrors"]]
        return _of_code(codes[0] if codes else _WRITE_CONCERN_FAILED)
    if isinstance(error, OperationFailure):
        return _of_code(error.code)
    return StoreError(f"MongoDB failed: {type(error).__name__}")


def _of_code(code: int | None) -> StoreError:
    if code == _PATH_NOT_VIABLE or code in _TOO_LARGE:
        return DocumentError(f"MongoDB refuses the document: code {code}")
    if code in _TRANSIENT:
        return StoreUnavailable(f"MongoDB cannot write now: code {code}")
    if code in (_UNAUTHORISED, _AUTHENTICATION_FAILED):
        return StoreConfigurationError("MongoDB refuses the user or password of the store's address")
    # The server's text may quote a document; its code does not.
    return StoreError(f"MongoDB failed: code {code}")


def _translating(method: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    @functools.wraps(method)
    async def guarded(*arguments: object, **options: object) -> Result:
        try:
            return await method(*arguments, **options)
        except (PyMongoError, BSONError) as error:
            raise translated(error) from error

    return guarded


class MongoStore:
    """DocumentStore in one MongoDB database. Open with `MongoStore.open`, close with `close`."""

    def __init__(self, client: Any, database: Any) -> None:
        self._client = client
        self._database = database
        self._collections: dict[str, MongoCollection] = {}

    @classmethod
    async def open(cls, url: str, *, client_class: Callable[..., Any] = AsyncIOMotorClient) -> "MongoStore":
        """Connect and wait for an answer, at most 5 s unless the address says otherwise.

        `client_class` is motor's client or `pymongo.AsyncMongoClient`. Raises StoreConfigurationError for an
        address without a database or that the driver refuses, StoreUnavailable if nothing answers.
        """
        options = {"serverSelectionTimeoutMS": SERVER_SELECTION_MILLISECONDS}
        if "serverselectiontimeoutms" in url.lower():
            options = {}
        try:
            client = client_class(url, **options)
            database = client.get_default_database(
                codec_options=_OPTIONS, write_concern=WriteConcern("majority")
            )
        except (ConfigurationError, InvalidURI, ValueError, TypeError):
            # The driver's own text may quote the password.
            raise StoreConfigurationError(
                "MongoDB's driver refuses the store's address; it is mongodb://host/database, the database named"
                " and user and password percent-encoded"
            ) from None
        store = cls(client, database)
        try:
            await database.command("ping")
        except PyMongoError as error:
            await store.close()
            raise translated(error) from error
        return store

    async def collection(self, name: str, *, indexes: Sequence[Index] = ()) -> "MongoCollection":
        """See DocumentStore."""
        check_collection_name(name)
        collection = self._collections.setdefault(name, MongoCollection(name, self._database[name]))
        await collection.declare(indexes)
        return collection

    async def close(self) -> None:
        """Close the connections."""
        closing = self._client.close()
        # motor closes at once, pymongo's client in a coroutine.
        if inspect.isawaitable(closing):
            await closing


class MongoCollection:
    """Collection over MongoDB; see the port for what each method does."""

    def __init__(self, name: str, collection: Any) -> None:
        self.name = name
        self.fields = Fields(name)
        self._collection = collection

    @_translating
    async def declare(self, indexes: Sequence[Index]) -> None:
        """Declare the fields of `indexes` and create those that are missing."""
        self.fields.declare(indexes)
        for index in indexes:
            names = [content(field) for field in index.fields] + ([] if index.array else ["_id"])
            await self._collection.create_index([(name, 1) for name in names])

    @_translating
    async def insert(self, key: str, document: Document) -> bool:
        self._check(key, document)
        try:
            await self._collection.insert_one(_new(key, document))
        except DuplicateKeyError:
            return False
        return True

    @_translating
    async def put(self, key: str, document: Document, *, expected_version: int | None = None) -> int:
        if expected_version == 0:
            if not await self.insert(key, document):
                raise VersionConflict(self.name, key, expected_version)
            return 1
        self._check(key, document)
        filter_ = {"_id": key} if expected_version is None else {"_id": key, "version": expected_version}
        while True:
            written = await self._collection.find_one_and_update(
                filter_,
                _replacing(document),
                projection={"version": 1},
                return_document=ReturnDocument.AFTER,
            )
            if written is not None:
                return written["version"]
            if expected_version is not None:
                raise VersionConflict(self.name, key, expected_version)
            # Not an upsert: two of a new key that meet fail, or (SecantusDB) do not tell the version.
            if await self.insert(key, document):
                return 1

    @_translating
    async def put_many(self, items: Iterable[tuple[str, Document]]) -> None:
        for part in _parts(items):
            for key, document in part:
                self._check(key, document)
            # In order, since a key may be repeated.
            updates = [UpdateOne({"_id": key}, _replacing(document), upsert=True) for key, document in part]
            while updates:
                try:
                    await self._collection.bulk_write(updates)
                except BulkWriteError as error:
                    (failure,) = error.details["writeErrors"] or [{}]
                    if failure.get("code") != _DUPLICATE_KEY:
                        raise
                    # Two upserts of a new key met; the key is there now, so the next try updates it.
                    updates = updates[failure["index"] :]
                else:
                    break

    @_translating
    async def insert_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        new: list[bool] = []
        for part in _parts(items):
            for key, document in part:
                self._check(key, document)
            known: set[int] = set()
            try:
                await self._collection.bulk_write(
                    [InsertOne(_new(key, document)) for key, document in part], ordered=False
                )
            except BulkWriteError as error:
                failures = error.details["writeErrors"]
                if error.details.get("writeConcernErrors") or any(
                    failure["code"] != _DUPLICATE_KEY for failure in failures
                ):
                    raise
                known = {failure["index"] for failure in failures}
            new += [place not in known for place in range(len(part))]
        return new

    @_translating
    async def patch(self, key: str, changes: Document, *, where: Where | None = None) -> bool:
        check_key(key)
        checked = self.fields.check_changes(changes)
        conditions = where_filter(self.fields.conditions(where or {}))
        sets = {content(".".join(path)): value for path, value in checked}
        result = await self._collection.update_one(
            {"_id": key, **conditions}, {"$set": sets, "$inc": {"version": 1}}
        )
        return result.matched_count > 0

    async def patch_many(self, items: Iterable[tuple[str, Document]]) -> list[bool]:
        # A bulk write would say how many there were, but not which. Repeated keys keep their order.
        found: list[bool] = []
        for part in _parts(items):
            if len({key for key, _ in part}) == len(part):
                found += await asyncio.gather(*(self.patch(key, changes) for key, changes in part))
            else:
                found += [await self.patch(key, changes) for key, changes in part]
        return found

    @_translating
    async def get(self, key: str) -> Stored | None:
        if not is_key(key):
            return None
        found = await self._collection.find_one({"_id": key})
        return None if found is None else _stored(found)

    @_translating
    async def get_many(self, keys: Iterable[str]) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        for part in _parts(dict.fromkeys(key for key in keys if is_key(key))):
            cursor = self._collection.find({"_id": {"$in": part}})
            found.update((one["_id"], _stored(one)) for one in await cursor.to_list(None))
        return found

    @_translating
    async def values(self, where: Where, *fields: str) -> dict[str, tuple[Value, ...]]:
        self.fields.check_scalars(fields)
        return await self._values(where_filter(self.fields.conditions(where)), fields)

    @_translating
    async def values_of(self, keys: Iterable[str], *fields: str) -> dict[str, tuple[Value, ...]]:
        self.fields.check_scalars(fields)
        found: dict[str, tuple[Value, ...]] = {}
        for part in _parts(dict.fromkeys(key for key in keys if is_key(key))):
            found |= await self._values({"_id": {"$in": part}}, fields)
        return found

    async def _values(self, filter_: dict, fields: Sequence[str]) -> dict[str, tuple[Value, ...]]:
        paths = [self.fields.paths[field] for field in fields]
        cursor = self._collection.find(filter_, {"_id": 1} | {content(field): 1 for field in fields})
        return {
            found["_id"]: tuple([value_at(found.get("document"), path) for path in paths])
            for found in await cursor.to_list(None)
        }

    @_translating
    async def find(
        self,
        where: Where,
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int | None = None,
        after: tuple | None = None,
    ) -> list[Stored]:
        self.fields.check_order(order_by, limit, after)
        filter_ = where_filter(self.fields.conditions(where))
        if after is not None:
            filter_ = {"$and": [filter_, after_filter(order_by, descending, after)]}
        cursor = self._collection.find(filter_, sort=sort_order(order_by, descending), limit=limit or 0)
        return [_stored(found) for found in await cursor.to_list(None)]

    @_translating
    async def count(self, where: Where) -> int:
        return await self._collection.count_documents(where_filter(self.fields.conditions(where)))

    @_translating
    async def delete(self, key: str) -> bool:
        return is_key(key) and (await self._collection.delete_one({"_id": key})).deleted_count > 0

    @_translating
    async def delete_where(self, where: Where) -> int:
        filter_ = where_filter(self.fields.conditions(where))
        return (await self._collection.delete_many(filter_)).deleted_count

    @_translating
    async def claim(
        self,
        where: Where,
        *,
        due_field: str,
        now: datetime,
        lease_seconds: float,
        limit: int,
        order_by: str | None = None,
    ) -> list[Stored]:
        due, until = self.fields.due(due_field, now, lease_seconds)
        order_by = order_by or due_field
        self.fields.check_order(order_by, limit, None)
        # `where` may itself speak of due_field, so the two conditions stay apart.
        is_due = where_filter([(due_field, due)])
        filter_ = {"$and": [where_filter(self.fields.conditions(where)), is_due]}
        claimed: list[Stored] = []
        spread = 1
        while wanted := limit - len(claimed):
            cursor = self._collection.find(
                filter_, {"_id": 1}, sort=sort_order(order_by, False), limit=wanted * spread
            )
            keys = [found["_id"] for found in await cursor.to_list(None)]
            if not keys:
                break
            if len(keys) > wanted:
                keys = [keys[place] for place in sorted(random.sample(range(len(keys)), wanted))]
            taken = await self._claim_of(keys, filter_, due_field, until)
            if len(taken) < len(keys):
                # Others claim the same ones: choose among more, or all would run into each other again.
                spread = CLAIM_SPREAD
            claimed += taken
        return claimed

    async def _claim_of(
        self, keys: list[str], filter_: dict, due_field: str, until: datetime
    ) -> list[Stored]:
        """Claim those of `keys` that still match, in their order. MongoDB updates a document only while it
        matches, so of two claimers one marks it; the mark tells which."""
        mark = uuid.uuid4().hex
        await self._collection.update_many(
            {"_id": {"$in": keys}, **filter_},
            {"$set": {content(due_field): until, "claim": mark}, "$inc": {"version": 1}},
        )
        cursor = self._collection.find({"_id": {"$in": keys}, "claim": mark})
        mine = {found["_id"]: _stored(found) for found in await cursor.to_list(None)}
        return [mine[key] for key in keys if key in mine]

    def _check(self, key: str, document: Document) -> None:
        check_key(key)
        self.fields.check_document(document)


def _new(key: str, document: Document) -> dict[str, object]:
    return {"_id": key, "version": 1, "document": document}


def _replacing(document: Document) -> dict[str, object]:
    return {"$set": {"document": document}, "$inc": {"version": 1}}


def _stored(found: dict) -> Stored:
    return Stored(found["_id"], found["version"], found["document"])


def _parts(items: Iterable[Result]) -> Iterable[list[Result]]:
    remaining = iter(items)
    while part := list(itertools.islice(remaining, MOST_PER_REQUEST)):
        yield part
