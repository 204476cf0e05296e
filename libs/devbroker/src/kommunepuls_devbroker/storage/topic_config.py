"""The settings of a topic, under the names Apache Kafka gives them (https://kafka.apache.org/documentation/#topicconfigs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kommunepuls_devbroker.errors import BrokerError, ErrorCode


def _at_least(minimum: int) -> Callable[[str], object]:
    def check(text: str) -> int:
        number = int(text)
        if number < minimum:
            raise ValueError(f"must be {minimum} or more")
        return number

    return check


def _ratio(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError("must be between 0 and 1")
    return number


def _one_of(*choices: str) -> Callable[[str], object]:
    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return check


def _cleanup_policy(text: str) -> frozenset[str]:
    policies = frozenset(part.strip() for part in text.split(","))
    if not policies <= {"delete", "compact"}:
        raise ValueError("must be delete, compact or both")
    return policies


@dataclass(frozen=True)
class _Setting:
    default: str
    read: Callable[[str], object]


_UNLIMITED = str(2**63 - 1)
SETTINGS: dict[str, _Setting] = {
    "cleanup.policy": _Setting("delete", _cleanup_policy),
    "retention.ms": _Setting("604800000", _at_least(-1)),
    "retention.bytes": _Setting("-1", _at_least(-1)),
    "max.message.bytes": _Setting("1048588", _at_least(0)),
    # Kafka's own smallest segment is 1 MiB since version 4.
    "segment.bytes": _Setting("67108864", _at_least(1_048_576)),
    "segment.ms": _Setting("604800000", _at_least(1)),
    "delete.retention.ms": _Setting("86400000", _at_least(0)),
    "min.cleanable.dirty.ratio": _Setting("0.5", _ratio),
    "min.compaction.lag.ms": _Setting("0", _at_least(0)),
    "max.compaction.lag.ms": _Setting(_UNLIMITED, _at_least(1)),
    "message.timestamp.after.max.ms": _Setting("3600000", _at_least(0)),
    # Taken so that the topics of production can be created as they are, but of no effect on one node:
    "message.timestamp.type": _Setting("CreateTime", _one_of("CreateTime")),
    "compression.type": _Setting("producer", _one_of("producer")),
    "min.insync.replicas": _Setting("1", _at_least(1)),
    "unclean.leader.election.enable": _Setting("false", _one_of("true", "false")),
}


@dataclass(frozen=True)
class TopicConfig:
    """The effective settings of a topic: what was set, and Kafka's defaults for the rest."""

    overrides: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, text in self.overrides.items():
            setting = SETTINGS.get(name)
            if setting is None:
                raise BrokerError(ErrorCode.INVALID_CONFIG, f"Unknown topic config name: {name}")
            try:
                setting.read(text)
            except (ValueError, TypeError, AttributeError) as problem:
                raise BrokerError(
                    ErrorCode.INVALID_CONFIG, f"Invalid value {text} for {name}: {problem}"
                ) from None

    def text(self, name: str) -> str:
        return self.overrides.get(name, SETTINGS[name].default)

    def number(self, name: str) -> int:
        return int(self.text(name))

    @property
    def is_compacted(self) -> bool:
        return "compact" in _cleanup_policy(self.text("cleanup.policy"))

    @property
    def is_deleted_by_age(self) -> bool:
        return "delete" in _cleanup_policy(self.text("cleanup.policy"))

    @property
    def minimum_dirty_ratio(self) -> float:
        return float(self.text("min.cleanable.dirty.ratio"))
