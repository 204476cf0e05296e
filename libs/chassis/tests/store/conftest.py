"""The stores every test of the contract runs on: a SQLite file, and MongoDB by motor and by pymongo.

MongoDB is, in this order: what KP_MONGO_URL names; a container, where a docker engine answers; SecantusDB, which
speaks MongoDB's protocol, in a process of its own. Each test has a database of its own, dropped at its end.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pymongo
import pytest
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.store.mongo import MongoStore
from kommunepuls_chassis.store.port import Collection
from motor.motor_asyncio import AsyncIOMotorClient

sys.path.insert(0, str(Path(__file__).parent / "making"))
from store_items import INDEXES

OpenStore = Callable[[], AbstractAsyncContextManager[DocumentStore]]
CLIENTS = {"motor": AsyncIOMotorClient, "pymongo": pymongo.AsyncMongoClient}
SECONDS_TO_START = 30


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if url := os.environ.get("KP_MONGO_URL"):
        yield url
    elif _docker_answers():
        from testcontainers.mongodb import MongoDbContainer

        with MongoDbContainer("mongo:8") as container:
            yield container.get_connection_url()
    else:
        server = Path(sys.executable).with_name("secantusd-py")
        if not server.exists():
            pytest.skip(
                "no MongoDB: KP_MONGO_URL is not set, no docker engine answers, no SecantusDB installed"
            )
        yield from _secantus(server, tmp_path_factory.mktemp("secantus"))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("motor", marks=pytest.mark.integration),
        pytest.param("pymongo", marks=pytest.mark.integration),
    ]
)
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the test's database, as often as one likes."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/store.db"
        yield lambda: open_store(url)
        return
    parts = urlsplit(request.getfixturevalue("mongo_url"))
    name = f"kp_test_{uuid.uuid4().hex}"
    options = parts.query
    if parts.username and "authsource" not in options.lower():
        options = "&".join(filter(None, [options, "authSource=admin"]))
    url = urlunsplit((parts.scheme, parts.netloc, f"/{name}", options, ""))

    @asynccontextmanager
    async def opened() -> AsyncIterator[DocumentStore]:
        store = await MongoStore.open(url, client_class=CLIENTS[request.param])
        try:
            yield store
        finally:
            await store.close()

    yield opened
    with pymongo.MongoClient(url) as client:
        client.drop_database(name)


@pytest.fixture
async def store(open_again: OpenStore) -> AsyncIterator[DocumentStore]:
    async with open_again() as opened:
        yield opened


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        return (
            subprocess.run([docker, "version"], capture_output=True, timeout=10, check=False).returncode == 0
        )
    except subprocess.TimeoutExpired:
        return False


def _secantus(server: Path, folder: Path) -> Iterator[str]:
    command = [str(server), "--port", "0", "--cache-size", "64M", "--storage-path", str(folder / "data")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )
    give_up = threading.Timer(SECONDS_TO_START, process.kill)
    give_up.start()
    try:
        for line in process.stdout:
            if found := re.search(r"listening on 127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.skip("no MongoDB: SecantusDB did not start")
        give_up.cancel()
        # Its log must be read, or it stops when the pipe is full.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield f"mongodb://127.0.0.1:{found[1]}/"
    finally:
        give_up.cancel()
        process.kill()
        process.wait()


@pytest.fixture
async def items(store: DocumentStore) -> Collection:
    """A collection with indexes of every kind."""
    return await store.collection("items", indexes=INDEXES)
