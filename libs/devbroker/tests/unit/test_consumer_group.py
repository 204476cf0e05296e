"""The rounds of a group, without a network: each join and sync is a task, time is the event loop's."""

import asyncio

import pytest
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.groups.consumer_group import ConsumerGroup, GroupState, JoinRequest
from kommunepuls_devbroker.testing import eventually

DELAY = 0.01
SESSION_MS = 150
PROTOCOLS = {"roundrobin": b"topics"}


@pytest.fixture
def stored():
    return []


@pytest.fixture
def group(stored):
    created = ConsumerGroup(DELAY, stored.append)
    yield created
    created.close()


def request(member_id="", protocols=PROTOCOLS, session_ms=SESSION_MS, rebalance_ms=300):
    return JoinRequest(member_id, "client", "/host", session_ms, rebalance_ms, "consumer", dict(protocols))


async def code_of(awaitable):
    with pytest.raises(BrokerError) as refusal:
        await awaitable
    return refusal.value.code


async def new_id(group):
    with pytest.raises(BrokerError) as refusal:
        await group.join(request())
    assert refusal.value.code is ErrorCode.MEMBER_ID_REQUIRED
    return refusal.value.message


async def enter(group, **options):
    member_id = await new_id(group)
    return await group.join(request(member_id, **options))


async def settle(group, *results):
    """All members sync; the leader hands each its own id as assignment."""
    assignments = {result.member_id: result.member_id.encode() for result in results}
    followers_first = sorted(results, key=lambda result: result.member_id == result.leader)
    syncs = [
        asyncio.create_task(
            group.sync(
                result.member_id, result.generation, assignments if result.member_id == result.leader else {}
            )
        )
        for result in followers_first
    ]
    return await asyncio.gather(*syncs)


async def test_members_that_come_together_share_the_first_round(group):
    one, two = await asyncio.gather(enter(group), enter(group))
    assert one.generation == two.generation == 1
    leader = one if one.member_id == one.leader else two
    assert {member_id for member_id, _ in leader.members} == {one.member_id, two.member_id}
    assert await settle(group, one, two)
    assert group.state is GroupState.STABLE


async def test_a_newcomer_starts_a_round_that_the_others_learn_of_by_heartbeat(group):
    one = await enter(group)
    await settle(group, one)
    joining = asyncio.create_task(enter(group))
    await eventually(lambda: group.state is not GroupState.STABLE)
    with pytest.raises(BrokerError) as told:
        group.heartbeat(one.member_id, one.generation)
    assert told.value.code is ErrorCode.REBALANCE_IN_PROGRESS
    again, two = await asyncio.gather(group.join(request(one.member_id)), joining)
    assert again.generation == two.generation == 2


async def test_a_member_that_does_not_come_back_is_dropped_when_the_round_ends(group):
    one = await enter(group, session_ms=60_000, rebalance_ms=100)
    await settle(group, one)
    two = await enter(group, session_ms=60_000, rebalance_ms=100)
    assert two.leader == two.member_id
    assert list(group.members) == [two.member_id]


async def test_a_silent_member_times_out_and_the_rest_is_told(group, stored):
    one, two = await asyncio.gather(enter(group), enter(group, session_ms=60_000))
    await settle(group, one, two)
    await eventually(lambda: group.state is not GroupState.STABLE)
    with pytest.raises(BrokerError) as told:
        group.heartbeat(two.member_id, two.generation)
    assert told.value.code is ErrorCode.REBALANCE_IN_PROGRESS
    rejoined = await group.join(request(two.member_id, session_ms=60_000))
    assert list(group.members) == [two.member_id]
    assert rejoined.leader == two.member_id


async def test_a_member_that_waits_in_a_round_does_not_time_out(group):
    one = await enter(group, session_ms=60_000, rebalance_ms=3 * SESSION_MS)
    await settle(group, one)
    waiting = asyncio.create_task(enter(group))
    two = await waiting
    assert two.member_id in group.members


