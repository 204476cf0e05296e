"""A key goes to the partition that every other Kafka client would choose."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st
from kommunepuls_chassis.partitions import partition_of

PARTITIONER = DefaultPartitioner()


@given(key=st.binary(max_size=70), count=st.integers(1, 64))
def test_it_is_the_one_of_the_default_partitioner(key: bytes, count: int) -> None:
    partitions = list(range(count))
    assert partition_of(key, count) == PARTITIONER(key, partitions, partitions)
