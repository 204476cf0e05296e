"""Places of the attention budget. One is taken by one message alone, whichever process asks, and kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from kommunepuls_chassis.store.conditions import any_of, below
from kommunepuls_chassis.store.port import Collection, DocumentStore, Index


@dataclass(frozen=True, slots=True)
class Day:
    """One resident's day, on their own clock."""

    subscriber: str
    day: date

    def __str__(self) -> str:
        return f"{self.subscriber} {self.day}"


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a day, by its number from 0, and the subject of the message that takes it."""

    day: Day
    number: int
    subject: str


class Attention:
    """Places by day and number."""

    def __init__(self, places: Collection) -> None:
        self._places = places

    @classmethod
    async def open(cls, store: DocumentStore) -> "Attention":
        """The places in that store."""
        indexes = [Index("day"), Index("subscriber"), Index("taken_at")]
        return cls(await store.collection("attention", indexes=indexes))

    async def taken(self, days: Iterable[Day]) -> dict[Day, dict[int, str]]:
        """The places of these days that are taken: subjects by number."""
        wanted = {str(day): day for day in days}
        taken: dict[Day, dict[int, str]] = {day: {} for day in wanted.values()}
        for found in await self._places.find({"day": any_of(wanted)}):
            taken[wanted[found.document["day"]]][found.document["number"]] = found.document["subject"]
        return taken

    async def take(self, places: Sequence[Place], now: datetime) -> list[bool]:
        """Take each; False for one that somebody else has taken."""
        return await self._places.insert_many(
            (
                f"{place.day} {place.number}",
                {
                    "day": str(place.day),
                    "subscriber": place.day.subscriber,
                    "number": place.number,
                    "subject": place.subject,
                    "taken_at": now,
                },
            )
            for place in places
        )

    async def erase(self, subscriber: str) -> None:
        """Forget all of one subscriber."""
        await self._places.delete_where({"subscriber": subscriber})

    async def purge(self, before: datetime) -> int:
        """Forget what was taken earlier; returns how many there were."""
        return await self._places.delete_where({"taken_at": below(before)})
