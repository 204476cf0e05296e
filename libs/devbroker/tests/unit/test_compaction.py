import pytest
from kommunepuls_devbroker.storage.batches import read_records
from kommunepuls_devbroker.storage.compaction import compact
from kommunepuls_devbroker.storage.partition_log import PartitionLog
from kommunepuls_devbroker.storage.topic_config import TopicConfig

NOW_MS = 1_000_000
GRACE_MS = 5_000
CONFIG = {"cleanup.policy": "compact", "delete.retention.ms": str(GRACE_MS)}


@pytest.fixture
def open_log(tmp_path):
    opened = []

    def open_it(**overrides):
        log = PartitionLog(tmp_path / "0", TopicConfig({**CONFIG, **overrides}))
        opened.append(log)
        return log

    yield open_it
    for log in opened:
        log.close()


def write(log, make_batch, *pairs):
    """One batch, in a segment of its own that is closed."""
    log.append(make_batch(*pairs), NOW_MS)
    log.roll()


def content(log):
    records = [r for s in log.segments for batch in s.batches() for r in read_records(batch)]
    return [(record.key, record.offset) for record in records]


async def test_the_last_of_each_key_stays(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"), (b"b", b"1"))
    write(log, make_batch, (b"a", b"2"), (b"a", b"3"))
    await compact(log, NOW_MS)
    assert content(log) == [(b"b", 1), (b"a", 3)]
    assert log.end_offset == 4


async def test_the_active_segment_is_left_alone_and_does_not_count(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"))
    log.append(make_batch((b"a", b"2")), NOW_MS)
    await compact(log, NOW_MS)
    assert content(log) == [(b"a", 0), (b"a", 1)]


async def test_a_segment_without_records_goes_and_readers_pass_the_gap(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"))
    write(log, make_batch, (b"b", b"1"))
    write(log, make_batch, (b"a", b"2"), (b"b", b"2"))
    await compact(log, NOW_MS)
    assert [segment.base_offset for segment in log.segments] == [2, 4]
    assert [record.offset for record in read_records(log.read(log.start_offset, 1))] == [2, 3]
    assert [record.offset for record in read_records(log.read(0, 1))] == [2, 3]


async def test_what_was_compacted_is_the_same_after_reopening(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"), (b"b", b"1"))
    write(log, make_batch, (b"a", b"2"))
    await compact(log, NOW_MS)
    before = content(log)
    log.close()
    reopened = open_log()
    assert content(reopened) == before == [(b"b", 1), (b"a", 2)]
    assert reopened.end_offset == 3


async def test_a_tombstone_stays_for_its_grace_counted_from_the_first_compaction(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"), (b"a", None))
    await compact(log, NOW_MS)
    assert content(log) == [(b"a", 1)]
    write(log, make_batch, (b"b", b"1"))
    await compact(log, NOW_MS + GRACE_MS - 1)
    assert content(log) == [(b"a", 1), (b"b", 2)]
    await compact(log, NOW_MS + GRACE_MS)
    assert content(log) == [(b"b", 2)]


async def test_a_key_that_comes_back_after_its_tombstone_stays(open_log, make_batch):
    log = open_log()
    write(log, make_batch, (b"a", b"1"), (b"a", None), (b"a", b"2"))
    await compact(log, NOW_MS)
    await compact(log, NOW_MS + 2 * GRACE_MS)
    assert content(log) == [(b"a", 2)]


async def test_nothing_is_rewritten_for_a_small_share_of_new_records(open_log, make_batch):
    log = open_log()
    for number in range(4):
        write(log, make_batch, (b"%d" % number, b"1"))
    await compact(log, NOW_MS)
    write(log, make_batch, (b"0", b"2"))
    await compact(log, NOW_MS)
    assert (b"0", 0) in content(log)
    for number in range(1, 4):
        write(log, make_batch, (b"%d" % number, b"2"))
    await compact(log, NOW_MS)
    assert content(log) == [(b"0", 4), (b"1", 5), (b"2", 6), (b"3", 7)]


async def test_what_is_younger_than_the_lag_is_left_alone(open_log, make_batch):
    log = open_log(**{"min.compaction.lag.ms": "10000"})
    log.append(make_batch((b"a", b"1"), (b"a", b"2"), timestamp_ms=NOW_MS), NOW_MS)
    log.roll()
    await compact(log, NOW_MS + 9_999)
    assert len(content(log)) == 2
    await compact(log, NOW_MS + 10_002)
    assert len(content(log)) == 1


async def test_a_half_written_file_of_a_killed_compaction_is_forgotten(open_log, make_batch, tmp_path):
    log = open_log()
    write(log, make_batch, (b"a", b"1"))
    log.close()
    leftover = tmp_path / "0" / f"{0:020d}.cleaned"
    leftover.write_bytes(b"half")
    assert content(open_log()) == [(b"a", 0)]
    assert not leftover.exists()


async def test_an_active_segment_past_its_time_is_closed_and_compacted_without_a_further_write(
    open_log, make_batch
):
    log = open_log(**{"segment.ms": "1000"})
    log.append(make_batch((b"a", b"1"), (b"a", b"2"), timestamp_ms=NOW_MS), NOW_MS)
    await compact(log, NOW_MS + 1_000)
    assert len(content(log)) == 2
    await compact(log, NOW_MS + 1_002)
    assert content(log) == [(b"a", 1)]
