"""Consumer groups: membership, offsets and their administration."""

from __future__ import annotations

from aiokafka.protocol.admin import (
    DeleteGroupsRequest_v1,
    DeleteGroupsResponse_v1,
    DescribeGroupsRequest_v2,
    DescribeGroupsResponse_v2,
    ListGroupsRequest_v1,
    ListGroupsResponse_v1,
)
from aiokafka.protocol.commit import (
    OffsetCommitRequest_v3,
    OffsetCommitResponse_v3,
    OffsetFetchRequest_v3,
    OffsetFetchResponse_v3,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest_v1, FindCoordinatorResponse_v1
from aiokafka.protocol.group import (
    HeartbeatRequest_v1,
    HeartbeatResponse_v1,
    JoinGroupRequest_v5,
    JoinGroupResponse_v5,
    LeaveGroupRequest_v1,
    LeaveGroupResponse_v1,
    SyncGroupRequest_v3,
    SyncGroupResponse_v3,
)

from kommunepuls_devbroker.broker import NODE_ID, Broker, Client
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.groups.consumer_group import JoinRequest
from kommunepuls_devbroker.groups.coordinator import MAXIMUM_METADATA_BYTES
from kommunepuls_devbroker.groups.journal import Committed

_GROUP_COORDINATOR = 0
_NOT_COMMITTED = Committed(-1, "")


async def find_coordinator(
    broker: Broker, request: FindCoordinatorRequest_v1, client: Client
) -> FindCoordinatorResponse_v1:
    if request.coordinator_type != _GROUP_COORDINATOR:
        return FindCoordinatorResponse_v1(
            throttle_time_ms=0,
            error_code=ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            error_message="The development broker offers no transactions.",
            coordinator_id=-1,
            host="",
            port=-1,
        )
    return FindCoordinatorResponse_v1(
        throttle_time_ms=0,
        error_code=ErrorCode.NONE,
        error_message=None,
        coordinator_id=NODE_ID,
        host=client.reached_host,
        port=client.reached_port,
    )


async def join_group(broker: Broker, request: JoinGroupRequest_v5, client: Client) -> JoinGroupResponse_v5:
    joining = JoinRequest(
        request.member_id,
        client.client_id,
        client.host,
        request.session_timeout,
        request.rebalance_timeout,
        request.protocol_type,
        dict(request.group_protocols),
    )
    try:
        result = await broker.coordinator.join(request.group, joining)
    except BrokerError as refusal:
        assigned_id = refusal.message if refusal.code is ErrorCode.MEMBER_ID_REQUIRED else request.member_id
        return JoinGroupResponse_v5(
            throttle_time_ms=0,
            error_code=refusal.code,
            generation_id=-1,
            group_protocol="",
            leader_id="",
            member_id=assigned_id,
            members=[],
        )
    return JoinGroupResponse_v5(
        throttle_time_ms=0,
        error_code=ErrorCode.NONE,
        generation_id=result.generation,
        group_protocol=result.protocol,
        leader_id=result.leader,
        member_id=result.member_id,
        members=[(member_id, None, subscription) for member_id, subscription in result.members],
    )


async def sync_group(broker: Broker, request: SyncGroupRequest_v3, client: Client) -> SyncGroupResponse_v3:
    assignment, code = b"", ErrorCode.NONE
    try:
        group = broker.coordinator.group_of_member(request.group)
        assignment = await group.sync(
            request.member_id, request.generation_id, dict(request.group_assignment)
        )
        await broker.make_commit_durable()
    except BrokerError as refusal:
        code = refusal.code
    return SyncGroupResponse_v3(throttle_time_ms=0, error_code=code, member_assignment=assignment)


async def heartbeat(broker: Broker, request: HeartbeatRequest_v1, client: Client) -> HeartbeatResponse_v1:
    code = ErrorCode.NONE
    try:
        group = broker.coordinator.group_of_member(request.group)
        group.heartbeat(request.member_id, request.generation_id)
    except BrokerError as refusal:
        code = refusal.code
    return HeartbeatResponse_v1(throttle_time_ms=0, error_code=code)


async def leave_group(broker: Broker, request: LeaveGroupRequest_v1, client: Client) -> LeaveGroupResponse_v1:
    code = ErrorCode.NONE
    try:
        broker.coordinator.group_of_member(request.group).leave(request.member_id)
    except BrokerError as refusal:
        code = refusal.code
    return LeaveGroupResponse_v1(throttle_time_ms=0, error_code=code)


async def commit_offsets(
    broker: Broker, request: OffsetCommitRequest_v3, client: Client
) -> OffsetCommitResponse_v3:
    group_code = ErrorCode.NONE
    try:
        broker.coordinator.check_commit(
            request.consumer_group, request.consumer_id, request.consumer_group_generation_id
        )
    except BrokerError as refusal:
        group_code = refusal.code
    accepted: dict[tuple[str, int], Committed] = {}
    topics = []
    for topic, partitions in request.topics:
        rows = []
        for partition, offset, details in partitions:
            code = group_code or _check_committed(broker, topic, partition, details)
            if code is ErrorCode.NONE:
                accepted[(topic, partition)] = Committed(offset, details or "")
            rows.append((partition, code))
        topics.append((topic, rows))
    if accepted:
        broker.coordinator.commit(request.consumer_group, accepted)
        await broker.make_commit_durable()
    return OffsetCommitResponse_v3(throttle_time_ms=0, topics=topics)


def _check_committed(broker: Broker, topic: str, partition: int, details: str | None) -> ErrorCode:
    if details and len(details.encode()) > MAXIMUM_METADATA_BYTES:
        return ErrorCode.OFFSET_METADATA_TOO_LARGE
    try:
        broker.catalog.partition(topic, partition)
    except BrokerError as refusal:
        return refusal.code
    return ErrorCode.NONE


async def fetch_offsets(
    broker: Broker, request: OffsetFetchRequest_v3, client: Client
) -> OffsetFetchResponse_v3:
    committed = broker.coordinator.committed(request.consumer_group)
    wanted: dict[str, list[int]] = {}
    if request.topics is None:
        for topic, partition in committed:
            wanted.setdefault(topic, []).append(partition)
    else:
        wanted = dict(request.topics)
    topics = [
        (
            topic,
            [
                (partition, *committed.get((topic, partition), _NOT_COMMITTED), ErrorCode.NONE)
                for partition in partitions
            ],
        )
        for topic, partitions in wanted.items()
    ]
    return OffsetFetchResponse_v3(throttle_time_ms=0, topics=topics, error_code=ErrorCode.NONE)


async def describe_groups(
    broker: Broker, request: DescribeGroupsRequest_v2, client: Client
) -> DescribeGroupsResponse_v2:
    return DescribeGroupsResponse_v2(
        throttle_time_ms=0, groups=[_describe(broker, group_id) for group_id in request.groups]
    )


def _describe(broker: Broker, group_id: str) -> tuple:
    group = broker.coordinator.groups.get(group_id)
    if group is None:
        return (ErrorCode.NONE, group_id, "Dead", "", "", [])
    members = [
        (
            member_id,
            member.stored.client_id,
            member.stored.client_host,
            member.stored.protocols.get(group.protocol, b""),
            member.stored.assignment,
        )
        for member_id, member in group.members.items()
    ]
    return (ErrorCode.NONE, group_id, group.state.value, group.protocol_type, group.protocol, members)


async def list_groups(broker: Broker, request: ListGroupsRequest_v1, client: Client) -> ListGroupsResponse_v1:
    groups = [(group_id, group.protocol_type) for group_id, group in broker.coordinator.groups.items()]
    return ListGroupsResponse_v1(throttle_time_ms=0, error_code=ErrorCode.NONE, groups=groups)


async def delete_groups(
    broker: Broker, request: DeleteGroupsRequest_v1, client: Client
) -> DeleteGroupsResponse_v1:
    results = []
    for group_id in request.groups_names:
        code = ErrorCode.NONE
        try:
            broker.coordinator.delete(group_id)
        except BrokerError as refusal:
            code = refusal.code
        results.append((group_id, code))
    return DeleteGroupsResponse_v1(throttle_time_ms=0, results=results)
