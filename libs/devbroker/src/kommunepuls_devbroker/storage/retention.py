"""Dropping old segments: by age, by size, and those before a start that was moved."""

from __future__ import annotations

from kommunepuls_devbroker.storage.partition_log import PartitionLog

UNLIMITED = -1


def drop_old_segments(log: PartitionLog, now_ms: int) -> None:
    """Drops whole segments from the front, as the topic's settings say. Changes the log's start offset.

    By age a segment goes when its newest record is older than `retention.ms`, the active one too;
    by size when what remains without it still holds `retention.bytes`.
    """
    while len(log.segments) > 1 and log.segments[1].base_offset <= log.start_offset:
        log.drop_first()
    if not log.config.is_deleted_by_age:
        return
    retention_ms = log.config.number("retention.ms")
    if retention_ms != UNLIMITED:
        _drop_by_age(log, now_ms - retention_ms)
    retention_bytes = log.config.number("retention.bytes")
    if retention_bytes != UNLIMITED:
        while len(log.segments) > 1 and log.size - log.segments[0].size >= retention_bytes:
            log.drop_first()


def _drop_by_age(log: PartitionLog, oldest_kept_ms: int) -> None:
    if not log.active.is_empty and log.active.max_timestamp < oldest_kept_ms:
        log.roll()
    while len(log.segments) > 1 and log.segments[0].max_timestamp < oldest_kept_ms:
        log.drop_first()
