"""Warnings of strangers as items."""

import json
from datetime import UTC, datetime

import pytest
from ingest_feeds.domain.alerts import is_alert, parse_alerts
from ingest_feeds.domain.cap import item_of
from ingest_feeds.domain.sources import WarningSource
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1, Severity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOWN = Town(code="NO-9901", name="Fjordvik")
SOURCE = WarningSource(
    id="varsler", type="cap", url="https://fjordvik.example/cap", interests=("weather-warnings",),
    areas=("NO-9901",), geocodes={"9901": ("NO-9901/havna",)},
)  # fmt: skip
SQUARE = "<polygon>59.0,10.0 59.0,10.2 59.2,10.2 59.2,10.0 59.0,10.0</polygon>"


def cap(*, area: str = SQUARE, info: str = "", head: str = "", version: str = "1.2", **values: str) -> bytes:
    fields = {
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "sent": "2026-11-22T10:00:00+01:00",
        "severity": "Severe",
    } | values
    namespace = f' xmlns="urn:oasis:names:tc:emergency:cap:{version}"' if version else ""
    return (
        f"<alert{namespace}><identifier>i-1</identifier><sender>met</sender><sent>{fields['sent']}</sent>"
        f"<status>{fields['status']}</status><msgType>{fields['msgType']}</msgType><scope>{fields['scope']}</scope>{head}"
        f"<info><language>no</language><event>Vind</event><severity>{fields['severity']}</severity>"
        f"<expires>2026-11-22T20:00:00+01:00</expires><headline>Kraftig vind</headline><description>Sikre ting.</description>"
        f"<area><areaDesc>Fjordvik</areaDesc>{area}</area></info>{info}</alert>"
    ).encode()


def only(body: bytes) -> ContentItemV1:
    (alert,) = parse_alerts(body)
    return item_of(alert, TOWN, SOURCE, root=alert.identifier, now=NOW)


@pytest.mark.parametrize("version", ["1.2", "1.1", ""])
def test_an_alert_of_any_version_becomes_an_item_with_its_polygon_longitude_first(version: str) -> None:
    item = only(cap(version=version))
    assert item.geometry.coordinates[0][1] == (10.2, 59.0)
    assert (item.severity, item.title, item.language) == (Severity.SEVERE, "Kraftig vind", "nb")
    assert item.valid_until == datetime(2026, 11, 22, 19, tzinfo=UTC)
    assert item.emergency


@pytest.mark.parametrize("status", ["Exercise", "Test"])
def test_an_exercise_is_marked_and_is_no_emergency(status: str) -> None:
    item = only(cap(status=status))
    assert item.exercise
    assert not item.emergency


def test_a_geocode_names_areas_and_without_any_place_the_sources_areas_count() -> None:
    code = "<geocode><valueName>kommune</valueName><value>9901</value></geocode>"
    assert only(cap(area=code)).areas == ("NO-9901/havna",)
    assert only(cap(area="")).areas == ("NO-9901",)
    assert only(cap()).areas == (), "the polygon says where"


def test_a_circle_is_a_ring_of_its_radius() -> None:
    ring = only(cap(area="<circle>59.1,10.1 5</circle>")).geometry.coordinates[0]
    north = max(latitude for _, latitude in ring)
    assert abs((north - 59.1) * 111_195 - 5000) < 30


def test_other_languages_are_translations() -> None:
    english = "<info><language>en-GB</language><event>Wind</event><severity>Severe</severity><headline>Strong wind</headline></info>"
    assert only(cap(info=english)).translations["en"].title == "Strong wind"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (cap(scope="Private"), "not-public"),
        (cap(severity="Terrible"), "invalid-cap"),
        (cap(sent="2026-11-22T10:00:00"), "invalid-cap"),
        (cap(sent="yesterday"), "invalid-cap"),
        (cap(status="Maybe"), "invalid-cap"),
        (cap(area="<polygon>10.0 59.0 10.2</polygon>"), "bad-polygon"),
        (
            cap(area="<polygon>6557120,569832 6557220,569832 6557220,569932 6557120,569832</polygon>"),
            "bad-polygon",
        ),
        (cap()[:-30], "not-cap"),
        (b"<rss/>", "not-cap"),
        (b'{"alerts": [', "not-cap"),
        (b'{"items": []}', "not-cap"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><alert>&x;</alert>', "not-cap"),
    ],
)
def test_a_bad_alert_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        only(body)
    assert refused.value.reason == reason


def test_the_json_of_public_warnings_is_read_as_cap() -> None:
    value = {"identifier": "SE1", "sent": "2026-11-22T10:00:00+01:00", "status": "Exercise", "msgType": "Alert", "scope": "Public",
             "references": None, "info": [{"language": "sv-SE", "event": "VMA-test", "severity": "Severe", "area": [{"areaDesc": "Hela landet"}]}]}  # fmt: skip
    item = only(json.dumps({"alerts": [value]}).encode())
    assert (item.title, item.language, item.exercise) == ("VMA-test", "sv", True)


def test_a_met_alerts_feature_is_read_as_cap() -> None:
    feature = {"properties": {"id": "2.49.1", "status": "Actual", "type": "Alert", "severity": "Moderate", "title": "Skogbrannfare", "area": "Østlandet"},
               "when": {"interval": ["2026-11-22T08:00:00+00:00", "2026-11-23T08:00:00+00:00"]},
               "geometry": {"type": "Polygon", "coordinates": [[[10.0, 59.0], [10.2, 59.0], [10.2, 59.2], [10.0, 59.0]]]}}  # fmt: skip
    item = only(json.dumps({"lang": "no", "features": [feature]}).encode())
    assert (item.title, item.severity, item.geometry.type) == ("Skogbrannfare", Severity.MODERATE, "Polygon")


def test_a_list_of_alerts_is_told_from_an_alert() -> None:
    assert is_alert(cap())
    assert not is_alert(b"<rss version='2.0'><channel/></rss>")
