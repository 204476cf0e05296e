import pytest
from kommunepuls_devbroker.errors import BrokerError, BrokerStartError, ErrorCode
from kommunepuls_devbroker.storage.batches import read_header, read_records
from kommunepuls_devbroker.storage.partition_log import PartitionLog
from kommunepuls_devbroker.storage.retention import drop_old_segments
from kommunepuls_devbroker.storage.topic_config import TopicConfig

NOW_MS = 1_000_000
BIG = b"x" * 400_000
SMALL_SEGMENTS = {"segment.bytes": "1048576", "retention.ms": "-1"}


@pytest.fixture
def open_log(tmp_path):
    opened = []

    def open_it(**overrides):
        log = PartitionLog(tmp_path / "0", TopicConfig(overrides))
        opened.append(log)
        return log

    yield open_it
    for log in opened:
        log.close()


def offsets(log, start, maximum_bytes=1):
    data = log.read(start, maximum_bytes)
    found = []
    while data:
        size = read_header(data).size
        found += [record.offset for record in read_records(data[:size])]
        data = data[size:]
    return found


def code_of(call, *arguments):
    with pytest.raises(BrokerError) as refusal:
        call(*arguments)
    return refusal.value.code


def test_a_read_hands_out_whole_batches_within_the_limit_and_at_least_one(open_log, make_batch):
    log = open_log()
    batch = make_batch((None, b"a"), (None, b"b"))
    for _ in range(3):
        log.append(batch, NOW_MS)
    assert offsets(log, 0, maximum_bytes=1) == [0, 1]
    assert offsets(log, 3, maximum_bytes=1) == [2, 3]
    assert offsets(log, 0, maximum_bytes=2 * len(batch)) == [0, 1, 2, 3]
    assert offsets(log, 0, maximum_bytes=2 * len(batch) + 5) == [0, 1, 2, 3]
    assert offsets(log, 0, maximum_bytes=10_000) == [0, 1, 2, 3, 4, 5]
    assert offsets(log, 6) == []


def test_offsets_outside_the_log_are_out_of_range(open_log, make_batch):
    log = open_log()
    log.append(make_batch((None, b"a")), NOW_MS)
    assert code_of(log.read, 2, 1) is ErrorCode.OFFSET_OUT_OF_RANGE
    log.delete_before(1)
    assert code_of(log.read, 0, 1) is ErrorCode.OFFSET_OUT_OF_RANGE
    assert code_of(log.delete_before, 2) is ErrorCode.OFFSET_OUT_OF_RANGE


def test_a_full_segment_is_followed_by_the_next_and_all_are_read_again(open_log, make_batch):
    log = open_log(**SMALL_SEGMENTS)
    for _ in range(5):
        log.append(make_batch((None, BIG)), NOW_MS)
    assert [segment.base_offset for segment in log.segments] == [0, 2, 4]
    log.close()
    reopened = open_log(**SMALL_SEGMENTS)
    assert (reopened.start_offset, reopened.end_offset) == (0, 5)
    assert [offsets(reopened, number)[0] for number in range(5)] == [0, 1, 2, 3, 4]


def test_a_segment_past_its_time_is_followed_by_the_next(open_log, make_batch):
    log = open_log(**{"segment.ms": "1000"})
    log.append(make_batch((None, b"a"), timestamp_ms=NOW_MS), NOW_MS)
    log.append(make_batch((None, b"b"), timestamp_ms=NOW_MS), NOW_MS + 900)
    log.append(make_batch((None, b"c"), timestamp_ms=NOW_MS), NOW_MS + 1_001)
    assert [segment.base_offset for segment in log.segments] == [0, 2]


def test_a_timestamp_is_found_in_the_middle_of_a_batch(open_log, make_batch):
    log = open_log()
    log.append(make_batch((None, b"a"), (None, b"b"), timestamp_ms=100), NOW_MS)
    log.append(make_batch((None, b"c"), (None, b"d"), timestamp_ms=200), NOW_MS)
    assert log.find_timestamp(101) == (1, 101)
    assert log.find_timestamp(102) == (2, 200)
    assert log.find_timestamp(202) is None


