"""Which function answers which request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.protocol.api import Response

from kommunepuls_devbroker.broker import Broker, Client
from kommunepuls_devbroker.requests import groups, records, topics

Handler = Callable[[Broker, Any, Client], Awaitable[Response | None]]

HANDLERS: dict[int, Handler] = {
    0: records.produce,
    1: records.fetch,
    2: records.list_offsets,
    3: topics.metadata,
    8: groups.commit_offsets,
    9: groups.fetch_offsets,
    10: groups.find_coordinator,
    11: groups.join_group,
    12: groups.heartbeat,
    13: groups.leave_group,
    14: groups.sync_group,
    15: groups.describe_groups,
    16: groups.list_groups,
    19: topics.create_topics,
    20: topics.delete_topics,
    21: records.delete_records,
    22: records.init_producer_id,
    32: topics.describe_configs,
    33: topics.alter_configs,
    37: topics.create_partitions,
    42: groups.delete_groups,
}
"""By the API key of the protocol (https://kafka.apache.org/protocol#protocol_api_keys)."""
