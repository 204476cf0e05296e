"""Open data: published items as GeoJSON, RSS and iCalendar, with conditional requests."""

import hashlib
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from kommunepuls_events import Kind
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.api_public import Municipality, town_of
from gateway_api.domain.open_data import calendar, geojson, rss
from gateway_api.service.queries import ItemFilter, Shown
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/open-data", tags=["open data"])

_MOST = 200
_FRESH_SECONDS = 60


def _filter(
    area: Annotated[str | None, Query(max_length=512)] = None,
    interest: Annotated[str | None, Query(max_length=64)] = None,
    kind: Kind | None = None,
    organiser: Annotated[str | None, Query(max_length=512)] = None,
) -> ItemFilter:
    return ItemFilter(area=area, interest=interest, kind=kind, organiser=organiser)


Wanted = Annotated[ItemFilter, Depends(_filter)]


@router.get("/items.geojson")
async def items_as_geojson(
    request: Request, gateway: GatewayAccess, wanted: Wanted, municipality: Municipality = None
) -> Response:
    """The newest items as a GeoJSON FeatureCollection (RFC 7946)."""
    found, _ = await gateway.queries.items(town_of(gateway, municipality), wanted, limit=_MOST)
    body = geojson.feature_collection([(one.item, one.areas) for one in found], gateway.settings.public_url)
    return conditional(request, body, geojson.MEDIA_TYPE, _changed_at(found))


@router.get("/items.rss")
async def items_as_rss(
    request: Request, gateway: GatewayAccess, wanted: Wanted, municipality: Municipality = None
) -> Response:
    """The newest items as RSS 2.0."""
    town = town_of(gateway, municipality)
    found, _ = await gateway.queries.items(town, wanted, limit=_MOST)
    public_url = gateway.settings.public_url
    query = f"?{request.url.query}" if request.url.query else ""
    changed_at = _changed_at(found)
    body = rss.feed(
        [one.item for one in found],
        title=_title(town, wanted),
        description=town.town.name,
        language=town.town.language,
        self_url=f"{public_url}{request.url.path}{query}",
        public_url=public_url,
        built_at=changed_at or datetime.fromtimestamp(0, utc_now().tzinfo),
    )
    return conditional(request, body, rss.MEDIA_TYPE, changed_at)


@router.get("/items.ics")
async def items_as_calendar(
    request: Request, gateway: GatewayAccess, wanted: Wanted, municipality: Municipality = None
) -> Response:
    """Items that take place at a time, as iCalendar (RFC 5545): events unless another kind is asked for."""
    town = town_of(gateway, municipality)
    wanted = replace(wanted, kind=wanted.kind or Kind.EVENT)
    found, _ = await gateway.queries.items(town, wanted, limit=_MOST)
    body = calendar.calendar(
        [one.item for one in found],
        name=_title(town, wanted),
        timezone=town.town.timezone,
        public_url=gateway.settings.public_url,
    )
    return conditional(request, body, calendar.MEDIA_TYPE, _changed_at(found))


def _title(town: TownView, wanted: ItemFilter) -> str:
    language = town.town.language
    parts = [town.town.name]
    if wanted.organiser:
        known = {one.id: one.name for one in town.organisers}
        parts.append(known.get(wanted.organiser) or wanted.organiser.rpartition("/")[2])
    if wanted.area:
        parts.append(town.area_name(wanted.area, language))
    if wanted.interest:
        parts.append(town.interest_name(wanted.interest, language))
    return " – ".join(parts)


def _changed_at(found: list[Shown]) -> datetime | None:
    return max((one.item.observed_at for one in found), default=None)


def conditional(request: Request, body: bytes, media_type: str, changed_at: datetime | None) -> Response:
    """The body, or 304 to who has it already (RFC 9110 section 13): If-None-Match counts before the date.

    What is withdrawn changes the body but may leave the newest change older, so a date alone never spares
    an answer: it is only told.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={_FRESH_SECONDS}",
        "Access-Control-Allow-Origin": "*",
    }
    if changed_at:
        headers["Last-Modified"] = format_datetime(changed_at.replace(microsecond=0), usegmt=True)
    given = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if etag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
