"""Telling many over HTTP/2 from processes of their own: all read it, each once, whoever is killed on the way."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import http_ece
import pycurl
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Channel
from notifier.domain.contacts import PushSubscription
from notifier.records.knowledge import Knowledge
from notifier.records.vault import Endpoint, Vault
from notifier.records.vault_keys import KeyRing
from notifier.testing import ALERT, item, match, profile

pytestmark = pytest.mark.integration
STUB = Path(__file__).parents[4] / "benchmarks" / "push_stub.py"
RESIDENTS = 3000
AT_ONCE = 64


@dataclass
class Service:
    """The push service of the benchmarks: HTTP/2 in a process of its own."""

    port: int

    async def told(self, path: str = "/count") -> dict:
        return json.loads(await asyncio.to_thread(self._get, path))

    def _get(self, path: str) -> bytes:
        parts: list[bytes] = []
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, f"http://127.0.0.1:{self.port}{path}")
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        handle.setopt(pycurl.WRITEFUNCTION, parts.append)
        handle.perform()
        handle.close()
        return b"".join(parts)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(STUB), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield Service(json.loads(await process.stdout.readline())["push"])
    process.stdin.close()
    await process.wait()


@dataclass
class Town:
    """Residents with a push subscription each, in a notifier's store."""

    environment: dict[str, str]
    log: Path
    auth: dict[str, bytes] = field(default_factory=dict)
    key: object = field(default_factory=lambda: generate_private_key(SECP256R1()))

    async def settle(self, service: Service, count: int) -> None:
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = {f"s-{number}": os.urandom(16) for number in range(count)}
        async with open_store(self.environment["KP_STORE_URL"]) as store:
            vault = await Vault.open(store, KeyRing(self.environment["KP_VAULT_KEY"]))
            knowledge = await Knowledge.open(store)
            contacts = {
                one: PushSubscription(f"http://127.0.0.1:{service.port}/{one}", public, auth)
                for one, auth in self.auth.items()
            }
            await vault.register_many(
                [Endpoint(f"p-{one}", one, Channel.PUSH, contacts[one]) for one in contacts],
                datetime.now(UTC),
            )
            await knowledge.keep_profiles(profile(one, channels=("push",)) for one in contacts)

    def read(self, path: str, body: str) -> dict:
        raw = http_ece.decrypt(base64.b64decode(body), private_key=self.key, auth_secret=self.auth[path[1:]])
        return json.loads(raw)

    def said(self, event: str) -> list[dict]:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) for line in lines if f'"{event}"' in line]

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[asyncio.subprocess.Process]:
        with self.log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "notifier", env={**os.environ, **self.environment}, stderr=errors
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


@pytest.fixture
async def town(broker: str, environment: dict[str, str], service: Service, tmp_path: Path) -> Town:
    town = Town(
        environment
        | {
            "KP_KAFKA_BOOTSTRAP": broker,
            "KP_KAFKA_SESSION_SECONDS": "6",
            "KP_STORE_URL": f"sqlite:///{tmp_path / 'notifier.db'}",
            "KP_PUSH_PROCESSES": "2",
            "KP_PUSH_PLAIN_HTTP2": "true",
            "KP_PUSH_CROWD_AT_ONCE": str(AT_ONCE),
            "KP_PUSH_TIMEOUT_SECONDS": "8",
            "KP_LEASE_SECONDS": "14",
            "KP_LOG_FORMAT": "json",
        },
        tmp_path / "log",
    )
    await town.settle(service, RESIDENTS)
    return town


def running(pid: int) -> bool:
    """Whether it is there, and not only still to be buried by who inherited it."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.timeout(170)
async def test_all_read_it_although_a_process_and_then_the_notifier_is_killed_on_the_way(
    town: Town, service: Service, broker: str, record_property
) -> None:
    everybody = list(town.auth)
    now = datetime.now(UTC)
    about = item(published_at=now, observed_at=now, **ALERT)

    async def taken(share: float) -> bool:
        return (await service.told("/number"))["push"] >= share * RESIDENTS

    async with open_producer("test", ServiceSettings(kafka_bootstrap=broker)) as publish:
        async with town.notifier() as first:
            await eventually(lambda: len(town.said("crowd_process_started")) == 2, within=30)
            await publish.publish(
                *(
                    match(about, *everybody[start : start + 500]).model_copy(
                        update={"id": f"{about.id}#1#0#{start}"}
                    )
                    for start in range(0, RESIDENTS, 500)
                )
            )
            await eventually(lambda: taken(0.15), within=60, every=0.01)
            children = [one["pid"] for one in town.said("crowd_process_started")]
            os.kill(children[0], signal.SIGKILL)
            await eventually(lambda: taken(0.4), within=60, every=0.01)
            first.send_signal(signal.SIGKILL)
            await first.wait()
            await eventually(lambda: not any(running(pid) for pid in children), within=20, what="orphans")
        before = len(town.said("crowd_process_started"))
        async with town.notifier():
            await eventually(lambda: len(town.said("crowd_process_started")) == before + 2, within=30)

            async def all_reached() -> bool:
                # Counting endpoints keeps the push service busy, so it is asked for only when it may be so.
                return await taken(1.0) and (await service.told())["endpoints"] == RESIDENTS

            await eventually(all_reached, within=90, every=2.0, what="everybody")
    told = await service.told()
    again = told["push"] - RESIDENTS
    record_property("ambiguous_resends", again)
    # Of an emergency twice as many are under way as of anything else.
    assert again <= 3 * 2 * AT_ONCE, "at most what was under way in each of the three that ended"
    assert told["sender_keys"] == told["push"], "no sender key twice"
    titles = Counter(town.read(path, body)["title"] for path, body in told["sample"])
    assert set(titles) == {"Flom i Storelva"}
    assert "127.0.0.1" not in town.log.read_text(), "no endpoint in the logs"


async def test_a_crowd_process_is_not_started_by_hand() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifier.crowd", stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().count("\n") == 1
    assert "KP_PUSH_PROCESSES" in said.decode()
