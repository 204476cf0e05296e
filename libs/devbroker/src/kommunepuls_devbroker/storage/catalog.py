"""The topics of the broker, their settings and partitions; kept in one file that is replaced as a whole."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kommunepuls_devbroker.errors import BrokerError, BrokerStartError, ErrorCode
from kommunepuls_devbroker.storage.partition_log import PartitionLog
from kommunepuls_devbroker.storage.topic_config import TopicConfig

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_FORMAT = 1
_PRODUCER_IDS_AT_ONCE = 1_000


@dataclass
class Topic:
    name: str
    topic_id: str
    config: TopicConfig
    partitions: list[PartitionLog]


class Catalog:
    """Creates, changes, finds and deletes topics. The methods that change anything have written it when they return."""

    def __init__(self, data_directory: Path) -> None:
        self._file = data_directory / "catalog.json"
        self._topics_directory = data_directory / "topics"
        self.topics: dict[str, Topic] = {}
        self.cluster_id = uuid.uuid4().hex[:22]
        # A new folder begins at the clock, so that a producer that outlived an older one is not mistaken.
        self._next_producer_id = self._reserved_producer_ids = int(time.time())
        self._load()

    def _load(self) -> None:
        if self._file.exists():
            try:
                stored = json.loads(self._file.read_text())
            except ValueError as problem:
                raise BrokerStartError(f"{self._file} is damaged; delete the data directory") from problem
            if stored.get("format") != _FORMAT:
                raise BrokerStartError(
                    f"{self._file} was written by another version; delete the data directory"
                )
            self.cluster_id = stored["cluster_id"]
            self._next_producer_id = self._reserved_producer_ids = stored["reserved_producer_ids"]
            for entry in stored["topics"]:
                config = TopicConfig(entry["config"])
                self._open(entry["name"], entry["id"], config, entry["partitions"])
        self._save()
        self._remove_orphans()

    def _open(self, name: str, topic_id: str, config: TopicConfig, partitions: int) -> Topic:
        directory = self._directory(name, topic_id)
        logs = [PartitionLog(directory / str(number), config) for number in range(partitions)]
        topic = self.topics[name] = Topic(name, topic_id, config, logs)
        return topic

    def _directory(self, name: str, topic_id: str) -> Path:
        # The id keeps a topic apart from a deleted one of the same name whose files are still being removed.
        return self._topics_directory / f"{name}-{topic_id}"

    def _remove_orphans(self) -> None:
        """Removes what a deletion that was cut short has left."""
        known = {self._directory(topic.name, topic.topic_id) for topic in self.topics.values()}
        if self._topics_directory.exists():
            for directory in self._topics_directory.iterdir():
                if directory not in known:
                    shutil.rmtree(directory, ignore_errors=True)

    def _save(self) -> None:
        stored = {
            "format": _FORMAT,
            "cluster_id": self.cluster_id,
            "reserved_producer_ids": self._reserved_producer_ids,
            "topics": [
                {
                    "name": topic.name,
                    "id": topic.topic_id,
                    "partitions": len(topic.partitions),
                    "config": dict(topic.config.overrides),
                }
                for topic in self.topics.values()
            ],
        }
        temporary = self._file.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(stored, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)

    def check_new(self, name: str, partitions: int, replicas: int, configs: Mapping[str, str]) -> TopicConfig:
        """Returns the settings the topic would get. Raises BrokerError as Kafka would refuse it."""
        if not _NAME.fullmatch(name) or name in {".", ".."}:
            raise BrokerError(ErrorCode.INVALID_TOPIC, f"{name!r} is no topic name")
        if name in self.topics:
            raise BrokerError(ErrorCode.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        if partitions < 1:
            raise BrokerError(ErrorCode.INVALID_PARTITIONS, "Number of partitions must be larger than 0.")
        if replicas != 1:
            raise BrokerError(ErrorCode.INVALID_REPLICATION_FACTOR, "There is one broker, so one replica.")
        return TopicConfig(dict(configs))

    def create(self, name: str, partitions: int, replicas: int, configs: Mapping[str, str]) -> Topic:
        config = self.check_new(name, partitions, replicas, configs)
        topic = self._open(name, uuid.uuid4().hex[:12], config, partitions)
        self._save()
        return topic

    def add_partitions(self, name: str, total: int) -> None:
        topic = self.topic(name)
        if total <= len(topic.partitions):
            raise BrokerError(
                ErrorCode.INVALID_PARTITIONS,
                f"The topic {name} has {len(topic.partitions)} partitions already.",
            )
        directory = self._directory(name, topic.topic_id)
        for number in range(len(topic.partitions), total):
            topic.partitions.append(PartitionLog(directory / str(number), topic.config))
        self._save()

    def set_config(self, name: str, configs: Mapping[str, str]) -> None:
        """Replaces all settings of the topic (AlterConfigs' meaning). Raises BrokerError (INVALID_CONFIG)."""
        topic = self.topic(name)
        topic.config = TopicConfig(dict(configs))
        for log in topic.partitions:
            log.config = topic.config
        self._save()

    async def delete(self, name: str) -> None:
        """The topic is gone when this returns; the space is freed as soon as nobody works on its files."""
        topic = self.topic(name)
        del self.topics[name]
        self._save()
        for log in topic.partitions:
            async with log.maintenance:
                log.close()
        await asyncio.to_thread(shutil.rmtree, self._directory(name, topic.topic_id), ignore_errors=True)

    def topic(self, name: str) -> Topic:
        """Raises BrokerError (UNKNOWN_TOPIC_OR_PARTITION)."""
        topic = self.topics.get(name)
        if topic is None:
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name)
        return topic

    def partition(self, name: str, number: int) -> PartitionLog:
        """Raises BrokerError (UNKNOWN_TOPIC_OR_PARTITION)."""
        partitions = self.topic(name).partitions
        if not 0 <= number < len(partitions):
            raise BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"{name}-{number}")
        return partitions[number]

    def logs(self) -> Iterator[PartitionLog]:
        for topic in list(self.topics.values()):
            yield from topic.partitions

    def new_producer_id(self) -> int:
        """An id that was never given out before, restarts included; reserved on disk by the thousand."""
        if self._next_producer_id == self._reserved_producer_ids:
            self._reserved_producer_ids += _PRODUCER_IDS_AT_ONCE
            self._save()
        producer_id = self._next_producer_id
        self._next_producer_id += 1
        return producer_id

    def close(self) -> None:
        for log in self.logs():
            log.close()
