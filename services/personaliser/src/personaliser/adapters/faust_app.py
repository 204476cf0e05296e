"""Faust's part: the streams, their acknowledgement and their partitions. Nothing of Faust leaves this file.

Faust 0.15.3 was found to lose messages in several ways; what is done about each:

* an exception in an agent acknowledges the message: agents here raise nothing but what ends the process,
  and acknowledge by hand (``noack_take``) what is done and nothing else. ``take`` and ``take_events`` would
  acknowledge a batch that a shutdown interrupts;
* with ``concurrency`` above 1 a slow message is passed over by the commit (issue 606): it is 1;
* tables and ``exactly_once`` are not used (issues 73, 158, 597; 136, 177, 323, 517).
"""

import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import faust
from aiokafka.errors import KafkaError
from faust.auth import SASLCredentials, SSLCredentials
from faust.contrib.asgi import bind_to_running_loop
from faust.types import TP, EventT, StreamT
from kommunepuls_chassis.kafka import client_options
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import CONSUMER_LAG, RECORDS_CONSUMED
from kommunepuls_events import Topic
from kommunepuls_events.topics import CONTENT, OFFERS, SENSOR_READINGS

from personaliser.matching import Matcher
from personaliser.records import SERVICE, Record
from personaliser.routing import Router
from personaliser.settings import PersonaliserSettings

Hold = Callable[[set[int]], None]
Take = Callable[[Sequence[Record]], Awaitable[frozenset[int]]]
"""Takes a batch; returns the partitions whose records are done."""


def build_app(
    settings: PersonaliserSettings, *, router: Router, matcher: Matcher, hold: Hold, directory: str
) -> faust.App:
    """The Faust app with its three agents; needs a running loop.

    Args:
        settings: where the brokers are, and how large batches get.
        router: for content and readings.
        matcher: for offers.
        hold: told the partitions of ``offers.v1`` after every rebalance.
        directory: an empty folder; Faust insists on having one.
    """
    for name in ("faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    session = settings.kafka_session_seconds
    app = faust.App(
        SERVICE,
        broker=[f"kafka://{broker.strip()}" for broker in settings.kafka_bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        broker_client_id=settings.instance,
        broker_session_timeout=session,
        broker_heartbeat_interval=max(session / 6, 0.3),
        broker_rebalance_timeout=session,
        broker_request_timeout=max(15.0, session),
        broker_commit_interval=settings.commit_interval_seconds,
        broker_max_poll_records=5000,
        consumer_max_fetch_size=4_194_304,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=16_384,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=directory,
        autodiscover=False,
    )

    lags = _Lags(app)

    def agent(topic: Topic, take: Take) -> None:
        channel = app.topic(
            topic.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )

        async def work(stream: StreamT) -> None:
            batches = stream.noack_take(settings.offers_per_batch, within=settings.batch_within_seconds)
            async for events in batches:
                await _work_off(app, stream, events, take, lags)

        app.agent(channel, name=f"{SERVICE}.{topic.name}", concurrency=1)(work)

    def route(topic: Topic) -> Take:
        async def take(records: Sequence[Record]) -> frozenset[int]:
            await router.take(topic, records)
            return frozenset(record.partition for record in records)

        return take

    async def assigned(_app: faust.App, partitions: set, **_: object) -> None:
        hold({one.partition for one in partitions if one.topic == OFFERS.name})
        lags.forget_others({(one.topic, one.partition) for one in partitions})

    agent(CONTENT, route(CONTENT))
    agent(SENSOR_READINGS, route(SENSOR_READINGS))
    agent(OFFERS, matcher.take)
    app.on_partitions_assigned.connect(assigned)
    return app


class _Lags:
    """How far behind the ends of its partitions the process is, as every service tells it."""

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._told: set[tuple[str, int]] = set()

    def measure(self, last_done: Mapping[TP, int]) -> None:
        """Tell the lag of partitions, given the offset of the last record that is done in each."""
        for partition, offset in last_done.items():
            if (end := self._end(partition)) is not None:
                CONSUMER_LAG.labels(partition.topic, partition.partition).set(max(0, end - offset - 1))
                self._told.add((partition.topic, partition.partition))

    def _end(self, partition: TP) -> int | None:
        try:
            return self._app.consumer.highwater(partition)
        except (AssertionError, KafkaError):  # what aiokafka answers of a partition that has just moved
            return None

    def forget_others(self, assigned: set[tuple[str, int]]) -> None:
        """Stop telling the lag of partitions that moved: it would stand as it was for good."""
        for topic, partition in self._told - assigned:
            CONSUMER_LAG.remove(topic, partition)
        self._told &= assigned


async def _work_off(
    app: faust.App, stream: StreamT, events: Sequence[EventT], take: Take, lags: _Lags
) -> None:
    # Before the work too: a batch that waits must show.
    first = {event.message.tp: event.message.offset - 1 for event in reversed(events)}
    lags.measure(first)
    try:
        done = await take([_record(event) for event in events])
    except Exception as error:
        # Nothing is acknowledged: the process ends, and whoever takes over begins with this batch.
        get_logger().exception("batch_failed", topic=events[0].message.topic, size=len(events))
        await app.crash(error)
        raise
    worked = [event for event in events if event.message.partition in done]
    for event in worked:
        await stream.ack(event)
    RECORDS_CONSUMED.labels(events[0].message.topic, SERVICE).inc(len(worked))
    lags.measure({event.message.tp: event.message.offset for event in worked})


def _record(event: EventT) -> Record:
    message = event.message
    headers = message.headers or ()
    pairs = headers.items() if hasattr(headers, "items") else headers
    return Record(message.topic, message.partition, message.offset, message.key, message.value, list(pairs))


def _credentials(settings: PersonaliserSettings) -> SASLCredentials | SSLCredentials | None:
    options = client_options(settings)
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None


@asynccontextmanager
async def running_app(
    settings: PersonaliserSettings, *, router: Router, matcher: Matcher, hold: Hold
) -> AsyncIterator[faust.App]:
    """Run Faust on this loop while inside; on leaving, what is done is committed and the group left."""
    with tempfile.TemporaryDirectory(prefix="personaliser-") as directory:
        app = build_app(settings, router=router, matcher=matcher, hold=hold, directory=directory)
        bind_to_running_loop(app)
        app.finalize()
        await app.start()
        try:
            yield app
        finally:
            await app.stop()


async def until_ended(app: faust.App) -> None:
    """Wait until cancelled; raises what crashed Faust."""
    await app.wait_until_stopped()
    raise app.crash_reason or RuntimeError("Faust stopped by itself")
