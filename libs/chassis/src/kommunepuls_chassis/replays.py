"""Rejects that an operator sends back: each service takes its own again, through the door they came by."""

from collections.abc import Awaitable, Callable, Sequence

from kommunepuls_events import ContentItemV1, Topic
from kommunepuls_events.dead_letters import DeadLetter
from kommunepuls_events.rules import DROPPED_ENTRY
from kommunepuls_events.topics import REPLAYS
from pydantic import ValidationError

from kommunepuls_chassis.consumer import Handler, Received
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.journal import ItemJournal

TakeAgain = Callable[[str, str, bytes], Awaitable[None]]
"""Takes source id, entry and bytes again; it rejects anew what it still cannot take."""


def replay_handler(service: str, take_again: TakeAgain, journal: ItemJournal) -> dict[Topic, Handler]:
    """The handler row for an :class:`~kommunepuls_chassis.consumer.EventConsumer` of an ingest service.

    An item that a content rule had dropped is published: an editor let it through.
    """

    async def handle(records: Sequence[Received]) -> None:
        for record in records:
            letter = DeadLetter.from_headers(record.raw.headers)
            raw = record.raw.value or b""
            if letter.service != service:
                continue
            if letter.entry == DROPPED_ENTRY:
                await journal.observe(_item(raw), drop=False)
            else:
                await take_again(letter.source, letter.entry, raw)

    return {REPLAYS: handle}


def _item(raw: bytes) -> ContentItemV1:
    try:
        return ContentItemV1.model_validate_json(raw)
    except ValidationError as error:
        raise PermanentError(f"is no item: {error.error_count()} faults", reason="invalid-item") from None
