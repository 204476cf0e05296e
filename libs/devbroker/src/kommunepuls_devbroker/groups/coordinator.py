"""All consumer groups of the broker, and the offsets they have committed."""

from __future__ import annotations

from functools import partial

from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.groups.consumer_group import ConsumerGroup, GroupState, JoinRequest, JoinResult
from kommunepuls_devbroker.groups.journal import Committed, GroupJournal
from kommunepuls_devbroker.settings import BrokerSettings

MAXIMUM_METADATA_BYTES = 4096


class GroupCoordinator:
    """Finds or creates the group that a request speaks of. Needs a running event loop."""

    def __init__(self, settings: BrokerSettings, journal: GroupJournal) -> None:
        self._settings = settings
        self.journal = journal
        self.groups: dict[str, ConsumerGroup] = {}
        for group_id in journal.groups.keys() | journal.offsets.keys():
            self._create(group_id)

    def _create(self, group_id: str) -> ConsumerGroup:
        group = self.groups[group_id] = ConsumerGroup(
            self._settings.initial_rebalance_delay,
            partial(self.journal.store_group, group_id),
            self.journal.groups.get(group_id),
        )
        return group

    async def join(self, group_id: str, request: JoinRequest) -> JoinResult:
        if not group_id:
            raise BrokerError(ErrorCode.INVALID_GROUP_ID)
        shortest, longest = (
            self._settings.minimum_session_timeout_ms,
            self._settings.maximum_session_timeout_ms,
        )
        if not shortest <= request.session_timeout_ms <= longest:
            raise BrokerError(ErrorCode.INVALID_SESSION_TIMEOUT, f"must be {shortest}..{longest} ms")
        group = self.groups.get(group_id)
        if group is None:
            if request.member_id:
                raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
            group = self._create(group_id)
        return await group.join(request)

    def group_of_member(self, group_id: str) -> ConsumerGroup:
        """Raises BrokerError (UNKNOWN_MEMBER_ID): a group nobody joined has no members."""
        group = self.groups.get(group_id)
        if group is None:
            raise BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
        return group

    def check_commit(self, group_id: str, member_id: str, generation: int) -> None:
        """Raises BrokerError when this member may not commit now."""
        group = self.groups.get(group_id)
        if group is not None:
            group.check_commit(member_id, generation)
        elif generation >= 0:
            raise BrokerError(ErrorCode.ILLEGAL_GENERATION)

    def commit(self, group_id: str, offsets: dict[tuple[str, int], Committed]) -> None:
        if group_id not in self.groups:
            self._create(group_id)
        self.journal.commit(group_id, offsets)

    def committed(self, group_id: str) -> dict[tuple[str, int], Committed]:
        return self.journal.offsets.get(group_id, {})

    def delete(self, group_id: str) -> None:
        """Raises BrokerError (GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP)."""
        group = self.groups.get(group_id)
        if group is None:
            raise BrokerError(ErrorCode.GROUP_ID_NOT_FOUND)
        if group.state is not GroupState.EMPTY:
            raise BrokerError(ErrorCode.NON_EMPTY_GROUP)
        group.close()
        del self.groups[group_id]
        self.journal.forget_group(group_id)

    def close(self) -> None:
        for group in self.groups.values():
            group.close()
        self.journal.close()
