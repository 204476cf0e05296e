"""A world for journeys: services, upstreams, residents with mailboxes and browsers, and who looks on."""

import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import httpx
from journey_receivers import Mail, Push, Receivers, watched_receivers
from journey_topics import Topics, forget_topics, partition_of, watched_topics
from journey_upstream import Upstream, serving_upstream
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_development.ports import free_ports
from kommunepuls_development.processes import ManagedProcess
from kommunepuls_development.stack import SERVICES, Stack, running_stack
from kommunepuls_events import ContentItemV1, Kind, MatchV2, Organiser, item_id
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import CONTENT

TOWN = Path(__file__).resolve().parents[1] / "town"
MARKERS = "NO-1130/prove"
"""Source of the items that mark that everything before them was dealt with."""
ENVIRONMENT = {
    # As in production but quicker: a message that a process died over is taken up by another after this long.
    "KP_LEASE_SECONDS": "5",
    "KP_FACEBOOK_APP_SECRET": "secret-of-the-app",
    "KP_FACEBOOK_VERIFY_TOKEN": "verify-token",
}


@dataclass(frozen=True, slots=True)
class Resident:
    """One resident: who they are to the services, and where their messages arrive."""

    name: str
    subscriber: str
    address: str
    subscription: str


@dataclass
class World:
    """Everything a journey needs."""

    stack: Stack
    outbox: str
    upstream: Upstream
    topics: Topics
    receivers: Receivers
    producer: EventProducer
    client: httpx.AsyncClient
    patience: float = 20.0
    circle: str = f"{MARKERS}-all"
    began: datetime = field(default_factory=utc_now)

    def apart(self) -> "World":
        """The same world for a journey of its own: its markers reach nobody but its own residents."""
        return replace(self, circle=f"{MARKERS}-{secrets.token_hex(4)}")

    @property
    def gateway(self) -> str:
        """Address of the residents' pages."""
        return self.stack.ports.url("gateway-api")

    async def eventually(self, probe: Callable, what: str) -> object:
        """Wait for something within the world's patience."""
        return await eventually(probe, within=self.patience, what=what)

    async def ask(self, method: str, url: str, **arguments: object) -> httpx.Response:
        """Ask a service; again while it is away (a process that was killed is coming back)."""
        until = time.monotonic() + self.patience
        while True:
            try:
                answer = await self.client.request(method, url, **arguments)
                if answer.status_code < 500 or time.monotonic() > until:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise

    async def resident(self, name: str, *, municipality: str = "NO-1130", **choices: object) -> Resident:
        """A resident with a mailbox and a browser, brought in by the operator; known to all services."""
        address = f"{name}-{secrets.token_hex(4)}@eksempel.example"
        subscription = (await self.ask("POST", f"{self.outbox}/api/subscriptions")).json()
        request = {
            "municipality": municipality,
            "choices": {**choices, "organisers": [*choices.get("organisers", ()), self.circle]},
            "address": address,
            "push_subscriptions": [
                {"endpoint": self.outbox + subscription["path"], "keys": subscription["keys"]}
            ],
        }
        answer = await self.ask(
            "POST",
            f"{self.gateway}/api/v1/operator/subscribers",
            json=request,
            headers={"Authorization": f"Bearer {self.stack.operator_token}"},
        )
        assert answer.status_code in (200, 201), answer.text
        resident = Resident(name, answer.json()["subscriber"], address, subscription["name"])
        await self.eventually(
            lambda: self.topics.has_profile(resident.subscriber, lambda _: True), f"the profile of {name}"
        )
        return resident

    async def published(
        self, source: str, where: Callable[[ContentItemV1], bool] = lambda _: True
    ) -> ContentItemV1:
        """The first revision of a source's items that is like this, as soon as it is published."""
        return await self.eventually(
            lambda: next((item for item in self.topics.items(source) if where(item)), None),
            f"an item of {source}",
        )

    def mails(self, resident: Resident, item: str) -> list[Mail]:
        """The mails to a resident about an item, in order."""
        return [mail for mail in self.receivers.mails_to(resident.address) if mail.is_about(item)]

    def pushes(self, resident: Resident, item: str) -> list[Push]:
        """The push messages to a resident about an item, in order."""
        return [push for push in self.receivers.pushes_to(resident.subscription) if push.item == item]

    async def told(
        self, resident: Resident, item: ContentItemV1, *, times: int = 1, because: tuple[str, ...] = ()
    ) -> tuple[Mail, Push]:
        """The newest mail and push about an item, when so many have come; each says why in words.

        Args:
            resident: who is to get it.
            item: the revision that the newest is about.
            times: how many messages about the item on each channel.
            because: clauses that have to stand in the mail and the push, in the resident's language.
        """

        def arrived() -> tuple[Mail, Push] | None:
            mails, pushes = self.mails(resident, item.id), self.pushes(resident, item.id)
            enough = len(mails) >= times and len(pushes) >= times
            return (mails[-1], pushes[-1]) if enough else None

        mail, push = await self.eventually(
            arrived, f"message {times} about {item.title!r} to {resident.name}"
        )
        assert push.revision == item.revision
        for clause in because:
            assert f"- {clause}\n" in mail.text, f"{clause!r} is not in the mail:\n{mail.text}"
            assert clause in mail.html.replace("&laquo;", "«").replace("&raquo;", "»")
            assert clause in push.reasons, f"{clause!r} is not among {push.reasons}"
            assert clause in push.body
        return mail, push

    async def nobody_but(
        self,
        told: Mapping[Resident, int],
        item: ContentItemV1,
        asked: tuple[Resident, ...],
        *,
        marked: bool = False,
    ) -> None:
        """Nobody but these was told of a revision, and these so often of the item in all.

        Shown by an item that travels behind this one on the same partitions and reaches everybody asked.

        Args:
            told: how many messages about the item each resident has had on each channel by now.
            item: the revision.
            asked: all residents of the journey.
            marked: whether such an item has arrived already.
        """
        if not marked:
            await self.mark(asked, behind=item.id)
        matched = self.topics.recipients(item.id, item.revision)
        await self.eventually(
            lambda: self._all_ended(item, matched), f"the end of every delivery of {item.title!r}"
        )
        await self.receivers.look(self.client)
        for resident in asked:
            mails, pushes = self.mails(resident, item.id), self.pushes(resident, item.id)
            expected = told.get(resident, 0)
            assert (len(mails), len(pushes)) == (expected, expected), (
                f"{resident.name} was told {len(mails)} times by mail and {len(pushes)} by push, not {expected}; "
                f"because {[push.reasons for push in pushes]}"
            )

    def _all_ended(self, item: ContentItemV1, matched: set[str]) -> bool:
        ended = {(one.subscriber, one.channel) for one in self.topics.deliveries(item.id, item.revision)}
        return all((one, channel) in ended for one in matched for channel in ("email", "push"))

    async def mark(self, residents: tuple[Resident, ...], *, behind: str) -> None:
        """Wait until an item that travels behind another, on the same partitions, has reached everybody."""
        marker = await self.marker(behind=behind)
        for resident in residents:
            await self.told(resident, marker)

    async def marker(self, *, behind: str) -> ContentItemV1:
        """Publish an item that every resident of a journey gets, as a neighbour's service would."""
        partition = partition_of(behind, CONTENT.partitions)
        native = secrets.token_hex(4)
        while partition_of(item_id(MARKERS, native), CONTENT.partitions) != partition:
            native = secrets.token_hex(4)
        now = utc_now()
        marker = ContentItemV1(
            id=item_id(MARKERS, native),
            revision=1,
            municipality="NO-1130",
            source=MARKERS,
            native_id=native,
            organiser=Organiser(id=self.circle, name="Prøven"),
            kind=Kind.NOTICE,
            title=f"Merke {native}",
            published_at=now,
            observed_at=now,
        )
        await self.producer.publish(marker)
        return marker

    def shows_one_trace(self, item: ContentItemV1) -> None:
        """The trace that began with the upstream's answer is that of match and deliveries too.

        A revision that is matched with nobody (a withdrawal) goes from the ingest service to the notifier.
        """
        begun = self.topics.trace_ids(
            ContentItemV1, lambda one: (one.id, one.revision) == (item.id, item.revision)
        )
        matched = self.topics.trace_ids(
            MatchV2, lambda one: (one.item.id, one.item.revision) == (item.id, item.revision)
        )
        deliveries = self.topics.deliveries(item.id, item.revision)
        delivered = self.topics.trace_ids(type(deliveries[0]), deliveries.__contains__)
        assert len(begun) == 1
        assert None not in begun
        assert matched in (set(), begun)
        assert begun == delivered


