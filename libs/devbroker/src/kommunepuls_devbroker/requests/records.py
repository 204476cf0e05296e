"""Produce, Fetch, ListOffsets, DeleteRecords and InitProducerId."""

from __future__ import annotations

import asyncio
import time

from aiokafka.protocol.admin import DeleteRecordsRequest_v2, DeleteRecordsResponse_v2
from aiokafka.protocol.fetch import FetchRequest_v11, FetchResponse_v11
from aiokafka.protocol.offset import OffsetRequest_v3, OffsetResponse_v3
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.protocol.transaction import InitProducerIdRequest_v0, InitProducerIdResponse_v0

from kommunepuls_devbroker.broker import Broker, Client, now_ms
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.partition_log import PartitionLog

LATEST, EARLIEST = -1, -2
_NO_OFFSET, _NO_TIMESTAMP, _NO_REPLICA = -1, -1, -1


async def produce(broker: Broker, request: ProduceRequest_v7, client: Client) -> ProduceResponse_v7 | None:
    written: list[PartitionLog] = []
    now = now_ms()
    topics = []
    for topic, partitions in request.topics:
        rows = []
        for partition, data in partitions:
            offset, start, code = _NO_OFFSET, _NO_OFFSET, ErrorCode.NONE
            try:
                if request.required_acks not in (-1, 0, 1):
                    raise BrokerError(ErrorCode.INVALID_REQUIRED_ACKS)
                log = broker.catalog.partition(topic, partition)
                offset, start = log.append(data, now), log.start_offset
                written.append(log)
            except BrokerError as refusal:
                code = refusal.code
            rows.append((partition, code, offset, _NO_TIMESTAMP, start))
        topics.append((topic, rows))
    await broker.make_durable(written)
    if request.required_acks == 0:
        return None
    return ProduceResponse_v7(topics=topics, throttle_time_ms=0)


async def fetch(broker: Broker, request: FetchRequest_v11, client: Client) -> FetchResponse_v11:
    """Answers as soon as there are `min_bytes` or an error, else when the waiting time is over."""
    deadline = time.monotonic() + request.max_wait_time / 1000
    while True:
        waiter = asyncio.get_running_loop().create_future()
        topics, size, failed, logs = _read_topics(broker, request)
        remaining = deadline - time.monotonic()
        if failed or size >= max(request.min_bytes, 1) or remaining <= 0:
            return FetchResponse_v11(
                throttle_time_ms=0, error_code=ErrorCode.NONE, session_id=0, topics=topics
            )
        for log in logs:
            log.wait_for_records(waiter)
        try:
            await asyncio.wait((waiter,), timeout=remaining)
        finally:
            for log in logs:
                log.stop_waiting(waiter)


def _read_topics(
    broker: Broker, request: FetchRequest_v11
) -> tuple[list[tuple[str, list[tuple]]], int, bool, list[PartitionLog]]:
    size, failed, topics, logs = 0, False, [], []
    for topic, partitions in request.topics:
        rows = []
        for partition, _epoch, offset, _start, partition_bytes in partitions:
            end = start = _NO_OFFSET
            data, code = b"", ErrorCode.NONE
            try:
                log = broker.catalog.partition(topic, partition)
                logs.append(log)
                end, start = log.end_offset, log.start_offset
                room = min(partition_bytes, request.max_bytes - size)
                # Nothing is left out for its size when the answer is still empty: a message that is
                # larger than the limits would block its reader for ever (KIP-74).
                if room > 0 or size == 0:
                    data = log.read(offset, room)
                    if size and len(data) > room:
                        data = b""
                    size += len(data)
            except BrokerError as refusal:
                code, failed = refusal.code, True
            rows.append((partition, code, end, end, start, None, _NO_REPLICA, data))
        topics.append((topic, rows))
    return topics, size, failed, logs


async def list_offsets(broker: Broker, request: OffsetRequest_v3, client: Client) -> OffsetResponse_v3:
    topics = []
    for topic, partitions in request.topics:
        rows = []
        for partition, timestamp in partitions:
            try:
                log = broker.catalog.partition(topic, partition)
                found_timestamp, offset = _find(log, timestamp)
                rows.append((partition, ErrorCode.NONE, found_timestamp, offset))
            except BrokerError as refusal:
                rows.append((partition, refusal.code, _NO_TIMESTAMP, _NO_OFFSET))
        topics.append((topic, rows))
    return OffsetResponse_v3(throttle_time_ms=0, topics=topics)


def _find(log: PartitionLog, timestamp: int) -> tuple[int, int]:
    if timestamp == LATEST:
        return _NO_TIMESTAMP, log.end_offset
    if timestamp == EARLIEST:
        return _NO_TIMESTAMP, log.start_offset
    found = log.find_timestamp(timestamp)
    return (found.timestamp, found.offset) if found else (_NO_TIMESTAMP, _NO_OFFSET)


async def delete_records(
    broker: Broker, request: DeleteRecordsRequest_v2, client: Client
) -> DeleteRecordsResponse_v2:
    topics = []
    for topic, partitions, _tags in request.topics:
        rows = []
        for partition, offset, _partition_tags in partitions:
            try:
                log = broker.catalog.partition(topic, partition)
                log.delete_before(offset)
                rows.append((partition, log.start_offset, ErrorCode.NONE, {}))
            except BrokerError as refusal:
                rows.append((partition, _NO_OFFSET, refusal.code, {}))
        topics.append((topic, rows, {}))
    return DeleteRecordsResponse_v2(throttle_time_ms=0, topics=topics, tags={})


async def init_producer_id(
    broker: Broker, request: InitProducerIdRequest_v0, client: Client
) -> InitProducerIdResponse_v0:
    if request.transactional_id is not None:
        return InitProducerIdResponse_v0(
            throttle_time_ms=0,
            error_code=ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            producer_id=-1,
            producer_epoch=-1,
        )
    return InitProducerIdResponse_v0(
        throttle_time_ms=0,
        error_code=ErrorCode.NONE,
        producer_id=broker.catalog.new_producer_id(),
        producer_epoch=0,
    )
