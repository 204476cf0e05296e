"""Polled upstreams behind a fake transport."""

import json
from datetime import timedelta

import httpx
import pytest
from kommunepuls_chassis.errors import PermanentError, TransientError
from kommunepuls_chassis.web import Fetcher
from kommunepuls_events import SensorReadingV1
from sensor_gateway.adapters.polls import poll_arcgis, poll_avl, poll_sensorthings
from sensor_gateway.domain.ploughs.roads import RoadNetwork

LAYER = "https://gis.example.org/server/rest/services/plows/FeatureServer/0/query"
ROADS = [("a", "NO-3907/x", ((10.2, 59.1), (10.2035, 59.1)))]


def fetcher(*answers: object, asked: list[httpx.Request]) -> Fetcher:
    waiting = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=json.dumps(waiting.pop(0)).encode())

    return Fetcher(httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def street(at_milliseconds: float) -> dict:
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[10.2, 59.1], [10.2035, 59.1]]},
        "properties": {"status": "3", "completetime": at_milliseconds},
    }


async def test_layers_are_asked_page_by_page(bench):
    ploughs = await bench.ploughs(
        RoadNetwork(ROADS), bench.moment - timedelta(hours=6), type="arcgis-ploughs", street_layers=[LAYER]
    )
    asked: list[httpx.Request] = []
    done = bench.moment.timestamp() * 1000 - 60_000
    pages = (
        {"features": [street(done)], "exceededTransferLimit": True},
        {"features": [street(done)]},
    )
    await poll_arcgis(ploughs, ploughs.config, fetcher(*pages, asked=asked))
    assert [request.url.params.get("resultOffset") for request in asked] == [None, "1"]
    assert asked[0].url.params["f"] == "geojson"
    assert bench.coverage.area_cover("NO-3907/x").share == 1.0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": {"code": 400, "message": "Invalid query"}}, PermanentError),
        ({"error": {"code": 503, "message": "busy"}}, TransientError),
    ],
)
async def test_an_error_with_status_200_is_an_error(bench, answer, error):
    ploughs = await bench.ploughs(None, None, type="arcgis-ploughs", unit_layers=[LAYER])
    with pytest.raises(error):
        await poll_arcgis(ploughs, ploughs.config, fetcher(answer, asked=[]))


async def test_an_empty_layer_is_no_error_and_a_description_is_a_reject(bench):
    ploughs = await bench.ploughs(None, None, type="arcgis-ploughs", unit_layers=[LAYER])
    await poll_arcgis(ploughs, ploughs.config, fetcher({"features": []}, asked=[]))
    assert bench.producer.rejects == []
    await poll_arcgis(ploughs, ploughs.config, fetcher({"currentVersion": 10.9}, asked=[]))
    assert [letter.reason for letter in bench.producer.rejects] == ["not-features"]


async def test_a_tracker_without_vehicles_is_no_error(bench):
    ploughs = await bench.ploughs(None, None, type="avl-ploughs", url="https://example.org", works={})
    await poll_avl(ploughs, ploughs.config, fetcher({"TrackingDataResponse": {"locationList": []}}, asked=[]))
    assert bench.producer.rejects == []


async def test_observations_are_taken_once_and_asked_for_from_the_newest(bench):
    stream = {"id": "7", "observed_property": "water-level", "unit": "m", "factor": 0.01, "name": "Elva"}
    sensors = await bench.sensors(
        type="sensorthings-poll", url="https://frost.example.org/v1.1", datastreams=[stream]
    )
    asked: list[httpx.Request] = []
    page = {"value": [
        {"phenomenonTime": "2026-01-30T11:00:00Z", "result": 120},
        {"phenomenonTime": "2026-01-30T10:00:00Z", "result": None},
    ]}  # fmt: skip
    position = await poll_sensorthings(sensors, sensors.config, fetcher(page, asked=asked))
    await sensors.intake.save(position=position)
    await poll_sensorthings(sensors, sensors.config, fetcher(page, asked=asked))
    (reading,) = bench.producer.of(SensorReadingV1)
    assert (reading.value, reading.unit, reading.name) == (1.2, "m", "Elva")
    assert "phenomenonTime gt 2026-01-30T11:00:00" in asked[1].url.params["$filter"]
    assert {letter.reason for letter in bench.producer.rejects} == {"no-value"}
