"""What an idempotent producer has written to a partition, so that a repeated batch is recognised."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.batches import NO_PRODUCER, SEQUENCE_LIMIT, BatchHeader

REMEMBERED_BATCHES = 5
"""As in Apache Kafka: a producer has at most five requests in flight."""


class _WrittenBatch(NamedTuple):
    first_sequence: int
    last_sequence: int
    offset: int


class _Producer:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.batches: deque[_WrittenBatch] = deque(maxlen=REMEMBERED_BATCHES)


class ProducerStates:
    """The producers of one partition. Rebuilt from the batch headers when the log is opened."""

    def __init__(self) -> None:
        self._producers: dict[int, _Producer] = {}

    def offset_if_repeated(self, header: BatchHeader) -> int | None:
        """The offset under which this very batch was written before; None when it is the next in order.

        Raises BrokerError: INVALID_PRODUCER_EPOCH for a producer that was replaced,
        OUT_OF_ORDER_SEQUENCE_NUMBER for a batch that does not follow the last one.
        """
        producer = self._producers.get(header.producer_id)
        if header.producer_id == NO_PRODUCER or producer is None:
            return None
        if header.producer_epoch < producer.epoch:
            raise BrokerError(ErrorCode.INVALID_PRODUCER_EPOCH)
        if header.producer_epoch > producer.epoch:
            expected = 0
        else:
            for batch in producer.batches:
                if (batch.first_sequence, batch.last_sequence) == (
                    header.base_sequence,
                    header.last_sequence,
                ):
                    return batch.offset
            expected = (producer.batches[-1].last_sequence + 1) % SEQUENCE_LIMIT
        if header.base_sequence != expected:
            raise BrokerError(
                ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, f"{header.base_sequence} where {expected} follows"
            )
        return None

    def remember(self, header: BatchHeader) -> None:
        """Notes a batch that was written; its header holds the offset it got."""
        if header.producer_id == NO_PRODUCER:
            return
        producer = self._producers.get(header.producer_id)
        if producer is None or producer.epoch != header.producer_epoch:
            producer = self._producers[header.producer_id] = _Producer(header.producer_epoch)
        producer.batches.append(_WrittenBatch(header.base_sequence, header.last_sequence, header.base_offset))
