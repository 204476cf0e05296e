"""What the embedded broker does otherwise than Apache Kafka; docs/broker-differences.md lists it."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TransactionalIdAuthorizationFailed
from kommunepuls_devbroker.testing import embedded_broker, eventually

pytestmark = pytest.mark.integration


async def test_transactions_are_refused_at_once(tmp_path):
    async with embedded_broker(tmp_path) as address:
        producer = AIOKafkaProducer(bootstrap_servers=address, transactional_id="worker-1")
        with pytest.raises(TransactionalIdAuthorizationFailed):
            await producer.start()
        await producer.stop()


async def test_a_static_member_is_treated_as_any_other(tmp_path, create_topic):
    async with embedded_broker(tmp_path) as address:
        await create_topic(address, "facts")

        async def assigned_member():
            consumer = AIOKafkaConsumer(
                "facts",
                bootstrap_servers=address,
                group_id="readers",
                group_instance_id="worker-1",
                session_timeout_ms=6_000,
            )
            await consumer.start()
            await eventually(lambda: bool(consumer.assignment()))
            member_id = consumer._coordinator.member_id
            await consumer.stop()
            return member_id

        # Apache Kafka would hand the second one the place of the first without a new round.
        assert await assigned_member() != await assigned_member()


async def test_the_broker_itself_has_no_settings_to_describe(tmp_path, admin_of):
    async with embedded_broker(tmp_path) as address, admin_of(address) as admin:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "0")])
    assert answer.resources[0][0] == 0
    assert answer.resources[0][4] == []


async def test_unknown_topics_are_created_where_that_is_switched_on(tmp_path, producer_to, admin_of):
    settings = {"auto_create_topics": True, "auto_create_partitions": 3}
    async with embedded_broker(tmp_path, **settings) as address, producer_to(address) as producer:
        await producer.send_and_wait("made-by-writing", b"value")
        async with admin_of(address) as admin:
            (described,) = await admin.describe_topics(["made-by-writing"])
    assert len(described["partitions"]) == 3
