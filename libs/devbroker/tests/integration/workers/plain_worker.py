"""Copies one topic to another with aiokafka: effect, then commit. Arguments: address, source, target, group, name."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def main(address: str, source: str, target: str, group: str, name: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address, linger_ms=10)
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=address,
        group_id=group,
        client_id=name,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=500,
        rebalance_timeout_ms=6_000,
    )
    await producer.start()
    await consumer.start()
    while True:
        for partition, records in (await consumer.getmany(timeout_ms=200, max_records=100)).items():
            sent = [await producer.send(target, record.value, key=name.encode()) for record in records]
            await asyncio.gather(*sent)
            if partition in consumer.assignment():
                try:
                    await consumer.commit({partition: records[-1].offset + 1})
                except Exception as problem:
                    # Somebody else has the partition now and does the work again: at least once.
                    print(f"not committed: {problem!r}", file=sys.stderr)


asyncio.run(main(*sys.argv[1:]))
