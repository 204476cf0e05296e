"""One file of a partition's log, with the index of its batches in memory."""

from __future__ import annotations

import mmap
import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from kommunepuls_devbroker.errors import BrokerError, BrokerStartError, ErrorCode
from kommunepuls_devbroker.storage.batches import HEADER, Batch, BatchHeader, checksum_matches, read_header

SUFFIX = ".log"


def segment_path(directory: Path, base_offset: int) -> Path:
    """The file is named after the first offset it may hold, so the order of names is the order of records."""
    return directory / f"{base_offset:020d}{SUFFIX}"


class Segment:
    """Appends whole batches and reads ranges of them; knows where each batch lies and how old it is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.base_offset = int(path.name.removesuffix(SUFFIX))
        self.size = 0
        self.created_ms: int | None = None
        """Timestamp of the first batch; what `segment.ms` counts from."""
        self.max_timestamp = -1
        self._base_offsets = array("q")
        self._last_offsets = array("q")
        self._positions = array("q")
        self._timestamps = array("q")
        self._descriptor: int | None = None

    @property
    def next_offset(self) -> int:
        return self._last_offsets[-1] + 1 if self._last_offsets else self.base_offset

    @property
    def is_empty(self) -> bool:
        return not self._base_offsets

    def load(self, *, is_last: bool) -> list[BatchHeader]:
        """Reads the index from the file and returns the headers of its batches.

        Of the last segment a tail that was not wholly written is cut off; damage anywhere else
        raises BrokerStartError, since cutting there would lose acknowledged records.
        """
        headers: list[BatchHeader] = []
        length = self.path.stat().st_size
        if length:
            with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                while (header := self._whole_batch_at(data, self.size, length, verify=is_last)) is not None:
                    self._index(header)
                    headers.append(header)
        if self.size < length:
            if not is_last:
                raise BrokerStartError(
                    f"{self.path} is damaged at byte {self.size}; delete the data directory"
                )
            os.truncate(self.path, self.size)
        return headers

    def _whole_batch_at(
        self, data: mmap.mmap, position: int, length: int, *, verify: bool
    ) -> BatchHeader | None:
        if position + HEADER.size > length:
            return None
        header = BatchHeader._make(HEADER.unpack_from(data, position))
        plausible = (
            header.magic == 2 and header.base_offset >= self.next_offset and header.size >= HEADER.size
        )
        if not plausible or position + header.size > length:
            return None
        if verify and not checksum_matches(data[position : position + header.size], header):
            return None
        return header

    def append(self, batch: Batch, header: BatchHeader) -> None:
        """Writes a batch whose base offset is set. Raises BrokerError (STORAGE_ERROR), leaving nothing behind."""
        descriptor = self.descriptor()
        written = 0
        try:
            while written < len(batch):
                written += os.pwrite(descriptor, batch[written:] if written else batch, self.size + written)
        except OSError as problem:
            os.ftruncate(descriptor, self.size)
            raise BrokerError(ErrorCode.STORAGE_ERROR, str(problem)) from problem
        self._index(header)

    def _index(self, header: BatchHeader) -> None:
        if self.created_ms is None:
            self.created_ms = header.max_timestamp
        self._base_offsets.append(header.base_offset)
        self._last_offsets.append(header.last_offset)
        self._positions.append(self.size)
        self._timestamps.append(header.max_timestamp)
        self.max_timestamp = max(self.max_timestamp, header.max_timestamp)
        self.size += header.size

    def read(self, offset: int, maximum_bytes: int) -> bytes:
        """Whole batches from the one that holds `offset` (or the next one) on; at least one, if there is any."""
        first = self._batch_for(offset)
        if first == len(self._positions):
            return b""
        start = self._positions[first]
        limit = start + maximum_bytes
        if self.size <= limit:
            end = self.size
        else:
            last = bisect_right(self._positions, limit) - 1
            end = self._positions[last] if last > first else self._end_of(first)
        return os.pread(self.descriptor(), end - start, start)

    def batches_reaching(self, timestamp: int) -> Iterator[bytes]:
        """The batches with a record at or after `timestamp` (ms), oldest first."""
        for index, batch_timestamp in enumerate(self._timestamps):
            if batch_timestamp >= timestamp:
                yield self._batch(index)

    def batches(self) -> Iterator[bytes]:
        for index in range(len(self._positions)):
            yield self._batch(index)

    def _batch(self, index: int) -> bytes:
        start = self._positions[index]
        return os.pread(self.descriptor(), self._end_of(index) - start, start)

    def _batch_for(self, offset: int) -> int:
        index = max(bisect_right(self._base_offsets, offset) - 1, 0)
        # Compaction leaves gaps: an offset past the last of its batch is answered with the next batch.
        while index < len(self._last_offsets) and self._last_offsets[index] < offset:
            index += 1
        return index

    def _end_of(self, index: int) -> int:
        return self._positions[index + 1] if index + 1 < len(self._positions) else self.size

    def descriptor(self) -> int:
        """The open file; opened on first use, since most partitions of a demo stay empty."""
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        return self._descriptor

    def sync(self) -> None:
        """Forces what was written to the disk (blocks)."""
        if self._descriptor is not None:
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def delete(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


def read_file_batches(path: Path) -> Iterator[bytes]:
    """The batches of a closed segment file, read apart from the live index (for use in another thread)."""
    with path.open("rb") as file:
        while head := file.read(HEADER.size):
            try:
                header = read_header(head)
            except struct.error:
                return
            yield head + file.read(header.size - HEADER.size)
