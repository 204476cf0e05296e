"""The readings that were matched already, from which a partition's thresholds are rebuilt.

What was matched are the readings that the router had done with when it committed, without those whose
offers still lie ahead of the partition's committed offset, and with those whose offers lie behind it. So a
threshold passed while no process ran is found armed, and one that was told of is found fired.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from aiokafka import ConsumerRecord
from kommunepuls_events import Quality
from kommunepuls_events.base import utc_now
from kommunepuls_events.topics import OFFERS, SENSOR_READINGS
from pydantic import AwareDatetime, BaseModel, ValidationError

from personaliser.adapters.log_reading import read_stretches
from personaliser.adapters.offsets import Offsets
from personaliser.domain.thresholds import Observation
from personaliser.settings import PersonaliserSettings

# The router commits every half second: its last offers before a partition's committed offset are among these.
_OFFERS_LOOKED_AT = 20_000

_Identity = tuple[str, str, datetime]


class _Reading(BaseModel):
    """The fields of a reading that thresholds need; decoding these alone is several times quicker."""

    sensor: str
    observed_property: str
    value: float | None = None
    quality: Quality = Quality.GOOD
    observed_at: AwareDatetime


class _Offer(BaseModel):
    reading: _Reading | None = None


class ReadingHistory:
    """Kept once for all partitions of the process; read on when a partition is rebuilt."""

    def __init__(self, settings: PersonaliserSettings, offsets: Offsets, *, partitions: int) -> None:
        self._settings = settings
        self._offsets = offsets
        self._partitions = range(partitions)
        self._read_up_to: dict[int, int] = {}
        self._seen: dict[_Identity, float] = {}
        self._turn = asyncio.Lock()

    async def before(self, partition: int) -> list[Observation]:
        """The readings matched against a partition before its committed offset; none counts twice."""
        async with self._turn:
            await self._read_what_was_routed()
            seen = dict(self._seen)
        done, ahead = await self._offered(partition)
        for identity in ahead.keys() - done.keys():
            seen.pop(identity, None)
        seen |= done
        return [
            Observation(sensor, observed_property, observed_at, value)
            for (sensor, observed_property, observed_at), value in seen.items()
        ]

    async def _read_what_was_routed(self) -> None:
        since = time.time() - self._settings.threshold_history_hours * 3600
        routed = await self._offsets.committed(SENSOR_READINGS, self._partitions)
        begin = await self._offsets.since(SENSOR_READINGS, self._partitions, since)
        stretches = {}
        for partition, end in routed.items():
            first = self._read_up_to.get(partition, begin[partition])
            if end is None or first is None or first >= end:
                continue
            stretches[partition] = first, end
            self._read_up_to[partition] = end
        oldest = utc_now() - timedelta(hours=self._settings.threshold_history_hours)
        self._seen = {identity: value for identity, value in self._seen.items() if identity[2] >= oldest}
        async for records in read_stretches(self._settings, SENSOR_READINGS.name, stretches):
            self._seen |= _good(_parsed(_Reading, record) for record in records)

    async def _offered(self, partition: int) -> tuple[dict[_Identity, float], dict[_Identity, float]]:
        """The readings among the partition's latest offers: those done with, and those still ahead."""
        committed = (await self._offsets.committed(OFFERS, [partition]))[partition]
        beginning = (await self._offsets.beginnings(OFFERS, [partition]))[partition]
        end = (await self._offsets.ends(OFFERS, [partition]))[partition]
        first_ahead = beginning if committed is None else max(beginning, committed)
        stretch = max(beginning, first_ahead - _OFFERS_LOOKED_AT), end
        done: dict[_Identity, float] = {}
        ahead: dict[_Identity, float] = {}
        async for records in read_stretches(self._settings, OFFERS.name, {partition: stretch}):
            for record in records:
                offer = _parsed(_Offer, record)
                if offer is not None:
                    (done if record.offset < first_ahead else ahead).update(_good([offer.reading]))
        return done, ahead


def _parsed(model: type[BaseModel], record: ConsumerRecord) -> BaseModel | None:
    """The message, or None: what is malformed has been put aside by who matched it."""
    try:
        return model.model_validate_json(record.value or b"")
    except ValidationError:
        return None


def _good(readings: Iterable[_Reading | None]) -> dict[_Identity, float]:
    return {
        (one.sensor, one.observed_property, one.observed_at): one.value
        for one in readings
        if one is not None and one.quality is Quality.GOOD and one.value is not None
    }
