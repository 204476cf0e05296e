"""One session at an MQTT broker: QoS 1, kept by the broker, acknowledged after the effect.

gmqtt acknowledges a message when its handler has returned; ours returns when what came together has been taken.
MQTT 5 lets us say how many unacknowledged messages we bear (Receive Maximum) and how long a session is kept; a broker
that knows 3.1.1 alone gets that, and its own bound.
"""

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50
from gmqtt.mqtt.handler import MQTTConnectError
from kommunepuls_chassis.errors import PermanentError

from sensor_gateway.sources import LorawanMqtt

MOST_UNACKNOWLEDGED = 1000
MOST_AT_ONCE = 256
SESSION_SECONDS = 7 * 86_400
_ANSWER_SECONDS = 10.0
_NEVER = -2
"""gmqtt tries again by itself otherwise; -1 means for ever."""
_REFUSED_SUBSCRIPTION = 0x80
_KEEPALIVE_SECONDS = 30

Take = Callable[[Sequence[bytes]], Awaitable[None]]
"""Takes payloads; returns when they may be acknowledged, and raises nothing but a cancellation."""


class Disconnected(Exception):
    """The connection was lost, refused, or did not come about; the text says how."""


class OldBroker(Exception):
    """The broker does not speak MQTT 5."""


@dataclass
class _Batch:
    payloads: list[bytes] = field(default_factory=list)
    taken: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def release(self) -> None:
        """Let the handlers return, and the messages be acknowledged if the connection stands."""
        if not self.taken.done():
            self.taken.set_result(None)


async def hold_session(
    config: LorawanMqtt,
    client_id: str,
    take: Take,
    subscribed: Callable[[], Awaitable[None]],
    *,
    version: int = MQTTv50,
) -> None:
    """Connect, subscribe and hand over what comes, until the connection is lost.

    Raises:
        Disconnected: always, in the end.
        OldBroker: to be called again with :data:`MQTTv311`.
        PermanentError: the broker refuses us, or a setting is missing.
    """
    # What it has to say is told by ours; its warnings of a closed connection come with every message in hand.
    logging.getLogger("gmqtt").setLevel(logging.CRITICAL)
    lost, ready = asyncio.Event(), asyncio.Event()
    granted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting: list[_Batch] = [_Batch()]
    client = Client(
        client_id,
        clean_session=False,
        optimistic_acknowledgement=False,
        **(
            {"session_expiry_interval": SESSION_SECONDS, "receive_maximum": MOST_UNACKNOWLEDGED}
            if version == MQTTv50
            else {}
        ),
    )
    client.set_config({"reconnect_retries": _NEVER})
    if config.username:
        client.set_auth_credentials(config.username, _password(config))

    async def on_message(_client: Client, _topic: str, payload: bytes, _qos: int, _properties: dict) -> int:
        batch = waiting[0]
        batch.payloads.append(payload)
        ready.set()
        await batch.taken
        return 0

    def on_subscribe(_client: Client, _mid: int, answers: tuple[int, ...], _properties: dict) -> None:
        if not granted.done():
            granted.set_result(answers[0])

    client.on_message = on_message
    client.on_subscribe = on_subscribe
    client.on_disconnect = lambda *_: lost.set()
    working = None
    try:
        await _connect(client, config, lost, version)
        client.subscribe(config.filter, qos=1)
        await _answered(granted, lost, "the subscription")
        if granted.result() >= _REFUSED_SUBSCRIPTION:
            raise PermanentError(f"the MQTT broker does not let us subscribe to {config.filter}")
        await subscribed()
        working = asyncio.create_task(_work(waiting, ready, take))
        gone = asyncio.create_task(lost.wait())
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if working.done():
            await working
        raise Disconnected("the connection was lost")
    finally:
        if working is not None:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(_ANSWER_SECONDS):
                await client.disconnect()
        # Now that nothing can be acknowledged any more, whoever waits may go.
        for batch in waiting:
            batch.release()


async def _work(waiting: list[_Batch], ready: asyncio.Event, take: Take) -> None:
    """Take what has come together, again and again."""
    while True:
        await ready.wait()
        ready.clear()
        batch = waiting[0]
        waiting.insert(0, _Batch())
        for start in range(0, len(batch.payloads), MOST_AT_ONCE):
            await take(batch.payloads[start : start + MOST_AT_ONCE])
        batch.release()
        waiting.remove(batch)


async def _connect(client: Client, config: LorawanMqtt, lost: asyncio.Event, version: int) -> None:
    connecting = asyncio.create_task(
        client.connect(
            config.host,
            config.port,
            ssl=ssl.create_default_context() if config.tls else False,
            keepalive=_KEEPALIVE_SECONDS,
            version=version,
        )
    )
    try:
        await _answered(connecting, lost, "the connection")
        await connecting
    except MQTTConnectError as refused:
        raise PermanentError(f"the MQTT broker refuses us: {refused}") from None
    except Disconnected:
        if version == MQTTv50:
            raise OldBroker from None
        raise
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)


async def _answered(answer: asyncio.Future, lost: asyncio.Event, what: str) -> None:
    """Wait for an answer, as long as the connection stands."""
    gone = asyncio.create_task(lost.wait())
    try:
        await asyncio.wait({answer, gone}, timeout=_ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not answer.done():
        raise Disconnected(f"the broker hung up or does not answer to {what}")


def _password(config: LorawanMqtt) -> str | None:
    if not config.password_env:
        return None
    password = os.environ.get(config.password_env)
    if not password:
        raise PermanentError(f"{config.password_env} is not set in the environment")
    return password
