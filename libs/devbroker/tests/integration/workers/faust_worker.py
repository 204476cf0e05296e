"""Copies one topic to another with Faust. Arguments: address, source, target, group, name."""

import asyncio
import logging
import sys
import tempfile

import faust
import uvloop
from aiokafka import AIOKafkaProducer

for noisy in ("aiokafka", "aiokafka.producer.sender", "aiokafka.consumer.fetcher", "aiokafka.conn"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


def build_app(address: str, group: str, name: str) -> faust.App:
    return faust.App(
        group,
        broker=f"aiokafka://{address}",
        broker_client_id=name,
        broker_session_timeout=6,
        broker_heartbeat_interval=1,
        broker_rebalance_timeout=6,
        broker_request_timeout=15,
        broker_commit_interval=0.5,
        broker_max_poll_records=5000,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=16384,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
    )


async def main(address: str, source: str, target: str, group: str, name: str) -> None:
    app = build_app(address, group, name)
    producer = AIOKafkaProducer(bootstrap_servers=address, linger_ms=10)
    await producer.start()

    async def copy(stream):
        async for events in stream.take_events(100, within=0.05):
            sent = [await producer.send(target, event.value, key=name.encode()) for event in events]
            await asyncio.gather(*sent)

    app.agent(app.topic(source, value_serializer="raw"), concurrency=1)(copy)
    await app.start()
    await asyncio.Event().wait()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main(*sys.argv[1:]))
