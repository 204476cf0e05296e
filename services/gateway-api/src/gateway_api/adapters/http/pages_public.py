"""Pages for everybody: the pulse, an item, open data, the files a browser asks for."""

import json
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import ContentItemV1, Kind
from kommunepuls_events.base import utc_now
from kommunepuls_events.interests import INTERESTS

from gateway_api.adapters.http.access import GatewayAccess, reader_of
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.rendering import page, static_address
from gateway_api.domain.charts import Chart, chart
from gateway_api.domain.items import anchor, texts_in
from gateway_api.domain.maps import Marker, TownMap, labels, spread
from gateway_api.domain.readings import SensorNow
from gateway_api.domain.vocabulary import category_of, level_of
from gateway_api.domain.winter import clearing
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import Shown
from gateway_api.service.towns import TownView

router = APIRouter(include_in_schema=False)

_MOST_MARKERS = 24


@dataclass(frozen=True, slots=True)
class Row:
    """An item as a list shows it, in the reader's language where it is translated."""

    item: ContentItemV1
    title: str
    summary: str
    language: str
    areas: tuple[str, ...]
    category: str
    level: str


def row_of(shown: Shown, names: ReaderNames, language: str) -> Row:
    """The row of an item."""
    title, summary, _, written_in = texts_in(shown.item, language)
    return Row(
        shown.item,
        title,
        summary,
        written_in,
        # What concerns many areas concerns the town: two of them, taken by chance, would mislead.
        tuple(map(names.area, shown.areas if len(shown.areas) <= 3 else [shown.item.municipality])),
        category_of(shown.item),
        level_of(shown.item.severity),
    )


@router.get("/", response_class=HTMLResponse)
async def front(request: Request, gateway: GatewayAccess) -> Response:
    """The pulse of the reader's town; where several are served and none is chosen, the choice of one."""
    reader = await reader_of(request)
    town = gateway.towns.get(reader.subscriber.profile.municipality) if reader else gateway.towns.single
    if town is None:
        return await page(request, "towns.html", towns=list(gateway.towns), start=False)
    return await _pulse(request, gateway, town)


@router.get("/m/{municipality}", response_class=HTMLResponse)
async def pulse_of_a_town(request: Request, municipality: str, gateway: GatewayAccess) -> Response:
    """The pulse of one town."""
    return await _pulse(request, gateway, gateway.towns.of(municipality))


async def _pulse(request: Request, gateway: Gateway, town: TownView) -> Response:
    reader = await reader_of(request)
    chosen = reader.subscriber.profile.language if reader else None
    language = language_of(request, chosen=chosen, default=town.town.language)
    shown = await gateway.queries.pulse(town, most=30)
    sensors = await gateway.queries.sensors(town)
    names = ReaderNames(gateway, words_in(language), municipality=town.code)
    drawn = [shape.area for shape in town.map.shapes] if town.map else []
    winter = clearing((one.item for one in shown), drawn, town.ancestors, utc_now())
    # A cleared area shows it by itself.
    markers = map_markers(town, [one for one in shown if not winter or one.item.id not in winter.items])
    area_names = {area: names.area(area) for area in drawn}
    return await page(
        request,
        "pulse.html",
        town=town,
        warnings=[row_of(one, names, language) for one in shown if one.item.kind is Kind.ALERT],
        rows=[row_of(one, names, language) for one in shown if one.item.kind is not Kind.ALERT],
        names=names,
        markers=markers,
        labels=labels(town.map, area_names, markers) if town.map else [],
        titles={one.item.id: one.item.title for one in shown},
        winter=winter,
        sensors=[(one, sensor_chart(one, town)) for one in sensors[:8]],
        stream=f"/api/v1/pulse/stream?municipality={town.code}",
    )


def map_markers(town: TownView, shown: list[Shown]) -> list[Marker]:
    """Where the items of a list stand on the town's map: at their position, else in their area."""
    drawn = town.map
    if drawn is None:
        return []
    middles = {shape.area: (shape.x, shape.y) for shape in drawn.shapes}
    found = []
    for one in shown:
        where = _marker_position(drawn, middles, one)
        if where is not None:
            item = one.item
            found.append(Marker(item.id, category_of(item), level_of(item.severity), *where))
    return spread(found[:_MOST_MARKERS], drawn)


def _marker_position(
    drawn: TownMap, middles: dict[str, tuple[float, float]], shown: Shown
) -> tuple[float, float] | None:
    position = anchor(shown.item.geometry)
    if position is not None:
        return drawn.place(*position)
    return next((middles[area] for area in shown.areas if area in middles), None)


def sensor_chart(sensor: SensorNow, town: TownView) -> Chart | None:
    """The chart of a sensor's last days."""
    return chart(sensor.history, town.town.timezone)


@router.get("/open-data", response_class=HTMLResponse)
async def open_data_page(request: Request, gateway: GatewayAccess) -> Response:
    """Where the open data is, and a form that makes the address of what one wants to follow."""
    reader = await reader_of(request)
    municipality = request.query_params.get("municipality") or (
        reader.subscriber.profile.municipality if reader else ""
    )
    town = gateway.towns.get(municipality) or gateway.towns.first
    language = language_of(request, default=town.town.language)
    query = {
        name: value
        for name in ("area", "interest", "kind", "organiser")
        if (value := request.query_params.get(name, ""))
    }
    if gateway.towns.single is None:
        query["municipality"] = town.code
    return await page(
        request,
        "open_data.html",
        town=town,
        names=ReaderNames(gateway, words_in(language), municipality=town.code),
        interests=list(dict.fromkeys((*INTERESTS, *town.town.interests))),
        kinds=list(Kind),
        query=query,
    )


@router.get("/offline", response_class=HTMLResponse)
async def offline(request: Request) -> Response:
    """What the service worker shows when there is no network."""
    return await page(request, "offline.html")


@router.get("/problems/{slug}", response_class=HTMLResponse)
async def problem_type(request: Request, slug: str) -> Response:
    """What a problem type of the API means; its address is the type itself (RFC 9457 section 3.1.1)."""
    return await page(request, "error.html", code=None, slug=slug)


@router.get("/service-worker.js")
async def service_worker() -> Response:
    """The service worker, from the root so that it may act for all pages."""
    content = resources.files("gateway_api").joinpath("static", "service-worker.js").read_bytes()
    policy = "default-src 'none'; connect-src 'self'"
    return Response(
        content,
        media_type="text/javascript",
        headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy},
    )


@router.get("/manifest.webmanifest")
async def manifest(request: Request, gateway: GatewayAccess) -> Response:
    """What makes the pages an app that can be installed (W3C Web Application Manifest)."""
    language = language_of(request, default=gateway.towns.first.town.language)
    name = gateway.towns.single.town.name if gateway.towns.single else "Kommunepuls"
    content = {
        "name": f"{name} – Kommunepuls",
        "short_name": name,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f6f6",
        "theme_color": "#0b4f6c",
        "id": "/",
        "lang": language,
        "icons": [
            {
                "src": static_address(f"{name}-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for name, purpose in (("icon", "any"), ("icon-maskable", "maskable"))
            for size in (192, 512)
        ],
        "shortcuts": [
            {"name": words_in(language).say("For me"), "url": "/feed"},
            {"name": words_in(language).say("Messages"), "url": "/messages"},
        ],
    }
    return Response(json.dumps(content, ensure_ascii=False), media_type="application/manifest+json")


@router.get("/favicon.ico")
async def favicon() -> Response:
    """The icon, for who asks at the old place."""
    return RedirectResponse(static_address("icon.svg"), 301)
