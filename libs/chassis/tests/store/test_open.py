"""A wrong address is one clear line; a right one opens what it says."""

import pymongo
import pymongo.errors
import pytest
from kommunepuls_chassis.store import open_store
from kommunepuls_chassis.store.errors import (
    DocumentError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailable,
)
from kommunepuls_chassis.store.mongo import translated


async def refused(url):
    with pytest.raises(StoreConfigurationError) as error:
        async with open_store(url):
            pass
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("url", ["", "store.db", "postgres://host/database", "/folder/store.db"])
async def test_an_unknown_scheme_names_the_known_ones(url):
    assert "sqlite:///" in await refused(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://folder/store.db", "sqlite:///:memory:"])
async def test_a_sqlite_address_without_file_says_how_it_is_written(url):
    assert "sqlite:///folder/file.db" in await refused(url)


@pytest.mark.parametrize("options", ["synchronous=off", "synchronous=", "mode=ro"])
async def test_an_unknown_option_of_a_sqlite_address_is_refused(tmp_path, options):
    assert "synchronous" in await refused(f"sqlite:///{tmp_path}/store.db?{options}")


async def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert str(tmp_path / "file") in await refused(f"sqlite:///{tmp_path}/file/store.db")
    assert str(tmp_path) in await refused(f"sqlite:///{tmp_path}")


async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    path = tmp_path / "store.db"
    path.write_text("a letter, not a database. " * 100)
    assert "not a database" in await refused(f"sqlite:///{path}")
    assert path.read_text().startswith("a letter")


async def test_a_relative_path_an_absolute_one_and_an_escaped_one_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for url, path in [
        ("sqlite:///below/relative.db", tmp_path / "below" / "relative.db"),
        (f"sqlite:///{tmp_path}/absolute.db", tmp_path / "absolute.db"),
        (f"sqlite:///{tmp_path}/with%20space.db?synchronous=full", tmp_path / "with space.db"),
    ]:
        async with open_store(url):
            assert path.exists()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://user:hush@host",
        "mongodb://user:hush@host:port/database",
        "mongodb://user:hu/sh@host/database",
        "mongodb:///database",
    ],
)
async def test_a_wrong_mongodb_address_is_refused_without_its_password(url):
    message = await refused(url)
    assert "mongodb://host/database" in message
    assert "hu" not in message


async def test_a_mongodb_that_does_not_answer_is_unavailable(unused_tcp_port):
    url = f"mongodb://127.0.0.1:{unused_tcp_port}/database?serverSelectionTimeoutMS=100"
    with pytest.raises(StoreUnavailable):
        async with open_store(url):
            pass


@pytest.mark.integration
async def test_a_mongodb_address_opens_a_store(mongo_url):
    async with open_store(f"{mongo_url.rstrip('/')}/kp_test_open") as store:
        items = await store.collection("items")
        await items.put("a", {"n": 1})
        assert (await items.get("a")).document == {"n": 1}
    with pymongo.MongoClient(mongo_url) as client:
        client.drop_database("kp_test_open")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pymongo.errors.AutoReconnect("gone"), StoreUnavailable),
        (pymongo.errors.NotPrimaryError("election"), StoreUnavailable),
        (pymongo.errors.OperationFailure("stepping down", 189), StoreUnavailable),
        (pymongo.errors.WriteConcernError("no majority", 64), StoreUnavailable),
        (pymongo.errors.OperationFailure("no path", 28), DocumentError),
        (pymongo.errors.DocumentTooLarge("17 MB"), DocumentError),
        (pymongo.errors.BulkWriteError({"writeErrors": [{"code": 91}]}), StoreUnavailable),
        (pymongo.errors.BulkWriteError({"writeErrors": []}), StoreUnavailable),
        (pymongo.errors.OperationFailure("wrong password", 18), StoreConfigurationError),
        (pymongo.errors.OperationFailure("somebody@example.org is wrong", 2), StoreError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
def test_the_drivers_errors_become_the_ports_and_quote_no_document(error, expected):
    answer = translated(error)
    assert type(answer) is expected
    assert "example.org" not in str(answer)
