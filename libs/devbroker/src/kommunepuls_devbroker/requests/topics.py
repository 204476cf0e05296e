"""Metadata and the administration of topics."""

from __future__ import annotations

from aiokafka.protocol.admin import (
    AlterConfigsRequest_v1,
    AlterConfigsResponse_v1,
    CreatePartitionsRequest_v1,
    CreatePartitionsResponse_v1,
    CreateTopicsRequest_v3,
    CreateTopicsResponse_v3,
    DeleteTopicsRequest_v3,
    DeleteTopicsResponse_v3,
    DescribeConfigsRequest_v2,
    DescribeConfigsResponse_v2,
)
from aiokafka.protocol.metadata import MetadataRequest_v5, MetadataResponse_v5

from kommunepuls_devbroker.broker import NODE_ID, Broker, Client
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.topic_config import SETTINGS

_TOPIC_RESOURCE, _BROKER_RESOURCE = 2, 4
_SET_ON_TOPIC, _DEFAULT = 1, 5


async def metadata(broker: Broker, request: MetadataRequest_v5, client: Client) -> MetadataResponse_v5:
    names = list(broker.catalog.topics) if request.topics is None else request.topics
    may_create = broker.settings.auto_create_topics and request.allow_auto_topic_creation
    return MetadataResponse_v5(
        throttle_time_ms=0,
        brokers=[(NODE_ID, client.reached_host, client.reached_port, None)],
        cluster_id=broker.catalog.cluster_id,
        controller_id=NODE_ID,
        topics=[_describe(broker, name, may_create) for name in names],
    )


def _describe(broker: Broker, name: str, may_create: bool) -> tuple:
    try:
        if may_create and name not in broker.catalog.topics:
            broker.catalog.create(name, broker.settings.auto_create_partitions, 1, {})
        topic = broker.catalog.topic(name)
    except BrokerError as refusal:
        return (refusal.code, name, False, [])
    partitions = [
        (ErrorCode.NONE, number, NODE_ID, [NODE_ID], [NODE_ID], []) for number in range(len(topic.partitions))
    ]
    return (ErrorCode.NONE, name, False, partitions)


async def create_topics(
    broker: Broker, request: CreateTopicsRequest_v3, client: Client
) -> CreateTopicsResponse_v3:
    results = []
    for name, partitions, replicas, assignment, configs in request.create_topic_requests:
        try:
            if assignment:
                raise BrokerError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "There is one broker to assign to.")
            if request.validate_only:
                broker.catalog.check_new(name, partitions, replicas, dict(configs))
            else:
                broker.catalog.create(name, partitions, replicas, dict(configs))
            results.append((name, ErrorCode.NONE, None))
        except BrokerError as refusal:
            results.append((name, refusal.code, refusal.message))
    return CreateTopicsResponse_v3(throttle_time_ms=0, topic_errors=results)


async def delete_topics(
    broker: Broker, request: DeleteTopicsRequest_v3, client: Client
) -> DeleteTopicsResponse_v3:
    results = []
    for name in request.topics:
        try:
            await broker.catalog.delete(name)
            broker.coordinator.journal.forget_topic(name)
            results.append((name, ErrorCode.NONE))
        except BrokerError as refusal:
            results.append((name, refusal.code))
    return DeleteTopicsResponse_v3(throttle_time_ms=0, topic_error_codes=results)


async def create_partitions(
    broker: Broker, request: CreatePartitionsRequest_v1, client: Client
) -> CreatePartitionsResponse_v1:
    results = []
    for name, (total, _assignment) in request.topic_partitions:
        try:
            if not request.validate_only:
                broker.catalog.add_partitions(name, total)
            results.append((name, ErrorCode.NONE, None))
        except BrokerError as refusal:
            results.append((name, refusal.code, refusal.message))
    return CreatePartitionsResponse_v1(throttle_time_ms=0, topic_errors=results)


async def describe_configs(
    broker: Broker, request: DescribeConfigsRequest_v2, client: Client
) -> DescribeConfigsResponse_v2:
    resources = []
    for kind, name, wanted in request.resources:
        try:
            entries = _config_entries(broker, kind, name, wanted)
            resources.append((ErrorCode.NONE, None, kind, name, entries))
        except BrokerError as refusal:
            resources.append((refusal.code, refusal.message, kind, name, []))
    return DescribeConfigsResponse_v2(throttle_time_ms=0, resources=resources)


def _config_entries(broker: Broker, kind: int, name: str, wanted: list[str] | None) -> list[tuple]:
    if kind == _BROKER_RESOURCE:
        return []
    if kind != _TOPIC_RESOURCE:
        raise BrokerError(ErrorCode.INVALID_REQUEST, f"resource type {kind} has no settings here")
    config = broker.catalog.topic(name).config
    return [
        (
            setting,
            config.text(setting),
            False,
            _SET_ON_TOPIC if setting in config.overrides else _DEFAULT,
            False,
            [],
        )
        for setting in SETTINGS
        if wanted is None or setting in wanted
    ]


async def alter_configs(
    broker: Broker, request: AlterConfigsRequest_v1, client: Client
) -> AlterConfigsResponse_v1:
    resources = []
    for kind, name, entries in request.resources:
        try:
            if kind != _TOPIC_RESOURCE:
                raise BrokerError(ErrorCode.INVALID_REQUEST, "only topics have settings that can be changed")
            if not request.validate_only:
                broker.catalog.set_config(name, dict(entries))
            resources.append((ErrorCode.NONE, None, kind, name))
        except BrokerError as refusal:
            resources.append((refusal.code, refusal.message, kind, name))
    return AlterConfigsResponse_v1(throttle_time_ms=0, resources=resources)
