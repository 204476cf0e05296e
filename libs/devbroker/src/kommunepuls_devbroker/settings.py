"""What can be set about the embedded broker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FsyncPolicy(StrEnum):
    """When written data is forced to the disk.

    The data survives a `kill -9` of the broker under every policy, since the operating system
    holds it; the policy decides what a power cut may take.
    """

    NEVER = "never"
    INTERVAL = "interval"
    ALWAYS = "always"


@dataclass(frozen=True)
class BrokerSettings:
    """Settings of one embedded broker. Times are seconds unless the name says otherwise."""

    data_directory: Path
    host: str = "127.0.0.1"
    port: int = 9092
    """0 takes a free port; the ready line tells which."""
    fsync: FsyncPolicy = FsyncPolicy.INTERVAL
    fsync_interval: float = 1.0
    auto_create_topics: bool = False
    """Off, as in our production: a topic that nobody created is an error, not a surprise."""
    auto_create_partitions: int = 1
    housekeeping_interval: float = 5.0
    """How often retention and compaction look for work."""
    initial_rebalance_delay: float = 0.1
    """How long an empty group waits for further members before its first assignment."""
    minimum_session_timeout_ms: int = 6_000
    maximum_session_timeout_ms: int = 1_800_000
    maximum_request_bytes: int = 104_857_600
