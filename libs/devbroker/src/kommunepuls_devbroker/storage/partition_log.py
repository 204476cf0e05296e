"""The log of one partition: a row of segments to append to, read from and drop from the front."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.batches import Batch, read_records, read_sent_batch, with_base_offset
from kommunepuls_devbroker.storage.producer_state import ProducerStates
from kommunepuls_devbroker.storage.segment import SUFFIX, Segment, segment_path
from kommunepuls_devbroker.storage.topic_config import TopicConfig

_START_FILE = "start-offset"


class Timestamped(NamedTuple):
    offset: int
    timestamp: int


class PartitionLog:
    """Appending and reading are synchronous (page cache); forcing to the disk is left to `sync`."""

    def __init__(self, directory: Path, config: TopicConfig) -> None:
        self.directory = directory
        self.config = config
        self.segments: list[Segment] = []
        self.start_offset = 0
        self.closed = False
        self.maintenance = asyncio.Lock()
        """Held while segments are replaced, dropped or forced to the disk outside the event loop."""
        self.unsynced: set[Segment] = set()
        self._producers = ProducerStates()
        self._waiting: set[asyncio.Future[None]] = set()
        self._open()

    def _open(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for leftover in self.directory.glob("*.cleaned"):
            leftover.unlink()
        paths = sorted(self.directory.glob(f"*{SUFFIX}"))
        for path in paths:
            segment = Segment(path)
            for header in segment.load(is_last=path == paths[-1]):
                self._producers.remember(header)
            self.segments.append(segment)
        if not self.segments:
            self.segments.append(Segment(segment_path(self.directory, 0)))
        self.start_offset = self.segments[0].base_offset
        start_file = self.directory / _START_FILE
        if start_file.exists():
            self.start_offset = max(self.start_offset, int(start_file.read_text()))

    @property
    def active(self) -> Segment:
        return self.segments[-1]

    @property
    def end_offset(self) -> int:
        """The offset that the next record gets (the high watermark, there being one replica)."""
        return self.active.next_offset

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self.segments)

    def append(self, data: Batch | None, now_ms: int) -> int:
        """Writes one batch and returns the offset of its first record; a repeated batch is not written again.

        Raises BrokerError as the protocol names what is wrong with the batch.
        """
        header = read_sent_batch(data)
        assert data is not None
        if header.size > self.config.number("max.message.bytes"):
            raise BrokerError(ErrorCode.MESSAGE_TOO_LARGE, f"{header.size} bytes")
        if header.max_timestamp > now_ms + self.config.number("message.timestamp.after.max.ms"):
            raise BrokerError(ErrorCode.INVALID_TIMESTAMP, "the timestamp is too far in the future")
        if self.config.is_compacted and any(record.key is None for record in read_records(bytes(data))):
            raise BrokerError(ErrorCode.INVALID_RECORD, "a compacted topic takes no record without a key")
        repeated = self._producers.offset_if_repeated(header)
        if repeated is not None:
            return repeated
        self._roll_if_due(header.size, now_ms)
        offset = self.end_offset
        stored = header._replace(base_offset=offset, leader_epoch=0)
        self.active.append(with_base_offset(data, offset), stored)
        self._producers.remember(stored)
        self.unsynced.add(self.active)
        self._wake()
        return offset

    def _roll_if_due(self, incoming_bytes: int, now_ms: int) -> None:
        active = self.active
        is_full = active.size + incoming_bytes > self.config.number("segment.bytes")
        if not active.is_empty and (is_full or self.is_active_due(now_ms)):
            self.roll()

    def is_active_due(self, now_ms: int) -> bool:
        """Whether the active segment is older than `segment.ms`."""
        created_ms = self.active.created_ms
        return created_ms is not None and now_ms - created_ms > self.config.number("segment.ms")

    def roll(self) -> None:
        """Closes the active segment for writing and starts the next."""
        following = Segment(segment_path(self.directory, self.end_offset))
        # The file of an empty segment carries the end offset over a restart when all older ones are dropped.
        following.descriptor()
        self.segments.append(following)

    def read(self, offset: int, maximum_bytes: int) -> bytes:
        """Whole batches from `offset` on, at least one if there is any. Raises BrokerError (OFFSET_OUT_OF_RANGE)."""
        if not self.start_offset <= offset <= self.end_offset:
            raise BrokerError(
                ErrorCode.OFFSET_OUT_OF_RANGE, f"{offset} is not in {self.start_offset}..{self.end_offset}"
            )
        for segment in self.segments:
            if offset < segment.next_offset:
                data = segment.read(offset, maximum_bytes)
                if data:
                    return data
        return b""

    def find_timestamp(self, timestamp: int) -> Timestamped | None:
        """The first record at or after `timestamp` (ms)."""
        for segment in self.segments:
            if segment.max_timestamp < timestamp:
                continue
            for batch in segment.batches_reaching(timestamp):
                for record in read_records(batch):
                    if record.timestamp >= timestamp and record.offset >= self.start_offset:
                        return Timestamped(record.offset, record.timestamp)
        return None

    def delete_before(self, offset: int) -> None:
        """Moves the start of the log, for good; segments wholly before it are dropped by the housekeeping.

        Raises BrokerError (OFFSET_OUT_OF_RANGE).
        """
        wanted = self.end_offset if offset == -1 else offset
        if not 0 <= wanted <= self.end_offset:
            raise BrokerError(ErrorCode.OFFSET_OUT_OF_RANGE, f"{wanted} is past the end")
        if wanted > self.start_offset:
            self.start_offset = wanted
            (self.directory / _START_FILE).write_text(str(wanted))

    def drop_first(self) -> None:
        """Removes the oldest segment, which must not be the active one."""
        dropped = self.segments.pop(0)
        self.unsynced.discard(dropped)
        dropped.delete()
        self.start_offset = max(self.start_offset, self.segments[0].base_offset)

    async def sync(self) -> None:
        """Returns when everything appended so far is on the disk; concurrent callers share the work."""
        async with self.maintenance:
            for segment in list(self.unsynced):
                # Taken out first: what is appended while the disk works is for the next time.
                self.unsynced.discard(segment)
                try:
                    await asyncio.to_thread(segment.sync)
                except BaseException:
                    self.unsynced.add(segment)
                    raise

    def wait_for_records(self, waiter: asyncio.Future[None]) -> None:
        self._waiting.add(waiter)

    def stop_waiting(self, waiter: asyncio.Future[None]) -> None:
        self._waiting.discard(waiter)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        self.closed = True
        self._wake()
        for segment in self.segments:
            segment.close()