def test_age_drops_whole_segments_and_at_last_the_active_one(open_log, make_batch):
    log = open_log(**{"segment.bytes": "1048576", "retention.ms": "1000"})
    for timestamp in (100, 200, 5_000, 5_100, 9_000):
        log.append(make_batch((None, BIG), timestamp_ms=timestamp), NOW_MS)
    drop_old_segments(log, 5_500)
    assert log.start_offset == 2
    drop_old_segments(log, 9_500)
    assert log.start_offset == 4
    drop_old_segments(log, 20_000)
    assert (log.start_offset, log.end_offset, log.size) == (5, 5, 0)
    assert log.append(make_batch((None, b"next")), NOW_MS) == 5


def test_size_never_drops_below_what_is_to_be_kept(open_log, make_batch):
    log = open_log(**SMALL_SEGMENTS, **{"retention.bytes": "1000000"})
    for _ in range(7):
        log.append(make_batch((None, BIG)), NOW_MS)
    drop_old_segments(log, NOW_MS)
    assert log.start_offset == 4
    assert log.size >= 1_000_000


def test_a_compacted_topic_does_not_age(open_log, make_batch):
    log = open_log(**{"cleanup.policy": "compact", "retention.ms": "1"})
    log.append(make_batch((b"k", b"v"), timestamp_ms=1), NOW_MS)
    drop_old_segments(log, NOW_MS)
    assert (log.start_offset, log.end_offset) == (0, 1)


def test_a_deleted_start_frees_its_segments_and_is_known_after_reopening(open_log, make_batch):
    log = open_log(**SMALL_SEGMENTS)
    for _ in range(5):
        log.append(make_batch((None, BIG)), NOW_MS)
    log.delete_before(3)
    drop_old_segments(log, NOW_MS)
    assert [segment.base_offset for segment in log.segments] == [2, 4]
    log.close()
    assert open_log(**SMALL_SEGMENTS).start_offset == 3


@pytest.mark.parametrize("cut", [1, 30, 70])
def test_a_torn_tail_is_cut_off_at_the_last_whole_batch(open_log, make_batch, cut):
    log = open_log()
    batch = make_batch((None, b"a" * 20))
    for _ in range(3):
        log.append(batch, NOW_MS)
    log.close()
    path = log.segments[0].path
    with path.open("r+b") as file:
        file.truncate(3 * len(batch) - cut)
    reopened = open_log()
    assert reopened.end_offset == 2
    assert path.stat().st_size == 2 * len(batch)


def test_a_tail_of_zeros_is_cut_off(open_log, make_batch):
    log = open_log()
    log.append(make_batch((None, b"a")), NOW_MS)
    log.close()
    with log.segments[0].path.open("ab") as file:
        file.write(bytes(500))
    assert open_log().end_offset == 1


def test_damage_in_the_middle_is_not_cut_away(open_log, make_batch):
    log = open_log(**SMALL_SEGMENTS)
    for _ in range(5):
        log.append(make_batch((None, BIG)), NOW_MS)
    log.close()
    with log.segments[0].path.open("r+b") as file:
        file.truncate(500_000)
    with pytest.raises(BrokerStartError, match="damaged"):
        open_log(**SMALL_SEGMENTS)


def test_what_the_topic_does_not_allow_is_refused(open_log, make_batch):
    log = open_log(**{"max.message.bytes": "1000", "cleanup.policy": "compact"})
    assert code_of(log.append, make_batch((b"k", b"x" * 1_000)), NOW_MS) is ErrorCode.MESSAGE_TOO_LARGE
    assert code_of(log.append, make_batch((None, b"v")), NOW_MS) is ErrorCode.INVALID_RECORD
    in_two_hours = NOW_MS + 7_200_000
    ahead = make_batch((b"k", b"v"), timestamp_ms=in_two_hours)
    assert code_of(log.append, ahead, NOW_MS) is ErrorCode.INVALID_TIMESTAMP
    assert log.end_offset == 0


def test_a_write_that_fails_leaves_nothing_behind(open_log, make_batch, monkeypatch):
    log = open_log()
    log.append(make_batch((None, b"a")), NOW_MS)
    size = log.size
    writes = iter([20])

    def fills_the_disk(descriptor, data, position):
        for count in writes:
            return count
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", fills_the_disk)
    assert code_of(log.append, make_batch((None, b"b")), NOW_MS) is ErrorCode.STORAGE_ERROR
    monkeypatch.undo()
    assert log.segments[0].path.stat().st_size == size
    assert log.append(make_batch((None, b"c")), NOW_MS) == 1
