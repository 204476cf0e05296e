"""Telling deliveries.v1 of many messages that were sent, each in words of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import DELIVERIES, EVENT_TO_SEND_SECONDS
from kommunepuls_chassis.producer import Encoded, Producer
from kommunepuls_chassis.tracing import new_traceparent, trace_id
from kommunepuls_events import Channel, DeliveryState, DeliveryV1, event_for
from kommunepuls_events.topics import DELIVERIES as TOPIC

from notifier.domain.waves import Wave
from notifier.service.clock import Clock

Sent = Sequence[tuple[int, str | None]]
"""Places of a wave that were sent, each with the endpoint where it is known."""
_SOMEBODY, _ENDPOINT = "@subscriber", "@endpoint"
"""Stand in a pattern for what differs. No id can hold what these become in JSON, quotation marks included."""


class CrowdReporter:
    """Publishes that messages of a wave were sent."""

    def __init__(self, service: str, producer: Producer, clock: Clock, *, counts_here: bool) -> None:
        """`counts_here`: in the metrics of this process; else they are kept for `since_last`."""
        self._counts_here = counts_here
        self._service = service
        self._producer = producer
        self._clock = clock
        self._since_last: list[tuple[float, int]] = []
        self._log = get_logger()

    def since_last(self) -> tuple[int, list[tuple[float, int]]]:
        """How many were sent since this was asked last, and after how many seconds how many of them."""
        seconds, self._since_last = self._since_last, []
        return sum(times for _, times in seconds), seconds

    async def tell(self, sent: Mapping[Wave, Sent]) -> None:
        """Publish what was sent of these waves; returns when Kafka has it."""
        now = self._clock.now()
        records = [record for wave, places in sent.items() for record in self._encoded(wave, places, now)]
        await self._producer.publish_many(TOPIC, records)
        for wave, places in sent.items():
            self._count((now - (wave.observed_at or now)).total_seconds(), len(places))
            self._log.info(
                "delivered",
                kind="item",
                channel=Channel.PUSH,
                item=wave.item,
                revision=wave.revision,
                count=len(places),
                trace=trace_id(wave.trace),
            )

    def _count(self, seconds: float, times: int) -> None:
        if not self._counts_here:
            self._since_last.append((round(seconds, 3), times))
            return
        DELIVERIES.labels(Channel.PUSH, DeliveryState.SENT, "").inc(times)
        observe = EVENT_TO_SEND_SECONDS.labels(Channel.PUSH).observe
        for _ in range(times):
            observe(seconds)

    def _encoded(self, wave: Wave, sent: Sent, now: datetime) -> list[Encoded]:
        """One event as a pattern, filled in for each: a sixth of the time that each by itself takes."""
        told = DeliveryV1(
            subscriber=_SOMEBODY,
            item=wave.item,
            revision=wave.revision,
            channel=Channel.PUSH,
            state=DeliveryState.SENT,
            endpoint=_ENDPOINT,
            at=now,
        )
        event = event_for(told, producer=self._service, traceparent=new_traceparent(wave.trace))
        before, between, after = _split(event.value(), _json(_SOMEBODY), _json(_ENDPOINT))
        unknown = _split(told.model_copy(update={"endpoint": None}).to_json(), _json(_SOMEBODY))
        headers = [header for header in event.headers() if header[0] not in ("ce_id", "ce_subject")]
        _, identity = event.id.split(_SOMEBODY)
        records = []
        for place, endpoint in sent:
            subscriber = wave.subscribers[place]
            key = subscriber.encode()
            if endpoint is None:
                value = unknown[0] + _json(subscriber) + unknown[1]
            else:
                value = before + _json(subscriber) + between + _json(endpoint) + after
            own = [("ce_id", key + identity.encode()), ("ce_subject", key)]
            records.append(Encoded(key, value, headers + own))
        return records


def _json(text: str) -> bytes:
    return orjson.dumps(text)


def _split(text: bytes, *marks: bytes) -> list[bytes]:
    parts = []
    for mark in marks:
        part, _, text = text.partition(mark)
        parts.append(part)
    return [*parts, text]
