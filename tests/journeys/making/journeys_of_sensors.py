"""Journeys that begin at a sensor or a plough."""

import base64
import copy
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from journey_recorded import hours_from_now, recorded_json
from journey_world import World
from kommunepuls_events import MatchV2, Quality, SensorReadingV1

_TRACE = "5bd66ef5095369c7b0d1f8f4bd33716a"
_HARJA_TIMES = ("havaintoaika", "lahetysaika")
Uplink = Callable[[float, int], dict]
"""Makes the body of a webhook from a temperature in °C and a frame counter."""


def recorded_uplink() -> Uplink:
    """A DL-PR26's uplink of 2020 as The Things Stack posts it; temperature, counter and times are set anew."""
    return _uplink(recorded_json("sensors/lorawan/tts/Decentlab_DL-PR26_uplink.json"))


def made_up_uplink() -> Uplink:
    """An uplink with nothing but what is needed."""
    payload = base64.b64encode(bytes.fromhex("020001000340000000 0c80".replace(" ", ""))).decode()
    message = {"f_port": 1, "frm_payload": payload}
    ids = {"device_id": "03022", "application_ids": {"application_id": "bad"}}
    return _uplink({"end_device_ids": ids, "uplink_message": message})


def _uplink(sample: dict) -> Uplink:
    def made(celsius: float, counter: int) -> dict:
        body = copy.deepcopy(sample)
        message, now = body["uplink_message"], datetime.now(UTC).isoformat()
        payload = bytearray(base64.b64decode(message["frm_payload"]))
        # Decentlab DL-PR26: version, device, flags, pressure, then (t + 50) / 0.003125 + 384.
        payload[7:9] = struct.pack(">H", round((celsius + 50) / 0.003125) + 384)
        message["frm_payload"] = base64.b64encode(payload).decode()
        message["f_cnt"] = counter
        body["received_at"] = message["received_at"] = now
        for gateway in message.get("rx_metadata", []):
            gateway["time"] = now
        return body

    return made


async def _post(world: World, path: str, body: dict, trace: str) -> None:
    answer = await world.ask(
        "POST",
        f"{world.stack.ports.url('sensor-gateway')}/{path}",
        json=body,
        headers={
            "X-Webhook-Secret": world.stack.keys["KP_WEBHOOK_SECRET"],
            "traceparent": f"00-{trace}-{trace[:16]}-01",
        },
    )
    assert answer.status_code == 200, answer.text


async def post_uplink(world: World, source: str, body: dict) -> None:
    """Post an uplink as the network server does."""
    await _post(world, f"webhooks/{source}", body, _TRACE)


def _threshold(sensor: str, value: float, direction: str = "rising") -> dict:
    return {
        "id": f"{direction}-{value}",
        "sensor": sensor,
        "observed_property": "water-temperature",
        "direction": direction,
        "value": value,
    }


async def a_bathing_temperature(world: World, variant: str, uplink: Uplink) -> None:
    """A temperature is told to whose own threshold it passes; 0.00 °C without a probe is told to nobody."""
    source = f"NO-1130/bad-{variant}"
    sensor = f"{source}/03022"
    hardy = await world.resident("hardy", language="en", sensor_thresholds=[_threshold(sensor, 18)])
    tender = await world.resident("tender", sensor_thresholds=[_threshold(sensor, 24)])
    winter = await world.resident("winter", sensor_thresholds=[_threshold(sensor, 5, "falling")])
    dry = await world.resident("dry", areas=["NO-1130/jorpeland"], interests=["bathing"])
    everybody = (hardy, tender, winter, dry)

    async def measured(celsius: float, counter: int) -> SensorReadingV1:
        await post_uplink(world, source, uplink(celsius, counter))
        return await world.eventually(
            lambda: next(
                iter(
                    world.topics.of(
                        SensorReadingV1, lambda one: (one.sensor, one.sequence) == (sensor, counter)
                    )
                ),
                None,
            ),
            f"the reading {counter} of {sensor}",
        )

    async def matched(value: float) -> MatchV2:
        return await world.eventually(
            lambda: next(iter(world.topics.of(MatchV2, lambda one: _passed_at(one, source) == value)), None),
            f"the match at {value} °C",
        )

    await measured(15.0, 1)
    await measured(20.3, 2)
    passed = (await matched(20.3)).item
    clause = "the reading rose to 20.3 °C, and you asked to hear from 18 °C"
    mail, push = await world.told(hardy, passed, because=(clause,))
    assert "20.3 °C" in mail.subject
    assert push.title == mail.subject
    missing = await measured(0.0, 3)
    assert missing.quality is Quality.BAD
    assert missing.value is None
    # The recorded value; it travels behind the missing probe on the same partitions.
    await measured(25.672, 4)
    warmer = (await matched(25.672)).item
    await world.told(tender, warmer, because=("målingen steg til 25,67 °C, og du ba om beskjed fra 24 °C",))
    await world.nobody_but({hardy: 1, tender: 1}, warmer, everybody)
    assert world.topics.reasons(passed.id, passed.revision, hardy.subscriber) == ["sensor"]
    for item in (passed, warmer):
        assert world.topics.trace_ids(MatchV2, lambda one, item=item: one.item == item) == {_TRACE}
        delivered = world.topics.deliveries(item.id, item.revision)
        assert world.topics.trace_ids(type(delivered[0]), delivered.__contains__) == {_TRACE}


