"""Rejects that an operator sends back: each service takes its own again, through the door they came by."""

from collections.abc import Awaitable, Callable, Sequence

from kommunepuls_events import Topic
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.topics import REPLAYS

from kommunepuls_chassis.consumer import Handler, Received

TakeAgain = Callable[[str, str, bytes], Awaitable[None]]
"""Takes source id, entry and bytes again; it rejects anew what it still cannot take."""


def replay_handler(service: str, take_again: TakeAgain) -> dict[Topic, Handler]:
    """The handler row for an :class:`~kommunepuls_chassis.consumer.EventConsumer` of an ingest service."""

    async def handle(records: Sequence[Received]) -> None:
        for record in records:
            letter = DeadLetter.from_headers(record.raw.headers)
            if letter.service == service:
                await take_again(letter.source, letter.entry, record.raw.value or b"")

    return {REPLAYS: handle}
