"""What is decoded quickly is what the contract says; what the contract refuses is never taken."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kommunepuls_events import MalformedEvent, SubscriberProfileV1, event_for
from kommunepuls_events.topics import PROFILES
from kommunepuls_matching.testing import place, profile
from personaliser.profile_decoding import PlainProfile, ProfileDecoder
from personaliser.records import Record, decoded

WHOLE = profile(
    "s-1",
    areas=["NO-9901", "NO-9901/west"],
    interests=["music", "winter-maintenance"],
    organisers=["o-1"],
    places=[place("home", 10.1, 59.1) | {"label": "Hjemme på Ås"}],
    muted={"sources": ["NO-9901/x"], "organisers": ["o-2"], "interests": ["music"], "items": ["i"]},
    minimum_severity="severe",
    audience=["young"],
    channels=["push"],
    cadence="daily",
    messages_a_day=5,
    quiet_hours={"begins": "22:00", "ends": "07:30:00"},
    paused_until="2026-12-31T23:59:59+01:00",
)
TAKEN = ("subscriber", "areas", "interests", "organisers", "audience", "minimum_severity")


def record(value: bytes, headers: list[tuple[str, bytes]], key: bytes = b"s-1") -> Record:
    return Record(PROFILES.name, 0, 0, key, value, headers)


def headers_of(one: SubscriberProfileV1) -> list[tuple[str, bytes]]:
    return event_for(one, producer="gateway-api").headers()


def agree(given: Record) -> PlainProfile | None:
    """What is decoded quickly, after it was compared with what the contract says of the same record."""
    plain = ProfileDecoder().decoded(given.key, given.value, given.headers)
    if plain is not None:
        exact = decoded(PROFILES, given).data
        assert all(getattr(plain, name) == getattr(exact, name) for name in TAKEN)
        assert plain.sensor_thresholds == exact.sensor_thresholds == ()
        for kind in ("sources", "organisers", "interests", "items"):
            assert getattr(plain.muted, kind) == getattr(exact.muted, kind)
        spots = [
            [(one.id, one.longitude, one.latitude, one.radius_metres) for one in some.places]
            for some in (plain, exact)
        ]
        assert spots[0] == spots[1]
    return plain


def test_profiles_as_the_gateway_publishes_them_are_decoded_quickly() -> None:
    for one in (WHOLE, profile("s-1"), profile("s-1", changed_at="2026-02-28T12:00:00.123456Z")):
        assert agree(record(one.to_json(), headers_of(one))) is not None


def test_thresholds_and_fields_of_a_newer_version_are_left_to_the_contract() -> None:
    threshold = {"id": "t", "sensor": "s", "observed_property": "snow-depth", "value": 10}
    watching = profile("s-1", sensor_thresholds=[threshold])
    assert agree(record(watching.to_json(), headers_of(watching))) is None
    newer = json.dumps(json.loads(WHOLE.to_json()) | {"of_tomorrow": 1}).encode()
    assert agree(record(newer, headers_of(WHOLE))) is None
    assert decoded(PROFILES, record(newer, headers_of(WHOLE))).data == WHOLE


ODD: list[Any] = [
    None, "", " ", "x", "x\n", "music\n", "Music", "å", "å" * 40, "x" * 513, "x" * 41, "-a", 0, 1, -1, 1.0, 0.5, 101,
    10**30, 1e308, True, [], [""], ["music\n"], ["å"], [None], {}, {"begins": "22:00"}, "24:00", "22:00", "2026-02-30",
    "2026-11-22T12:00:00", "2026-02-30T12:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T12:00:00+24:00",
    "2026-11-22T12:00:60Z", "2026-11-22 12:00:00Z", "2026-11-22T12:00:00.1234567Z", "0001-01-01T00:00:00+01:00", "nb-",
    "NO-0301", "NO-0301\n", "extreme", "daily", ["push"], [180.0], 50_000, 50_000.1,
]  # fmt: skip
PATHS = [
    *((name,) for name in SubscriberProfileV1.model_fields),
    *(("places", 0, name) for name in ("id", "label", "longitude", "latitude", "radius_metres", "other")),
    *(("muted", name) for name in ("sources", "organisers", "interests", "items", "other")),
    *(("quiet_hours", name) for name in ("begins", "ends", "other")),
]


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(ODD)), min_size=1, max_size=2), st.booleans()
)
def test_odd_values_are_taken_as_the_contract_takes_them_or_left_to_it(
    changes: list[tuple[tuple, Any]], remove: bool
) -> None:
    message = json.loads(WHOLE.to_json())
    for path, odd in changes:
        *before, last = path
        part = message
        try:
            for step in before:
                part = part[step]
        except (KeyError, TypeError, IndexError):  # an earlier change took it away
            continue
        if not isinstance(part, dict):
            continue
        if remove:
            part.pop(last, None)
        else:
            part[last] = odd
    agree(record(json.dumps(message).encode(), headers_of(WHOLE)))


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=3))
def test_broken_bytes_are_left_to_the_contract(at: int, instead: bytes) -> None:
    value = WHOLE.to_json()
    agree(record(value[:at] + instead + value[at + 1 :], headers_of(WHOLE)))


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        (name, instead)
        for name in ("ce_id", "ce_source", "ce_type", "ce_subject", "ce_time")
        for instead in (None, b"\xff")
    ]
    + [("traceparent", b"\xff")],
)
def test_an_envelope_that_is_refused_is_left_to_the_contract(name: str, instead: bytes | None) -> None:
    headers = [one for one in headers_of(WHOLE) if one[0] != name]
    headers += [(name, instead)] if instead is not None else []
    given = record(WHOLE.to_json(), headers)
    assert agree(given) is None
    with pytest.raises(MalformedEvent):
        decoded(PROFILES, given)


def test_a_record_under_the_key_of_somebody_else_is_left_to_the_contract() -> None:
    assert agree(record(WHOLE.to_json(), headers_of(WHOLE), b"s-2")) is None