def _passed_at(match: MatchV2, source: str) -> float | None:
    return match.reasons[0].value if match.item.source == source else None


@dataclass(frozen=True, slots=True)
class Ploughing:
    """A report of a plough that drove all of Breidablikk."""

    report: dict


def recorded_ploughing() -> Ploughing:
    """A Finnish contractor's report of 2019; its times are moved."""
    name = "sensors/plough/fi_harja_controller_linestring_tracking_too_long_after.json"
    return Ploughing(_now_reported(recorded_json(name)))


def made_up_ploughing() -> Ploughing:
    """The same stretch, driven by nobody."""
    line = {"type": "LineString", "coordinates": [[293329, 6889079], [293324, 6889058], [293318, 6889035]]}
    observed = {
        "tyokone": {"id": 7, "tyokonetyyppi": "aura-auto"},
        "sijainti": {"viivageometria": line},
        "havaintoaika": "",
        "urakkaid": 1,
        "suoritettavatTehtavat": ["auraus ja sohjonpoisto"],
    }
    return Ploughing(_now_reported({"otsikko": {"lahetysaika": ""}, "havainnot": [{"havainto": observed}]}))


def _now_reported(value: object) -> object:
    if isinstance(value, dict):
        now = hours_from_now(0).isoformat()
        return {name: now if name in _HARJA_TIMES else _now_reported(one) for name, one in value.items()}
    return [_now_reported(one) for one in value] if isinstance(value, list) else value


async def a_ploughed_area(world: World, variant: str, ploughing: Ploughing) -> None:
    """When Breidablikk is ploughed, who follows it hears of it, and who follows another area does not."""
    source = "FI-999/plogning-recorded"  # a town's items stand under its first source
    snow = {"municipality": "FI-999", "interests": ["winter-maintenance"]}
    here = await world.resident("here", language="sv", areas=["FI-999/breidablikk"], **snow)
    town = await world.resident("town", language="en", areas=["FI-999"], **snow)
    there = await world.resident("there", areas=["FI-999/tallbacken"], **snow)
    summer = await world.resident(
        "summer", municipality="FI-999", areas=["FI-999/breidablikk"], interests=["bathing"]
    )
    everybody = (here, town, there, summer)

    began = hours_from_now(-0.01)
    answer = await world.ask(
        "POST",
        f"{world.stack.ports.url('sensor-gateway')}/snowfalls/FI-999",
        json={"started_at": began.isoformat()},
        headers={"Authorization": f"Bearer {world.stack.operator_token}"},
    )
    assert answer.status_code in (200, 201), answer.text
    await _post(world, f"webhooks/FI-999/plogning-{variant}", ploughing.report, _TRACE)
    item = await world.published(source, lambda one: began.isoformat() in one.native_id)
    mail, _ = await world.told(
        here, item, because=("du följer området Breidablikk", "du följer ämnet Snöröjning och sandning")
    )
    assert mail.subject == "Breidablikk är plogat"
    mail, _ = await world.told(
        town, item, because=("you follow the area Snöby", "you follow the topic Snow clearing")
    )
    assert mail.subject == "Breidablikk has been ploughed"
    await world.nobody_but({here: 1, town: 1}, item, everybody)
    world.shows_one_trace(item)
    shown = f"{mail.text} {item.to_json().decode()}"
    for secret in ("aura-auto", "urakka", "1111111111", "Urakoitsija"):
        assert secret not in shown, "nothing tells who drove"
