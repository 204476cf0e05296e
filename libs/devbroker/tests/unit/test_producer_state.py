import pytest
from kommunepuls_devbroker.errors import BrokerError, ErrorCode
from kommunepuls_devbroker.storage.batches import SEQUENCE_LIMIT, BatchHeader
from kommunepuls_devbroker.storage.producer_state import REMEMBERED_BATCHES, ProducerStates

PRODUCER = 7


def header(sequence, *, count=1, epoch=0, producer=PRODUCER, offset=0):
    return BatchHeader(offset, 100, 0, 2, 0, 0, count - 1, 0, 0, producer, epoch, sequence, count)


@pytest.fixture
def states():
    return ProducerStates()


def code_of(states, batch):
    with pytest.raises(BrokerError) as refusal:
        states.offset_if_repeated(batch)
    return refusal.value.code


def test_the_next_batch_is_no_repetition(states):
    states.remember(header(0, count=3, offset=10))
    assert states.offset_if_repeated(header(3)) is None


def test_a_repetition_has_the_offset_of_the_first_time(states):
    states.remember(header(0, count=3, offset=10))
    states.remember(header(3, offset=13))
    assert states.offset_if_repeated(header(0, count=3)) == 10
    assert states.offset_if_repeated(header(3)) == 13


def test_batches_further_back_than_can_be_in_flight_are_out_of_order(states):
    for sequence in range(REMEMBERED_BATCHES + 1):
        states.remember(header(sequence, offset=sequence))
    assert states.offset_if_repeated(header(1)) == 1
    assert code_of(states, header(0)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_gap_is_out_of_order(states):
    states.remember(header(0))
    assert code_of(states, header(2)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_new_epoch_starts_at_nothing_and_shuts_the_old_one_out(states):
    states.remember(header(5))
    assert code_of(states, header(6, epoch=1)) is ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert states.offset_if_repeated(header(0, epoch=1)) is None
    states.remember(header(0, epoch=1))
    assert code_of(states, header(6)) is ErrorCode.INVALID_PRODUCER_EPOCH


def test_the_sequence_wraps_around(states):
    states.remember(header(SEQUENCE_LIMIT - 2, count=2))
    assert states.offset_if_repeated(header(0)) is None


def test_an_unknown_producer_may_go_on_where_it_was(states):
    # Its batches may have gone by retention; Apache Kafka too takes whatever comes first.
    assert states.offset_if_repeated(header(500)) is None


def test_plain_producers_are_not_remembered(states):
    states.remember(header(-1, producer=-1, epoch=-1))
    assert states.offset_if_repeated(header(-1, producer=-1, epoch=-1)) is None
