"""Record batches as a producer builds them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

NO_PRODUCER = (-1, -1, -1)


def make_batch(
    *pairs: tuple[bytes | None, bytes | None],
    timestamp_ms: int = 1_000,
    producer: tuple[int, int, int] = NO_PRODUCER,
    compression: int = 0,
) -> bytes:
    """A batch of (key, value) pairs; `producer` is (id, epoch, first sequence number)."""
    producer_id, epoch, sequence = producer
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=False,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=10_000_000,
    )
    for number, (key, value) in enumerate(pairs):
        builder.append(
            number, timestamp_ms + number, key=key, value=value, headers=[("number", b"%d" % number)]
        )
    return bytes(builder.build())


@pytest.fixture(name="make_batch")
def make_batch_fixture() -> Callable[..., bytes]:
    return make_batch