async def test_a_held_join_whose_client_went_away_does_not_keep_it_a_member(group):
    one = await enter(group, session_ms=60_000)
    await settle(group, one)
    member_id = await new_id(group)
    gone = asyncio.create_task(group.join(request(member_id)))
    await eventually(lambda: group.state is not GroupState.STABLE)
    gone.cancel()
    await asyncio.wait((gone,))
    await eventually(lambda: member_id not in group.members)
    rejoined = await group.join(request(one.member_id, session_ms=60_000))
    assert [member for member, _ in rejoined.members] == [one.member_id]


async def test_a_follower_whose_leader_dies_before_assigning_is_told_to_join_again(group):
    one, two = await asyncio.gather(enter(group), enter(group))
    leader, follower = (one, two) if one.member_id == one.leader else (two, one)
    code = await code_of(group.sync(follower.member_id, follower.generation, {}))
    assert code is ErrorCode.REBALANCE_IN_PROGRESS
    assert leader.member_id not in group.members


async def test_asking_again_with_nothing_new_is_answered_with_the_round_as_it_is(group):
    one, two = await asyncio.gather(enter(group), enter(group))
    follower = two if one.member_id == one.leader else one
    assert await group.join(request(follower.member_id)) == follower
    await settle(group, one, two)
    assert await group.join(request(follower.member_id)) == follower
    assert group.state is GroupState.STABLE


async def test_a_changed_subscription_starts_a_round(group):
    one = await enter(group)
    await settle(group, one)
    changed = await group.join(request(one.member_id, protocols={"roundrobin": b"more topics"}))
    assert changed.generation == one.generation + 1
    assert changed.members == [(one.member_id, b"more topics")]


async def test_the_last_one_to_leave_empties_the_group(group, stored):
    one = await enter(group)
    await settle(group, one)
    group.leave(one.member_id)
    assert group.state is GroupState.EMPTY
    assert [state.members == [] for state in stored] == [False, True]


async def test_strangers_and_old_generations_are_refused(group):
    one = await enter(group)
    await settle(group, one)
    assert await code_of(group.join(request("stranger"))) is ErrorCode.UNKNOWN_MEMBER_ID
    assert await code_of(group.sync("stranger", 1, {})) is ErrorCode.UNKNOWN_MEMBER_ID
    assert await code_of(group.sync(one.member_id, 0, {})) is ErrorCode.ILLEGAL_GENERATION
    foreign = request(await new_id(group), protocols={"sticky": b""})
    assert await code_of(group.join(foreign)) is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert group.state is GroupState.STABLE


def refusal_of_commit(group, member_id, generation):
    try:
        group.check_commit(member_id, generation)
    except BrokerError as refusal:
        return refusal.code
    return None


async def test_who_may_commit(group):
    assert refusal_of_commit(group, "", -1) is None
    one = await enter(group)
    assert refusal_of_commit(group, one.member_id, 1) is ErrorCode.REBALANCE_IN_PROGRESS
    await settle(group, one)
    assert refusal_of_commit(group, one.member_id, 1) is None
    assert refusal_of_commit(group, one.member_id, 0) is ErrorCode.ILLEGAL_GENERATION
    assert refusal_of_commit(group, "stranger", 1) is ErrorCode.UNKNOWN_MEMBER_ID
    assert refusal_of_commit(group, "", -1) is ErrorCode.UNKNOWN_MEMBER_ID
    joining = asyncio.create_task(enter(group))
    await eventually(lambda: group.state is not GroupState.STABLE)
    # In the middle of a round the members of the last generation still commit what they have done.
    assert refusal_of_commit(group, one.member_id, 1) is None
    joining.cancel()


async def test_a_group_is_restored_as_it_was_stored(group, stored):
    one = await enter(group, session_ms=60_000)
    await settle(group, one)
    restored = ConsumerGroup(DELAY, stored.append, stored[-1])
    restored.heartbeat(one.member_id, one.generation)
    assert await restored.sync(one.member_id, one.generation, {}) == one.member_id.encode()
    restored.close()
