"""Frames as they come out of a stream of bytes, however it is cut into pieces."""

import struct
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_devbroker.connection import Connection

SMALL = 65_536
LIMIT = 400_000


class Paused:
    """A transport of which nothing more is asked."""

    def __init__(self) -> None:
        self.aborted = False

    def pause_reading(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


def connection() -> Connection:
    """Not connected: what it receives is given to it by hand, and nobody takes its frames."""
    broker = SimpleNamespace(settings=SimpleNamespace(maximum_request_bytes=LIMIT))
    made = Connection(broker, set())
    made._transport = Paused()
    return made


def frame(number: int, length: int) -> bytes:
    return struct.pack(">i", length) + bytes([number % 251 + 1]) * length


def receive(receiver: Connection, stream: bytes, pieces: list[int]) -> None:
    """Let the bytes come in pieces, each no larger than the room that is offered for it."""
    position = turn = 0
    while position < len(stream):
        room = receiver.get_buffer(-1)
        assert len(room) > 0
        size = min(len(room), pieces[turn % len(pieces)], len(stream) - position)
        room[:size] = stream[position : position + size]
        receiver.buffer_updated(size)
        position, turn = position + size, turn + 1


lengths = st.sampled_from(
    [1, 2, 100, 30_000, SMALL - 5, SMALL - 4, SMALL - 3, SMALL, SMALL + 1, 200_000, LIMIT]
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(lengths, min_size=1, max_size=12),
    st.lists(st.sampled_from([1, 3, 4, 5, 1_000, 65_535, 65_536, 262_144]), min_size=1, max_size=5),
)
def test_frames_are_whole_whatever_pieces_they_come_in(sizes: list[int], pieces: list[int]) -> None:
    if max(pieces) < 1_000:  # byte by byte is tried with what is short
        sizes = [size % 2_000 + 1 for size in sizes]
    expected = [frame(number, size)[4:] for number, size in enumerate(sizes)]
    receiver = connection()
    receive(receiver, b"".join(frame(number, size) for number, size in enumerate(sizes)), pieces)
    assert [bytes(one) for one in receiver._frames] == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(lengths, min_size=2, max_size=8))
def test_memory_that_is_used_again_holds_the_next_frame_alone(sizes: list[int]) -> None:
    receiver = connection()
    for number, size in enumerate(sizes):
        receive(receiver, frame(number, size), [50_000])
        taken = receiver._frames.popleft()
        assert bytes(taken) == frame(number, size)[4:]
        assert not receiver._frames
        if isinstance(taken, memoryview):
            receiver._spare = taken.obj


@pytest.mark.parametrize("length", [0, -1, LIMIT + 1])
def test_a_length_that_cannot_be_ends_the_connection(length: int) -> None:
    receiver = connection()
    receive(receiver, struct.pack(">i", length), [4])
    assert receiver._transport.aborted
    assert not receiver._frames
