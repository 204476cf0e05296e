"""The polled sources: ArcGIS layers, trackers, SensorThings servers."""

import json
from urllib.parse import quote, urlencode, urlsplit

from kommunepuls_chassis.errors import PermanentError, RejectedInput
from kommunepuls_chassis.web import Fetcher
from kommunepuls_events.base import utc_now

from sensor_gateway.domain.formats import sensorthings
from sensor_gateway.domain.values import parse_json
from sensor_gateway.ploughs import MESSAGE, STREET, UNIT, PloughIntake
from sensor_gateway.sensors import ITEM, SensorIntake, Taken
from sensor_gateway.sources import ArcgisPloughs, AvlPloughs, SensorThingsPoll

MOST_PAGES = 50
_QUERY = {"where": "1=1", "outFields": "*", "outSR": "4326", "f": "geojson"}


async def poll_arcgis(ploughs: PloughIntake, config: ArcgisPloughs, fetcher: Fetcher) -> None:
    """Ask every layer once, page by page.

    Raises:
        TransientError, PermanentError: what the service says.
    """
    for kind, layers in ((UNIT, config.unit_layers), (STREET, config.street_layers)):
        for layer in layers:
            offset = 0
            for _ in range(MOST_PAGES):
                answer = await fetcher.get(_address(layer, offset))
                await ploughs.take(answer.body, kind)
                more, count = _page(answer.body)
                if not more or not count:
                    break
                offset += count


async def poll_avl(ploughs: PloughIntake, config: AvlPloughs, fetcher: Fetcher) -> None:
    """Ask once.

    Raises:
        TransientError, PermanentError: what the service says.
    """
    await ploughs.take((await fetcher.get(config.url)).body, MESSAGE)


async def poll_sensorthings(sensors: SensorIntake, config: SensorThingsPoll, fetcher: Fetcher) -> dict:
    """Ask each datastream for what is newer than what was taken; returns the new position.

    Raises:
        TransientError, PermanentError: what the service says.
    """
    position = dict(sensors.intake.position)
    for stream in config.datastreams:
        since = position.get(stream.id)
        parameters = {"$orderby": "phenomenonTime asc" if since else "phenomenonTime desc", "$top": "200"}
        if since:
            parameters["$filter"] = f"phenomenonTime gt {since}"
        name = stream.id if stream.id.isdigit() else f"'{stream.id}'"
        url = f"{config.url.rstrip('/')}/Datastreams({quote(name)})/Observations?{urlencode(parameters)}"
        answer = await fetcher.get(url)
        taken, received_at = Taken(), utc_now()
        try:
            found = sensorthings.observations(parse_json(answer.body))
        except RejectedInput as rejected:
            raise PermanentError(f"datastream {stream.id}: {rejected.detail}") from None
        newest = since
        for one in found:
            raw = json.dumps(one).encode()
            try:
                packet = sensorthings.packet(
                    one,
                    sensor=stream.id,
                    observed_property=stream.observed_property,
                    unit=stream.unit,
                    factor=stream.factor,
                )
            except RejectedInput as rejected:
                await sensors.intake.reject(ITEM, raw, rejected)
                continue
            await sensors.take_packet(packet, received_at, taken, raw)
            moment = packet.observed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            newest = max(newest or moment, moment)
        if newest:
            position[stream.id] = newest
        await sensors.intake.count_published(taken.readings)
    return position


def _address(layer: str, offset: int) -> str:
    """The layer's query address with what an operator need not write."""
    query = urlsplit(layer).query
    missing = {name: value for name, value in _QUERY.items() if f"{name}=" not in query}
    if offset:
        missing["resultOffset"] = str(offset)
    return f"{layer}{'&' if query else '?'}{urlencode(missing)}" if missing else layer


def _page(body: bytes) -> tuple[bool, int]:
    try:
        answer = parse_json(body)
    except RejectedInput:
        return False, 0
    if not isinstance(answer, dict) or not isinstance(answer.get("features"), list):
        return False, 0
    properties = answer.get("properties") if isinstance(answer.get("properties"), dict) else {}
    more = answer.get("exceededTransferLimit") or properties.get("exceededTransferLimit")
    return bool(more), len(answer["features"])
