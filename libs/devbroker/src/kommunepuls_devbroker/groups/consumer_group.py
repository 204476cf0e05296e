"""One consumer group: the join/sync rounds in which its members agree who reads what.

The states and answers are those of Apache Kafka's classic group protocol
(https://kafka.apache.org/documentation/#consumerconfigs_group.protocol; KIP-62, KIP-394).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.groups.journal import StoredGroup, StoredMember

PENDING_MEMBER_SECONDS = 3.0
"""How long a round waits for a member that was given its id and has not come back with it."""


class GroupState(StrEnum):
    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


@dataclass
class Member:
    stored: StoredMember
    joining: asyncio.Future[JoinResult] | None = None
    syncing: asyncio.Future[bytes] | None = None
    expiry: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """A member whose request we hold is alive, though it cannot send heartbeats meanwhile."""
        return any(waiter is not None and not waiter.done() for waiter in (self.joining, self.syncing))


@dataclass(frozen=True)
class JoinResult:
    generation: int
    protocol: str
    leader: str
    member_id: str
    members: list[tuple[str, bytes]]
    """(member id, subscription) of everybody, for the leader; empty for the others."""


@dataclass(frozen=True)
class JoinRequest:
    member_id: str
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocols: dict[str, bytes]


class ConsumerGroup:
    """Members come, agree, leave and time out; `on_settled` is called with what is to be stored."""

    def __init__(
        self,
        initial_delay: float,
        on_settled: Callable[[StoredGroup], None],
        stored: StoredGroup | None = None,
    ) -> None:
        self._initial_delay = initial_delay
        self._on_settled = on_settled
        self.state = GroupState.EMPTY
        self.protocol_type = ""
        self.protocol = ""
        self.generation = 0
        self.leader = ""
        self.members: dict[str, Member] = {}
        self._pending: dict[str, asyncio.TimerHandle] = {}
        self._round_timer: asyncio.TimerHandle | None = None
        self._is_first_round = False
        if stored is not None:
            self._restore(stored)

    def _restore(self, stored: StoredGroup) -> None:
        self.protocol_type, self.protocol = stored.protocol_type, stored.protocol
        self.generation, self.leader = stored.generation, stored.leader
        for member in stored.members:
            self.members[member.member_id] = Member(member)
            self._touch(member.member_id)
        self.state = GroupState.STABLE if self.members else GroupState.EMPTY

    # -- joining ------------------------------------------------------------------------------

    async def join(self, request: JoinRequest) -> JoinResult:
        """Returns when the round that this request takes part in is complete. Raises BrokerError."""
        self._check_protocols(request)
        if not request.member_id:
            member_id = f"{request.client_id}-{uuid.uuid4()}"
            self._expect(member_id)
            raise BrokerError(ErrorCode.MEMBER_ID_REQUIRED, member_id)
        member = self.members.get(request.member_id)
        if member is None:
            self._stop_expecting(request.member_id)
            member = self._admit(request)
        elif (current := self._current_round(member, request)) is not None:
            self._touch(request.member_id)
            return current
        else:
            self._update(member, request)
        return await self._await_round(member)

    def _check_protocols(self, request: JoinRequest) -> None:
        fits = bool(request.protocols) and bool(request.protocol_type)
        others = [m for m in self.members.values() if m.stored.member_id != request.member_id]
        if others:
            common = set(request.protocols).intersection(*(set(m.stored.protocols) for m in others))
            fits = fits and request.protocol_type == self.protocol_type and bool(common)
        if not fits:
            raise BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
        if (
            request.member_id
            and request.member_id not in self.members
            and request.member_id not in self._pending
        ):
            raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)

    def _expect(self, member_id: str) -> None:
        loop = asyncio.get_running_loop()
        self._pending[member_id] = loop.call_later(PENDING_MEMBER_SECONDS, self._give_up_on, member_id)

    def _stop_expecting(self, member_id: str) -> None:
        self._pending.pop(member_id).cancel()

    def _give_up_on(self, member_id: str) -> None:
        del self._pending[member_id]
        self._complete_if_all_joined()

    def _admit(self, request: JoinRequest) -> Member:
        stored = StoredMember(
            request.member_id,
            request.client_id,
            request.client_host,
            request.session_timeout_ms,
            request.rebalance_timeout_ms,
            request.protocols,
            b"",
        )
        member = self.members[request.member_id] = Member(stored)
        self.protocol_type = request.protocol_type
        return member

    def _update(self, member: Member, request: JoinRequest) -> None:
        member.stored.session_timeout_ms = request.session_timeout_ms
        member.stored.rebalance_timeout_ms = request.rebalance_timeout_ms
        member.stored.protocols = request.protocols

    def _current_round(self, member: Member, request: JoinRequest) -> JoinResult | None:
        """The round as it stands, for a member that asks again with nothing new (its answer was lost)."""
        unchanged = member.stored.protocols == request.protocols
        is_follower = request.member_id != self.leader
        if unchanged and (
            self.state is GroupState.COMPLETING or (self.state is GroupState.STABLE and is_follower)
        ):
            return self._result_for(request.member_id)
        return None

    async def _await_round(self, member: Member) -> JoinResult:
        if member.joining is not None and not member.joining.done():
            member.joining.set_exception(BrokerError(ErrorCode.UNKNOWN_MEMBER_ID, "joined again elsewhere"))
        waiter = member.joining = asyncio.get_running_loop().create_future()
        self._touch(member.stored.member_id)
        if self.state is GroupState.PREPARING:
            self._complete_if_all_joined()
        else:
            self._prepare_round()
        try:
            return await waiter
        finally:
            if member.joining is waiter:
                member.joining = None

    def _prepare_round(self) -> None:
        self._is_first_round = self.state is GroupState.EMPTY
        self.state = GroupState.PREPARING
        for member in self.members.values():
            if member.syncing is not None and not member.syncing.done():
                member.syncing.set_exception(BrokerError(ErrorCode.REBALANCE_IN_PROGRESS))
        longest = max(member.stored.rebalance_timeout_ms for member in self.members.values()) / 1000
        delay = self._initial_delay if self._is_first_round else longest
        self._round_timer = asyncio.get_running_loop().call_later(delay, self._complete_round)
        self._complete_if_all_joined()

    def _complete_if_all_joined(self) -> None:
        # An empty group's first round always lasts its delay, so that members started together share it.
        if self.state is not GroupState.PREPARING or self._is_first_round or self._pending:
            return
        if all(member.joining is not None for member in self.members.values()):
            self._complete_round()

    def _complete_round(self) -> None:
        self._stop_round_timer()
        for member in [m for m in self.members.values() if m.joining is None]:
            self._drop(member)
        if not self.members:
            self._become_empty()
            return
        self.generation += 1
        self.state = GroupState.COMPLETING
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        offered = self.members[self.leader].stored.protocols
        self.protocol = next(
            name for name in offered if all(name in m.stored.protocols for m in self.members.values())
        )
        for member_id, member in self.members.items():
            self._touch(member_id)
            if member.joining is not None and not member.joining.done():
                member.joining.set_result(self._result_for(member_id))

    def _result_for(self, member_id: str) -> JoinResult:
        everybody = [
            (other_id, other.stored.protocols[self.protocol]) for other_id, other in self.members.items()
        ]
        members = everybody if member_id == self.leader else []
        return JoinResult(self.generation, self.protocol, self.leader, member_id, members)

    # -- assignment ---------------------------------------------------------------------------

    async def sync(self, member_id: str, generation: int, assignments: dict[str, bytes]) -> bytes:
        """The member's own part of the leader's assignment, as soon as that is known. Raises BrokerError."""
        member = self._member_of_generation(member_id, generation)
        self._touch(member_id)
        if self.state is GroupState.PREPARING:
            raise BrokerError(ErrorCode.REBALANCE_IN_PROGRESS)
        if self.state is GroupState.COMPLETING and member_id == self.leader:
            self._settle(assignments)
        if self.state is GroupState.STABLE:
            return member.stored.assignment
        waiter = member.syncing = asyncio.get_running_loop().create_future()
        try:
            return await waiter
        finally:
            if member.syncing is waiter:
                member.syncing = None

    def _settle(self, assignments: dict[str, bytes]) -> None:
        self.state = GroupState.STABLE
        for member_id, member in self.members.items():
            member.stored.assignment = assignments.get(member_id, b"")
            self._touch(member_id)
            if member.syncing is not None and not member.syncing.done():
                member.syncing.set_result(member.stored.assignment)
        self._store()

    # -- staying and leaving ------------------------------------------------------------------

    def heartbeat(self, member_id: str, generation: int) -> None:
        """Raises BrokerError: REBALANCE_IN_PROGRESS tells the member to join again."""
        self._member_of_generation(member_id, generation)
        self._touch(member_id)
        if self.state is GroupState.PREPARING:
            raise BrokerError(ErrorCode.REBALANCE_IN_PROGRESS)

    def check_commit(self, member_id: str, generation: int) -> None:
        """Whether a commit may be written. A commit from outside is for a group without members alone.

        Raises BrokerError (UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS).
        """
        if generation < 0 and self.state is GroupState.EMPTY:
            return
        if generation < 0 and not member_id:
            raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
        self._member_of_generation(member_id, generation)
        if self.state is GroupState.COMPLETING:
            raise BrokerError(ErrorCode.REBALANCE_IN_PROGRESS)
        self._touch(member_id)

    def leave(self, member_id: str) -> None:
        """Raises BrokerError (UNKNOWN_MEMBER_ID)."""
        if member_id in self._pending:
            self._stop_expecting(member_id)
            self._complete_if_all_joined()
            return
        member = self.members.get(member_id)
        if member is None:
            raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
        self._remove(member)

    def _member_of_generation(self, member_id: str, generation: int) -> Member:
        member = self.members.get(member_id)
        if member is None:
            raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
        if generation != self.generation:
            raise BrokerError(ErrorCode.ILLEGAL_GENERATION)
        return member

    def _touch(self, member_id: str) -> None:
        member = self.members[member_id]
        if member.expiry is not None:
            member.expiry.cancel()
        loop = asyncio.get_running_loop()
        member.expiry = loop.call_later(member.stored.session_timeout_ms / 1000, self._expire, member_id)

    def _expire(self, member_id: str) -> None:
        member = self.members[member_id]
        if member.is_waiting:
            self._touch(member_id)
        else:
            self._remove(member)

    def _drop(self, member: Member) -> None:
        del self.members[member.stored.member_id]
        if member.expiry is not None:
            member.expiry.cancel()
        for waiter in (member.joining, member.syncing):
            if waiter is not None and not waiter.done():
                waiter.set_exception(BrokerError(ErrorCode.UNKNOWN_MEMBER_ID))

    def _remove(self, member: Member) -> None:
        self._drop(member)
        if not self.members:
            self._stop_round_timer()
            self._become_empty()
        elif self.state is GroupState.PREPARING:
            self._complete_if_all_joined()
        else:
            self._prepare_round()

    def _become_empty(self) -> None:
        self.state = GroupState.EMPTY
        self.generation += 1
        self.leader = ""
        self._store()

    def _stop_round_timer(self) -> None:
        if self._round_timer is not None:
            self._round_timer.cancel()
            self._round_timer = None

    def _store(self) -> None:
        self._on_settled(
            StoredGroup(
                self.protocol_type,
                self.generation,
                self.protocol,
                self.leader,
                [member.stored for member in self.members.values()],
            )
        )

    def close(self) -> None:
        """Stops all timers; held requests end with their connections."""
        self._stop_round_timer()
        for timer in self._pending.values():
            timer.cancel()
        for member in self.members.values():
            if member.expiry is not None:
                member.expiry.cancel()
