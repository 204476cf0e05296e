"""Bathing temperatures by The Things Stack (webhook and MQTT), and a plough that reports as HARJA has it."""

import asyncio
import base64
import json
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiomqtt
import httpx
from pyproj import Transformer

from kommunepuls_development.town import Road

BATHING = {"bad-storoya": 19.2, "bad-strandby": 16.8}
"""Devices and the temperature (°C) at which they begin; the first sends by webhook, the second by MQTT."""

PLOUGHED_AREAS = ("NO-9901/breidablikk", "NO-9901/prestegardsfeltet", "NO-9901/sentrum", "NO-9901/havna")
PLOUGH_BEGINS, METRES_A_REPORT, REPORTS_A_SECOND = 6.0, 400.0, 3.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the sensor-gateway takes uplinks and reports, and its secret."""

    lorawan: str
    plough: str
    secret: str
    mqtt_port: int


def temperature(device: str, seconds: float) -> float:
    """°C of a bathing place: it warms within the first minute, then goes up and down slowly."""
    begins = BATHING[device]
    return round(begins + 1.4 * min(seconds / 40, 1) + 0.6 * math.sin(max(0.0, seconds - 40) / 60), 1)


def uplink(device: str, number: int, celsius: float, at: datetime) -> dict:
    """An uplink message of The Things Stack v3 with an Elsys payload: external probe and battery.

    Source: https://www.thethingsindustries.com/docs/integrations/data-formats/
    """
    payload = (
        b"\x0c" + round(celsius * 10).to_bytes(2, "big", signed=True) + b"\x07" + (3560).to_bytes(2, "big")
    )
    moment = at.isoformat().replace("+00:00", "Z")
    return {
        "end_device_ids": {
            "device_id": device,
            "application_ids": {"application_id": "fjordvik"},
            "dev_eui": f"70B3D57ED{zlib.crc32(device.encode()) % 16**7:07X}",
        },
        "received_at": moment,
        "uplink_message": {
            "session_key_id": f"demo-{at:%Y%m%d}",
            "f_port": 5,
            "f_cnt": number,
            "frm_payload": base64.b64encode(payload).decode(),
            "rx_metadata": [{"gateway_ids": {"gateway_id": "gw-radhus"}, "rssi": -97}],
            "received_at": moment,
        },
    }


async def send_temperatures(addresses: Addresses, began: datetime, now: Callable[[], datetime]) -> None:
    """Send an uplink of each bathing place every five seconds until cancelled."""
    first = int(began.timestamp())  # a frame counter that goes on over restarts of the demo
    async with httpx.AsyncClient(timeout=5) as client:
        while True:
            moment = now()
            seconds = (moment - began).total_seconds()
            number = first + int(seconds)
            by_webhook, by_mqtt = BATHING
            await _post(
                client,
                addresses.lorawan,
                addresses.secret,
                uplink(by_webhook, number, temperature(by_webhook, seconds), moment),
            )
            await _publish(
                addresses.mqtt_port, by_mqtt, uplink(by_mqtt, number, temperature(by_mqtt, seconds), moment)
            )
            await asyncio.sleep(5)


async def plough(
    addresses: Addresses, roads: list[Road], began: datetime, now: Callable[[], datetime]
) -> None:
    """Drive through the areas street by street, reporting each stretch as HARJA has it."""
    to_metres = Transformer.from_crs(4326, 25832, always_xy=True)
    async with httpx.AsyncClient(timeout=5) as client:
        await asyncio.sleep(max(0.0, PLOUGH_BEGINS - (now() - began).total_seconds()))
        number = 0
        for area in PLOUGHED_AREAS:
            for road in (one for one in roads if one.area == area):
                number += 1
                line = [[round(part, 1) for part in to_metres.transform(*position)] for position in road.line]
                await _post(client, addresses.plough, addresses.secret, harja_report(number, line, now()))
                await asyncio.sleep(1 / REPORTS_A_SECOND)


def harja_report(number: int, line: list[list[float]], at: datetime) -> dict:
    """A report of one ploughed stretch; coordinates are metres in UTM 32 (EPSG:25832), east then north."""
    return {
        "otsikko": {
            "lahettaja": {
                "jarjestelma": "Demo",
                "organisaatio": {"nimi": "Fjordvik drift", "ytunnus": "0000000-0"},
            },
            "viestintunniste": {"id": number},
            "lahetysaika": at.isoformat(),
        },
        "havainnot": [
            {
                "havainto": {
                    "tyokone": {"id": 1, "tyokonetyyppi": "aura-auto"},
                    "sijainti": {"viivageometria": {"type": "LineString", "coordinates": line}},
                    "suunta": 0,
                    "havaintoaika": (at - timedelta(seconds=1)).isoformat(),
                    "urakkaid": 1,
                    "suoritettavatTehtavat": ["auraus ja sohjonpoisto"],
                }
            }
        ],
    }


async def _post(client: httpx.AsyncClient, url: str, secret: str, body: dict) -> None:
    # As a network server does: a receiver that is away is tried again a few times.
    for delay in (0.5, 1, 2, 4, 0):
        try:
            answer = await client.post(url, json=body, headers={"X-Webhook-Secret": secret})
            if answer.status_code < 500:
                return
        except httpx.HTTPError:
            pass
        await asyncio.sleep(delay)


async def _publish(port: int, device: str, body: dict) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.publish(f"v3/fjordvik@demo/devices/{device}/up", json.dumps(body).encode(), qos=1)
