"""Record batches (magic 2) as clients send them and as they lie in the log.

Layout: https://kafka.apache.org/documentation/#recordbatch. A batch is stored byte for byte as it
came; only its base offset and leader epoch are put in, which its checksum does not cover.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import codec
from aiokafka.record.util import calc_crc32c, decode_varint

from kommunepuls_devbroker.errors import BrokerError, ErrorCode

HEADER = struct.Struct(">qiibIhiqqqhii")
_BASE_OFFSET_LENGTH_EPOCH = struct.Struct(">qii")
_CRC = struct.Struct(">I")
_CRC_POSITION = 17
_CRC_COVERS_FROM = 21
_LENGTH_COUNTS_FROM = 12
_CODEC_MASK = 0x07
_TRANSACTIONAL_OR_CONTROL = 0x30
NO_PRODUCER = -1
SEQUENCE_LIMIT = 2**31


@dataclass(frozen=True)
class _Codec:
    is_installed: Callable[[], bool]
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]


_CODECS = {
    1: _Codec(codec.has_gzip, codec.gzip_encode, codec.gzip_decode),
    2: _Codec(codec.has_snappy, codec.snappy_encode, codec.snappy_decode),
    3: _Codec(codec.has_lz4, codec.lz4_encode, codec.lz4_decode),
    4: _Codec(codec.has_zstd, codec.zstd_encode, codec.zstd_decode),
}


Batch = bytes | memoryview
"""A batch on its way in is a view into the request that brought it."""


class BatchHeader(NamedTuple):
    """The 61 bytes in front of a batch. Timestamps are milliseconds since 1970."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def size(self) -> int:
        """Bytes of the whole batch."""
        return _LENGTH_COUNTS_FROM + self.length

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def last_sequence(self) -> int:
        return (self.base_sequence + self.last_offset_delta) % SEQUENCE_LIMIT


class Record(NamedTuple):
    """One record of a batch: where it is, and its bytes (with their length prefix) to copy."""

    offset: int
    timestamp: int
    key: bytes | None
    is_tombstone: bool
    raw: bytes


def read_header(data: bytes | memoryview, position: int = 0) -> BatchHeader:
    """Reads the header of the batch at `position`. Raises struct.error when it is cut off."""
    return BatchHeader._make(HEADER.unpack_from(data, position))


def checksum_matches(batch: Batch, header: BatchHeader) -> bool:
    return calc_crc32c(memoryview(batch)[_CRC_COVERS_FROM:]) == header.crc


def read_sent_batch(data: Batch | None) -> BatchHeader:
    """Checks what a producer sent for one partition: exactly one whole, undamaged, plain batch.

    Raises BrokerError (CORRUPT_MESSAGE, INVALID_RECORD).
    """
    if not data or len(data) < HEADER.size:
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, "no whole batch header")
    header = read_header(data)
    if header.magic != 2:
        raise BrokerError(ErrorCode.INVALID_RECORD, "only record batches of magic 2 are taken")
    if header.size != len(data):
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, "one batch is expected, of the length it states")
    if header.attributes & _TRANSACTIONAL_OR_CONTROL:
        raise BrokerError(ErrorCode.INVALID_RECORD, "transactions are not offered")
    if header.record_count < 1 or header.last_offset_delta != header.record_count - 1:
        raise BrokerError(ErrorCode.INVALID_RECORD, "the record count does not fit the offsets")
    if not checksum_matches(data, header):
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, "checksum")
    return header


def with_base_offset(batch: Batch, offset: int) -> Batch:
    """The batch with the offset that the log gives it; put in where the batch is, if it can be written to."""
    in_place = isinstance(batch, memoryview) and not batch.readonly
    stored = batch if in_place else bytearray(batch)
    _BASE_OFFSET_LENGTH_EPOCH.pack_into(stored, 0, offset, len(batch) - _LENGTH_COUNTS_FROM, 0)
    return stored if in_place else bytes(stored)


def read_records(batch: bytes) -> Iterator[Record]:
    """The records of a stored batch. Raises BrokerError (UNSUPPORTED_COMPRESSION_TYPE, CORRUPT_MESSAGE)."""
    header = read_header(batch)
    try:
        body = bytearray(_decompressed(batch[HEADER.size :], header.attributes & _CODEC_MASK))
        position = 0
        for _ in range(header.record_count):
            length, start = decode_varint(body, position)
            if length < 0 or start + length > len(body):
                raise BrokerError(ErrorCode.CORRUPT_MESSAGE, "a record is longer than its batch")
            yield _read_record(body, position, start, start + length, header)
            position = start + length
    except (IndexError, ValueError) as problem:
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, str(problem)) from problem


def _read_record(body: bytearray, position: int, start: int, end: int, header: BatchHeader) -> Record:
    timestamp_delta, cursor = decode_varint(body, start + 1)  # the first byte, attributes, is unused
    offset_delta, cursor = decode_varint(body, cursor)
    key_length, cursor = decode_varint(body, cursor)
    key = None
    if key_length >= 0:
        key = bytes(body[cursor : cursor + key_length])
        cursor += key_length
    value_length, _ = decode_varint(body, cursor)
    return Record(
        header.base_offset + offset_delta,
        header.first_timestamp + timestamp_delta,
        key,
        value_length < 0,
        bytes(body[position:end]),
    )


def with_records(batch: bytes, kept: list[Record]) -> bytes:
    """The batch with only these of its records; offsets, sequence numbers and codec stay as they are."""
    header = read_header(batch)
    body = _compressed(b"".join(record.raw for record in kept), header.attributes & _CODEC_MASK)
    rewritten = bytearray(
        HEADER.pack(
            *header._replace(
                length=HEADER.size - _LENGTH_COUNTS_FROM + len(body),
                max_timestamp=max(record.timestamp for record in kept),
                record_count=len(kept),
            )
        )
        + body
    )
    _CRC.pack_into(rewritten, _CRC_POSITION, calc_crc32c(bytes(rewritten[_CRC_COVERS_FROM:])))
    return bytes(rewritten)


def _codec(number: int) -> _Codec:
    found = _CODECS.get(number)
    if found is None or not found.is_installed():
        raise BrokerError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, f"codec {number} is not installed here")
    return found


def _decompressed(data: bytes, number: int) -> bytes:
    if number == 0:
        return data
    try:
        return _codec(number).decode(data)
    except (OSError, EOFError, RuntimeError) as problem:
        raise BrokerError(ErrorCode.CORRUPT_MESSAGE, f"cannot decompress: {problem}") from problem


def _compressed(data: bytes, number: int) -> bytes:
    return data if number == 0 else _codec(number).encode(data)
