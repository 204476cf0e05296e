"""The whole notifier: topics in, mail and push out, deliveries told, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from kommunepuls_chassis.producer import EventProducer, open_producer
from kommunepuls_chassis.sealing import seal
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import (
    Channel,
    ContactAction,
    ContactCommandV1,
    DeliveryV1,
    Event,
    SubscriberProfileV1,
)
from notifier.app import compose
from notifier.settings import Settings
from notifier.testing import NOON, item, match, profile

pytestmark = pytest.mark.integration


@asynccontextmanager
async def told(broker: str, topic: str) -> AsyncIterator[list]:
    """The records of a topic as they come."""
    records: list = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()

    async def read() -> None:
        async for record in consumer:
            records.append(record)

    task = asyncio.create_task(read())
    try:
        yield records
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


def register(subscriber: str, channel: Channel, content: dict, public_key: str) -> ContactCommandV1:
    return ContactCommandV1(
        id=f"register-{subscriber}-{channel}",
        subscriber=subscriber,
        action=ContactAction.REGISTER,
        channel=channel,
        endpoint=f"{channel}-{subscriber}",
        sealed=seal(content, public_key, subscriber=subscriber),
        at=NOON,
    )


def resident(subscriber: str, **fields: object) -> SubscriberProfileV1:
    return profile(subscriber, **fields)


@pytest.fixture
async def publish(broker: str) -> AsyncIterator[EventProducer]:
    async with open_producer("test", ServiceSettings(kafka_bootstrap=broker)) as producer:
        yield producer


async def test_a_match_becomes_a_mail_and_a_push_message_that_say_why(
    broker, publish, environment, monkeypatch, mail_sink, push_service, make_browser
) -> None:
    environment |= {"KP_KAFKA_BOOTSTRAP": broker, "KP_SMTP_PORT": str(mail_sink.port)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    browser, public_key = make_browser("phone"), environment["KP_CONTACT_PUBLIC_KEY"]
    async with compose(Settings()) as notifier, told(broker, "deliveries.v1") as deliveries:
        work = asyncio.create_task(notifier.run())
        await publish.publish(
            register("s-1", Channel.EMAIL, {"address": "kari@post.example"}, public_key),
            register("s-1", Channel.PUSH, browser.subscription(push_service.url), public_key),
            resident("s-1", channels=("email", "push")),
            match(item()),
        )
        await publish.publish_raw("matches.v2", "NO-9901/aktuelt/1", b"{not json", [("ce_id", b"1")])
        await eventually(lambda: len(deliveries) == 2, within=40, what="two deliveries")
        async with told(broker, "matches.v2.dead") as dead:
            await eventually(lambda: dead, within=20, what="the malformed match in the dead letters")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    [(recipient, mail)] = mail_sink.mails
    assert recipient == "kari@post.example"
    assert "du følger området Breidablikk" in mail.get_body(("plain",)).get_content()
    assert browser.read(push_service.bodies("phone")[0])["reasons"][0] == "du følger området Breidablikk"
    states = [Event.decode(record.value, record.headers).data for record in deliveries]
    assert {(one.channel, one.state) for one in states} == {("email", "sent"), ("push", "sent")}
    everything = b"".join(record.value for record in deliveries)
    assert b"post.example" not in everything
    assert all(isinstance(one, DeliveryV1) for one in states)
