"""Committed offsets and group memberships on disk: one line of JSON for each change, replayed at start."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kommunepuls_devbroker.errors import BrokerStartError


class Committed(NamedTuple):
    offset: int
    metadata: str


@dataclass
class StoredMember:
    member_id: str
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocols: dict[str, bytes]
    assignment: bytes


@dataclass
class StoredGroup:
    """A group as it was when it last became stable or empty."""

    protocol_type: str
    generation: int
    protocol: str
    leader: str
    members: list[StoredMember] = field(default_factory=list)


class GroupJournal:
    """Keeps the last state in memory; every change is in the file when the method returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offsets: dict[str, dict[tuple[str, int], Committed]] = {}
        self.groups: dict[str, StoredGroup] = {}
        self._replay()
        self._rewrite()
        self._file = path.open("ab", buffering=0)
        self._flushing = asyncio.Lock()
        self._dirty = False

    def _replay(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return  # the write that a kill cut short; it was never acknowledged
                try:
                    self._apply(json.loads(line))
                except (ValueError, KeyError, TypeError) as problem:
                    raise BrokerStartError(f"{self._path} is damaged; delete the data directory") from problem

    def _apply(self, change: dict[str, Any]) -> None:
        match change["what"]:
            case "commit":
                offsets = self.offsets.setdefault(change["group"], {})
                for topic, partition, offset, metadata in change["offsets"]:
                    offsets[(topic, partition)] = Committed(offset, metadata)
            case "group":
                self.groups[change["group"]] = _group_from_json(change["state"])
            case "forget-group":
                self.offsets.pop(change["group"], None)
                self.groups.pop(change["group"], None)
            case "forget-topic":
                for offsets in self.offsets.values():
                    for key in [key for key in offsets if key[0] == change["topic"]]:
                        del offsets[key]

    def _rewrite(self) -> None:
        """Leaves only the last state in the file, so that it does not grow from start to start."""
        temporary = self._path.with_suffix(".new")
        with temporary.open("wb") as file:
            for group, stored in self.groups.items():
                file.write(_line({"what": "group", "group": group, "state": _group_to_json(stored)}))
            for group, offsets in self.offsets.items():
                file.write(_line(_commit_change(group, offsets)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def _write(self, change: dict[str, Any]) -> None:
        self._apply(change)
        self._file.write(_line(change))
        self._dirty = True

    def commit(self, group: str, offsets: dict[tuple[str, int], Committed]) -> None:
        self._write(_commit_change(group, offsets))

    def store_group(self, group: str, state: StoredGroup) -> None:
        self._write({"what": "group", "group": group, "state": _group_to_json(state)})

    def forget_group(self, group: str) -> None:
        self._write({"what": "forget-group", "group": group})

    def forget_topic(self, topic: str) -> None:
        self._write({"what": "forget-topic", "topic": topic})

    async def sync(self) -> None:
        """Returns when every change so far is on the disk."""
        async with self._flushing:
            if self._dirty:
                self._dirty = False
                await asyncio.to_thread(os.fdatasync, self._file.fileno())

    def close(self) -> None:
        self._file.close()


def _line(change: dict[str, Any]) -> bytes:
    return json.dumps(change, separators=(",", ":")).encode() + b"\n"


def _commit_change(group: str, offsets: dict[tuple[str, int], Committed]) -> dict[str, Any]:
    rows = [
        [topic, partition, committed.offset, committed.metadata]
        for (topic, partition), committed in offsets.items()
    ]
    return {"what": "commit", "group": group, "offsets": rows}


def _group_to_json(group: StoredGroup) -> dict[str, Any]:
    return {
        "protocol_type": group.protocol_type,
        "generation": group.generation,
        "protocol": group.protocol,
        "leader": group.leader,
        "members": [
            {
                "member_id": member.member_id,
                "client_id": member.client_id,
                "client_host": member.client_host,
                "session_timeout_ms": member.session_timeout_ms,
                "rebalance_timeout_ms": member.rebalance_timeout_ms,
                "protocols": {name: _to_text(data) for name, data in member.protocols.items()},
                "assignment": _to_text(member.assignment),
            }
            for member in group.members
        ],
    }


def _group_from_json(state: dict[str, Any]) -> StoredGroup:
    members = [
        StoredMember(
            **{
                **member,
                "protocols": {name: base64.b64decode(text) for name, text in member["protocols"].items()},
                "assignment": base64.b64decode(member["assignment"]),
            }
        )
        for member in state["members"]
    ]
    return StoredGroup(**{**state, "members": members})


def _to_text(data: bytes) -> str:
    return base64.b64encode(data).decode()
