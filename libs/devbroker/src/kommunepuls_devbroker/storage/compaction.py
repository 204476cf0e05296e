"""Compaction: of each key the last record stays; a tombstone stays for a grace and then goes too.

Works on closed segments only, as Apache Kafka does; offsets never change. Segments are rewritten
from the oldest on, so that a kill in between never leaves an old value without the tombstone that
deletes it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from kommunepuls_devbroker.errors import BrokerError
from kommunepuls_devbroker.storage.batches import Record, read_header, read_records, with_records
from kommunepuls_devbroker.storage.partition_log import PartitionLog
from kommunepuls_devbroker.storage.segment import Segment, read_file_batches

logger = logging.getLogger(__name__)
_STATE_FILE = "cleaned-at.json"


@dataclass(frozen=True)
class _Rewritten:
    segment: Segment
    cleaned_path: Path | None
    """None when no record of the segment is left."""


async def compact(log: PartitionLog, now_ms: int) -> None:
    """Cleans the partition if enough of it is new or a tombstone's grace has passed; else does nothing.

    The caller holds `log.maintenance`. Reading and rewriting happens in another thread; the event
    loop only swaps the files.
    """
    if not log.active.is_empty and log.is_active_due(now_ms):
        log.roll()
    lag_ms = log.config.number("min.compaction.lag.ms")
    closed = [s for s in log.segments[:-1] if not s.is_empty and s.max_timestamp <= now_ms - lag_ms]
    cleaned_at = _read_state(log.directory)
    grace_ms = log.config.number("delete.retention.ms")
    due = {base for base, at in cleaned_at.items() if at is not None and at + grace_ms <= now_ms}
    if not closed or not (due or _is_dirty_enough(log, closed, cleaned_at)):
        return
    try:
        rewritten, tombstones = await asyncio.to_thread(_rewrite, closed, due)
    except BrokerError as problem:
        logger.warning("%s is not compacted: %s", log.directory.name, problem)
        return
    for result in rewritten:
        _swap(log, result)
    kept = {segment.base_offset for segment in log.segments}
    state = {
        segment.base_offset: (cleaned_at.get(segment.base_offset) or now_ms)
        if segment.base_offset in tombstones
        else None
        for segment in closed
        if segment.base_offset in kept
    }
    _write_state(log.directory, state)


def _is_dirty_enough(log: PartitionLog, closed: list[Segment], cleaned_at: dict[int, int | None]) -> bool:
    total = sum(segment.size for segment in closed)
    dirty = sum(segment.size for segment in closed if segment.base_offset not in cleaned_at)
    return dirty > 0 and dirty / total >= log.config.minimum_dirty_ratio


def _rewrite(closed: list[Segment], due: set[int]) -> tuple[list[_Rewritten], set[int]]:
    """Writes the cleaned files beside the segments; also tells which segments still hold tombstones."""
    last_offsets: dict[bytes | None, int] = {}
    for segment in closed:
        for batch in read_file_batches(segment.path):
            for record in read_records(batch):
                last_offsets[record.key] = record.offset
    rewritten: list[_Rewritten] = []
    with_tombstones: set[int] = set()
    for segment in closed:
        result = _rewrite_segment(segment, last_offsets, segment.base_offset in due, with_tombstones)
        if result is not None:
            rewritten.append(result)
    return rewritten, with_tombstones


def _rewrite_segment(
    segment: Segment, last_offsets: dict[bytes | None, int], grace_is_over: bool, with_tombstones: set[int]
) -> _Rewritten | None:
    """None when the segment stays as it is."""

    def stays(record: Record) -> bool:
        is_last = record.key is None or last_offsets[record.key] == record.offset
        return is_last and not (record.is_tombstone and grace_is_over)

    batches: list[bytes] = []
    changed = False
    for batch in read_file_batches(segment.path):
        kept = [record for record in read_records(batch) if stays(record)]
        if any(record.is_tombstone for record in kept):
            with_tombstones.add(segment.base_offset)
        if len(kept) == read_header(batch).record_count:
            batches.append(batch)
            continue
        changed = True
        if kept:
            batches.append(with_records(batch, kept))
    if not changed:
        return None
    if not batches:
        return _Rewritten(segment, None)
    cleaned_path = segment.path.with_suffix(".cleaned")
    with cleaned_path.open("wb") as file:
        file.writelines(batches)
        file.flush()
        os.fsync(file.fileno())
    return _Rewritten(segment, cleaned_path)


def _swap(log: PartitionLog, result: _Rewritten) -> None:
    position = log.segments.index(result.segment)
    log.unsynced.discard(result.segment)
    if result.cleaned_path is None:
        result.segment.delete()
        del log.segments[position]
        return
    result.segment.close()
    result.cleaned_path.replace(result.segment.path)
    fresh = Segment(result.segment.path)
    fresh.load(is_last=False)
    log.segments[position] = fresh


def _read_state(directory: Path) -> dict[int, int | None]:
    """By base offset of a segment that was cleaned: when it first was, if it still holds tombstones (ms)."""
    path = directory / _STATE_FILE
    if not path.exists():
        return {}
    return {int(base): at for base, at in json.loads(path.read_text()).items()}


def _write_state(directory: Path, state: dict[int, int | None]) -> None:
    temporary = directory / f"{_STATE_FILE}.new"
    temporary.write_text(json.dumps(state))
    temporary.replace(directory / _STATE_FILE)
