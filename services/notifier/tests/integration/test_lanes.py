"""Under load: who is in a hurry passes, and a slow or dead push service starves nobody."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_events import Channel
from notifier.app import Notifier, compose
from notifier.domain.contacts import push_subscription
from notifier.records.vault import Endpoint
from notifier.settings import Settings
from notifier.testing import ALERT, PUSH_KEYS, item, match, profile, received

pytestmark = pytest.mark.integration
NEWSLETTER = 5000


@dataclass
class Service:
    """A push service that notes who was sent what, in order: `high` or `normal`."""

    seconds: float = 0.0
    taken: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
                if self.seconds:
                    await asyncio.sleep(self.seconds)
                self.taken.append((head.split()[1], head.partition("urgency:")[2].split()[0]))
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def push_service(seconds: float = 0.0) -> AsyncIterator[Service]:
    service = Service(seconds)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield service
    server.close()


@asynccontextmanager
async def running(settings: Settings, folder: Path) -> AsyncIterator[tuple[Notifier, RecordingProducer]]:
    producer = RecordingProducer()
    async with (
        open_store(f"sqlite:///{folder / 'notifier.db'}") as store,
        compose(settings, producer=producer, store=store) as notifier,
    ):
        work = asyncio.create_task(notifier.run())
        try:
            yield notifier, producer
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def settle(notifier: Notifier, url: str, *subscribers: str) -> None:
    """Residents with a push endpoint each."""
    now = datetime.now(UTC)
    for start in range(0, len(subscribers), 500):
        part = subscribers[start : start + 500]
        contacts = {one: push_subscription({"endpoint": f"{url}/{one}", **PUSH_KEYS}) for one in part}
        await asyncio.gather(
            *(
                notifier.vault.register(Endpoint(f"p-{one}", one, Channel.PUSH, contacts[one]), now)
                for one in part
            ),
            *(notifier.intake._knowledge.keep_profile(profile(one, channels=("push",))) for one in part),
        )


async def send(notifier: Notifier, native: str, *subscribers: str, **fields: object) -> None:
    now = datetime.now(UTC)
    about = item(native, published_at=now, observed_at=now, **fields)
    for start in range(0, len(subscribers), 500):
        await notifier.intake.take_matches([received(match(about, *subscribers[start : start + 500]))])


async def test_an_emergency_passes_a_newsletter_that_is_being_sent(
    settings: Settings, tmp_path: Path
) -> None:
    everybody = [f"s-{number}" for number in range(NEWSLETTER)]
    async with push_service() as service, running(settings, tmp_path) as (notifier, _):
        await settle(notifier, service.url, *everybody)
        newsletter = asyncio.create_task(send(notifier, "newsletter", *everybody))
        await eventually(lambda: len(service.taken) > NEWSLETTER * 0.1, within=60, every=0.01)
        await send(notifier, "flood", *everybody[:200], **ALERT)
        began = len(service.taken)
        await newsletter
        await eventually(lambda: len(service.taken) == NEWSLETTER + 200, within=120)
    assert began < NEWSLETTER / 2, "the newsletter is still on its way"
    urgency = [urgency for _, urgency in service.taken]
    last = max(place for place, one in enumerate(urgency) if one == "high")
    assert urgency[:last].count("normal") < NEWSLETTER * 0.9
    assert len(set(service.taken)) == NEWSLETTER + 200, "nobody twice"


async def test_a_slow_and_a_dead_push_service_starve_nobody(settings: Settings, tmp_path: Path) -> None:
    slow_ones, dead_ones, others = ([f"{kind}-{number}" for number in range(400)] for kind in ("a", "b", "c"))
    settings = settings.model_copy(update={"push_timeout_seconds": 2.0})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: it refuses
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with (
            push_service(60.0) as slow,
            push_service() as quick,
            running(settings, tmp_path) as (notifier, producer),
        ):
            await settle(notifier, slow.url, *slow_ones)
            await settle(notifier, dead, *dead_ones)
            await settle(notifier, quick.url, *others)
            # Those that cannot be reached stand first in the queue.
            await send(notifier, "1", *slow_ones, *dead_ones, *others)
            # On a busy machine an answer may come too late for the one who asked; then it is asked again.
            await eventually(
                lambda: len(set(quick.taken)) == len(others), within=60, what="those behind them"
            )
            told = {one.subscriber: str(one.state) for one in producer.messages}
            assert not any(subscriber in told for subscriber in (*slow_ones, *dead_ones)), "still being tried"
    assert slow.taken == []
