"""The quick reader says what the thorough one says, or leaves it to that."""

import json
from pathlib import Path

import pytest
from kommunepuls_chassis.errors import RejectedInput
from sensor_gateway.domain.formats import lorawan
from sensor_gateway.domain.formats.tts import quick_uplink

USUAL = {
    "end_device_ids": {"device_id": "bade-1", "dev_eui": "A81758FFFE", "dev_addr": "260B1234"},
    "correlation_ids": ["as:up:01"],
    "received_at": "2026-01-30T12:00:01.123456789Z",
    "uplink_message": {
        "session_key_id": "AXlQ",
        "f_port": 5,
        "f_cnt": 7,
        "frm_payload": "AQDIAjI=",
        "rx_metadata": [{"gateway_ids": {"gateway_id": "gw-1"}, "rssi": -60, "location": {"latitude": 59.1}}],
        "received_at": "2026-01-30T12:00:00.5Z",
    },
}


def thorough(raw: bytes) -> lorawan.Uplink:
    [message] = lorawan.split_messages(raw)
    return lorawan.read_uplink("tts", message)


def changed(path: str, value: object) -> bytes:
    """The usual message with one field changed, or taken away."""
    message = json.loads(json.dumps(USUAL))
    *way, last = path.split(".")
    place = message
    for part in way:
        place = place[part]
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return json.dumps(message).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("x", 1),
        ("uplink_message.received_at", None),
        ("uplink_message.f_port", None),
        ("uplink_message.f_cnt", None),
        ("uplink_message.frm_payload", None),
        ("uplink_message.session_key_id", None),
        ("uplink_message.session_key_id", ""),
        ("end_device_ids.dev_eui", None),
        ("end_device_ids.device_id", "  bade-1 "),
        ("uplink_message.decoded_payload", {"temperature": 20.5, "text": "x"}),
        ("uplink_message.decoded_payload", {}),
        ("uplink_message.version_ids", {"brand_id": "milesight", "model_id": "em300-th"}),
        ("uplink_message.version_ids", {"brand_id": "milesight"}),
    ],
)
def test_a_message_of_the_usual_shape_is_read_the_same(path: str, value: object) -> None:
    raw = changed(path, value)
    quick = quick_uplink(raw)
    assert quick is not None
    assert quick == thorough(raw)
    assert quick.digest == thorough(raw).digest


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("end_device_ids.device_id", 5),
        ("end_device_ids.device_id", " "),
        ("uplink_message", None),
        ("uplink_message.f_cnt", -1),
        ("uplink_message.f_cnt", "7"),
        ("uplink_message.frm_payload", "%%%"),
        ("uplink_message.received_at", "yesterday"),
        ("uplink_message.received_at", "2026-01-30T12:00:00"),
        ("result", USUAL),
        ("uplink_message.locations", {"user": {"latitude": 59.1, "longitude": 10.2}}),
        ("uplink_message.decoded_payload", {"half": "\ud800"}),
    ],
)
def test_what_is_not_of_that_shape_is_left_to_the_thorough_reader(path: str, value: object) -> None:
    assert quick_uplink(changed(path, value)) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"a": NaN}', b"\xff\xfe", b"[{}]", b"{}\n{}", b"null"])
def test_what_is_no_message_is_left_to_the_thorough_reader(raw: bytes) -> None:
    assert quick_uplink(raw) is None


def test_recorded_messages_are_read_the_same_by_both(real_files: Path) -> None:
    compared = 0
    for file in sorted(real_files.rglob("*.json")):
        raw = file.read_bytes()
        if (quick := quick_uplink(raw)) is None:
            continue
        try:
            assert quick == thorough(raw), file.name
        except (RejectedInput, lorawan.NotAnUplink) as error:
            raise AssertionError(f"{file.name}: {error}") from None
        compared += 1
    assert compared >= 3
