"""Topics are created, described, changed and deleted as on Apache Kafka."""

import pytest
from aiokafka.admin import NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError, UnknownTopicOrPartitionError
from kommunepuls_devbroker.testing import eventually

NONE, UNKNOWN_TOPIC, INVALID_TOPIC, EXISTS = 0, 3, 17, 36
INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG = 37, 38, 40


async def settings_of(clients, topic):
    (answer,) = await clients.admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def error_of(clients, topic):
    answer = await clients.admin.create_topics([topic])
    return answer.topic_errors[0][1]


async def test_a_new_topic_has_its_partitions_and_settings(clients):
    topic = await clients.topic(
        3, cleanup_policy="compact", retention_ms="60000", max_message_bytes="6000000"
    )
    (described,) = await clients.admin.describe_topics([topic])
    assert [partition["partition"] for partition in sorted_partitions(described)] == [0, 1, 2]
    settings = await settings_of(clients, topic)
    assert settings["cleanup.policy"] == "compact"
    assert settings["retention.ms"] == "60000"
    assert settings["max.message.bytes"] == "6000000"
    assert settings["delete.retention.ms"] == "86400000"


def sorted_partitions(described):
    return sorted(described["partitions"], key=lambda partition: partition["partition"])


async def test_a_topic_is_listed_until_it_is_deleted(clients):
    topic = await clients.topic()
    assert topic in await clients.admin.list_topics()
    answer = await clients.admin.delete_topics([topic])
    assert answer.topic_error_codes == [(topic, NONE)]

    async def is_gone():
        return topic not in await clients.admin.list_topics()

    await eventually(is_gone)


async def test_a_topic_created_again_starts_empty(clients):
    topic = await clients.topic()
    await clients.send(topic, b"of the first topic")
    await clients.admin.delete_topics([topic])

    async def is_created():
        return await error_of(clients, NewTopic(topic, 1, 1)) == NONE

    await eventually(is_created)
    await clients.send(topic, b"of the second topic")
    (record,) = await clients.read(topic, 1)
    assert (record.offset, record.value) == (0, b"of the second topic")


async def test_deleting_an_unknown_topic_is_an_error(clients):
    answer = await clients.admin.delete_topics(["nobody-made-this"])
    assert answer.topic_error_codes == [("nobody-made-this", UNKNOWN_TOPIC)]


async def test_a_topic_is_created_once(clients):
    topic = await clients.topic()
    assert await error_of(clients, NewTopic(topic, 1, 1)) == EXISTS


@pytest.mark.parametrize(
    ("name", "partitions", "replicas", "configs", "error"),
    [
        ("not a name", 1, 1, {}, INVALID_TOPIC),
        ("..", 1, 1, {}, INVALID_TOPIC),
        ("a" * 250, 1, 1, {}, INVALID_TOPIC),
        ("no-partitions", 0, 1, {}, INVALID_PARTITIONS),
        ("too-many-replicas", 1, 3, {}, INVALID_REPLICATION_FACTOR),
        ("unknown-setting", 1, 1, {"retention.fortnights": "1"}, INVALID_CONFIG),
        ("no-number", 1, 1, {"retention.ms": "a week"}, INVALID_CONFIG),
        ("no-policy", 1, 1, {"cleanup.policy": "burn"}, INVALID_CONFIG),
        ("tiny-segments", 1, 1, {"segment.bytes": "1000"}, INVALID_CONFIG),
    ],
)
async def test_a_topic_that_cannot_be_is_refused(clients, name, partitions, replicas, configs, error):
    assert await error_of(clients, NewTopic(name, partitions, replicas, topic_configs=configs)) == error
    assert name not in await clients.admin.list_topics()


async def test_a_validation_creates_nothing(clients):
    answer = await clients.admin.create_topics([NewTopic("only-asked-for", 1, 1)], validate_only=True)
    assert answer.topic_errors[0][1] == NONE
    assert "only-asked-for" not in await clients.admin.list_topics()


async def test_an_unknown_topic_is_not_created_by_writing_to_it(clients):
    producer = await clients.producer(request_timeout_ms=2_000, metadata_max_age_ms=500)
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.send_and_wait("nobody-made-this", b"value")
    assert "nobody-made-this" not in await clients.admin.list_topics()


async def test_partitions_can_be_added_but_not_taken_away(clients):
    topic = await clients.topic(2)
    await clients.admin.create_partitions({topic: NewPartitions(4)})

    async def has_four():
        (described,) = await clients.admin.describe_topics([topic])
        return len(described["partitions"]) == 4

    await eventually(has_four)
    with pytest.raises(InvalidPartitionsError):
        await clients.admin.create_partitions({topic: NewPartitions(3)})


async def test_the_settings_of_a_topic_can_be_changed(clients):
    topic = await clients.topic(retention_ms="60000")
    changed = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": "2000000"})
    await clients.admin.alter_configs([changed])

    async def is_changed():
        # AlterConfigs replaces all settings: what is not named again has its default.
        settings = await settings_of(clients, topic)
        return (settings["max.message.bytes"], settings["retention.ms"]) == ("2000000", "604800000")

    await eventually(is_changed)


async def test_a_topic_that_wants_two_replicas_in_sync_works_on_one_node(clients):
    """The topics of production can be created as they are, but for their number of replicas."""
    topic = await clients.topic(min_insync_replicas="2")
    producer = await clients.producer(acks="all")
    assert (await producer.send_and_wait(topic, b"value")).offset == 0
