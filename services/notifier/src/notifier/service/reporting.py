"""Telling what became of sendings: deliveries.v1, metrics, logs. Never a contact detail."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.metrics import DELIVERIES, EVENT_TO_SEND_SECONDS
from kommunepuls_chassis.producer import Producer
from kommunepuls_chassis.tracing import new_traceparent, trace_id
from kommunepuls_events import DeliveryState, DeliveryV1, Permanence

from notifier.domain.sendings import Kind, Sending, State


class Reporter:
    """Publishes states of sendings."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._log = get_logger()

    async def tell(self, sendings: Iterable[Sending], now: datetime) -> None:
        """Publish where these stand; returns when Kafka has it. Told again, the event has the same id."""
        told = list(sendings)
        items = [one for one in told if one.kind is Kind.ITEM]
        await self._producer.publish(
            *(_delivery(one, now) for one in items), traces=[new_traceparent(one.trace) for one in items]
        )
        for one in told:
            if one.kind is not Kind.DIGEST:
                DELIVERIES.labels(one.channel, one.state, one.cause or "").inc()
            if one.state is State.SENT and one.observed_at is not None:
                EVENT_TO_SEND_SECONDS.labels(one.channel).observe((now - one.observed_at).total_seconds())
        self._write_log(told)

    def _write_log(self, told: list[Sending]) -> None:
        """A line for what was sent of an item together, a line each for what became of others."""
        sent = Counter(
            (one.kind, one.channel, one.item, one.revision, trace_id(one.trace))
            for one in told
            if one.state is State.SENT
        )
        for (kind, channel, item, revision, trace), count in sent.items():
            self._log.info(
                "delivered",
                kind=kind,
                channel=channel,
                item=item,
                revision=revision,
                count=count,
                trace=trace,
            )
        for one in told:
            if one.state is State.SENT:
                continue
            self._log.info(
                "delivery",
                kind=one.kind,
                state=one.state,
                cause=one.cause,
                channel=one.channel,
                subscriber=one.subscriber,
                item=one.item,
                revision=one.revision,
                attempt=one.attempt,
                trace=trace_id(one.trace),
            )


def _delivery(sending: Sending, now: datetime) -> DeliveryV1:
    return DeliveryV1(
        subscriber=sending.subscriber,
        item=sending.item,
        revision=sending.revision,
        channel=sending.channel,
        state=DeliveryState(sending.state),
        permanence=Permanence(sending.permanence) if sending.permanence else None,
        cause=sending.cause,
        endpoint=sending.endpoint,
        attempt=max(sending.attempt, 1),
        at=now,
    )