def town_files(folder: Path, upstream: str) -> list[Path]:
    """The towns of the journeys, copied to a folder and told where their upstream is."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in TOWN.iterdir():
        (folder / file.name).write_text(file.read_text().replace("${UPSTREAM}", upstream))
    return sorted(folder.glob("*.yaml"))


@asynccontextmanager
async def journey_world(
    folder: Path,
    *,
    kafka: str | None = None,
    workers: Mapping[str, int] | None = None,
    services: Iterable[str] = tuple(SERVICES),
) -> AsyncIterator[World]:
    """All services, or those named, each its own process, with everything around them, while inside."""
    ports = free_ports()
    outbox = ManagedProcess(
        "outbox",
        "kommunepuls_development.outbox",
        arguments=["--http", str(ports["outbox"]), "--smtp", str(ports["smtp"])],
        environment={},
        log=folder / "logs" / "outbox.log",
        port=ports["outbox"],
    )
    async with AsyncExitStack() as exits:
        upstream = await exits.enter_async_context(serving_upstream())
        await outbox.start()
        exits.push_async_callback(outbox.stop)
        towns = town_files(folder / "town", upstream.address)
        stack = Stack(
            folder,
            ports,
            town_files=towns,
            kafka=kafka,
            environment=ENVIRONMENT,
            workers=workers,
            services=services,
        )
        await outbox.wait_ready()
        if kafka:
            await forget_topics(kafka)
        await exits.enter_async_context(running_stack(stack))
        settings = ServiceSettings(kafka_bootstrap=stack.bootstrap)
        topics = await exits.enter_async_context(watched_topics(stack.bootstrap))
        receivers = await exits.enter_async_context(watched_receivers(ports.url("outbox")))
        producer = await exits.enter_async_context(open_producer("prove", settings))
        client = await exits.enter_async_context(httpx.AsyncClient(timeout=10))
        yield World(stack, ports.url("outbox"), upstream, topics, receivers, producer, client)
