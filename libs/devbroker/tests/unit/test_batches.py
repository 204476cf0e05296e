import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.batches import (
    HEADER,
    read_header,
    read_records,
    read_sent_batch,
    with_base_offset,
    with_records,
)

NONE, GZIP, UNKNOWN_CODEC = 0, 1, 7
PAIRS = [(b"a", b"1"), (None, b"2"), (b"a", None), (b"", b"")]


@pytest.mark.parametrize("compression", [NONE, GZIP])
def test_records_are_read_with_their_offsets_and_keys(make_batch, compression):
    padded = [(key, value and value * 100) for key, value in PAIRS]
    batch = with_base_offset(make_batch(*padded, compression=compression), 40)
    records = list(read_records(batch))
    assert [(record.offset, record.key, record.is_tombstone) for record in records] == [
        (40, b"a", False),
        (41, None, False),
        (42, b"a", True),
        (43, b"", False),
    ]
    assert [record.timestamp for record in records] == [1_000, 1_001, 1_002, 1_003]


@pytest.mark.parametrize("compression", [NONE, GZIP])
def test_a_thinned_batch_keeps_everything_of_the_records_that_stay(make_batch, compression):
    padded = [(key, value and value * 100) for key, value in PAIRS]
    batch = with_base_offset(make_batch(*padded, compression=compression, producer=(7, 0, 20)), 40)
    kept = [record for record in read_records(batch) if record.offset in (41, 42)]
    thinned = with_records(batch, kept)
    parsed = DefaultRecordBatch(bytearray(thinned))
    assert parsed.validate_crc()
    assert [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in parsed] == [
        (41, 1_001, None, b"2" * 100, [("number", b"1")]),
        (42, 1_002, b"a", None, [("number", b"2")]),
    ]
    header = read_header(thinned)
    assert header.last_offset == 43
    assert (header.producer_id, header.base_sequence, header.last_sequence) == (7, 20, 23)
    assert header.size == len(thinned)


def test_setting_the_offset_leaves_the_checksum_valid(make_batch):
    batch = with_base_offset(make_batch((b"k", b"v")), 123_456)
    assert read_sent_batch(batch).base_offset == 123_456


def damaged(batch, position, value):
    changed = bytearray(batch)
    changed[position] = value
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda batch: None, ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: b"", ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: batch[: HEADER.size - 1], ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: batch[:-1], ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: batch + batch, ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: damaged(batch, len(batch) - 1, 0xEE), ErrorCode.CORRUPT_MESSAGE),
        (lambda batch: damaged(batch, 16, 1), ErrorCode.INVALID_RECORD),
        (lambda batch: damaged(batch, 22, 0x10), ErrorCode.INVALID_RECORD),
        (lambda batch: damaged(batch, 26, 9), ErrorCode.INVALID_RECORD),
    ],
    ids=["none", "empty", "header", "cut", "two", "checksum", "magic", "transaction", "count"],
)
def test_what_is_no_plain_batch_is_refused(make_batch, damage, code):
    with pytest.raises(BrokerError) as refusal:
        read_sent_batch(damage(make_batch((b"k", b"v"))))
    assert refusal.value.code is code


def test_a_codec_that_is_not_installed_is_named(make_batch):
    batch = damaged(make_batch((b"k", b"v")), 22, UNKNOWN_CODEC)
    with pytest.raises(BrokerError) as refusal:
        list(read_records(batch))
    assert refusal.value.code is ErrorCode.UNSUPPORTED_COMPRESSION_TYPE


def test_a_record_that_claims_to_be_longer_than_its_batch_is_damage(make_batch):
    batch = damaged(make_batch((b"k", b"v")), HEADER.size, 0x7E)
    with pytest.raises(BrokerError) as refusal:
        list(read_records(batch))
    assert refusal.value.code is ErrorCode.CORRUPT_MESSAGE


def test_a_batch_in_memory_that_can_be_written_to_gets_its_offset_there(make_batch):
    batch = memoryview(bytearray(make_batch((b"k", b"v" * 40_000))))
    assert with_base_offset(batch, 7) is batch
    assert read_sent_batch(batch).base_offset == 7
    assert with_base_offset(batch.toreadonly(), 8) is not batch
    assert read_sent_batch(batch).base_offset == 7
