"""Events for other sites: a bare page to show in a frame, the same as JSON, and how that is done."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from kommunepuls_events.interests import INTERESTS
from pydantic import BaseModel

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.api_public import Municipality, town_of
from gateway_api.adapters.http.language import known, language_of, words_in
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.open_data import conditional
from gateway_api.adapters.http.pages_public import Row, row_of
from gateway_api.adapters.http.rendering import fragment, page
from gateway_api.domain.open_data.addresses import item_url
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import ItemFilter
from gateway_api.service.towns import TownView

router = APIRouter()

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors *"
)
"""Of the page that others show in a frame, and of no other: it has no scripts, no forms and no cookies."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events, and how many."""

    filter: ItemFilter
    limit: int


def _wanted(
    organiser: Annotated[str | None, Query(max_length=512)] = None,
    area: Annotated[str | None, Query(max_length=512)] = None,
    interest: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Wanted:
    return Wanted(ItemFilter(area=area, interest=interest, organiser=organiser or None), limit)


WantedEvents = Annotated[Wanted, Depends(_wanted)]


class EventAnswer(BaseModel):
    """One event."""

    id: str
    title: str
    summary: str
    language: str
    organiser: str | None
    starts_at: str
    ends_at: str | None
    place: str | None
    areas: list[str]
    interests: list[str]
    url: str


class EventsAnswer(BaseModel):
    """Events that are not over, by when they begin."""

    events: list[EventAnswer]


async def _rows(gateway: Gateway, town: TownView, wanted: Wanted, language: str) -> list[Row]:
    names = ReaderNames(gateway, words_in(language), municipality=town.code)
    found = await gateway.queries.coming(town, wanted.filter, limit=wanted.limit)
    return [row_of(one, names, language) for one in found]


def _language(request: Request, town: TownView) -> str:
    """Asked for in the address, else the town's: what a site shows is not its reader's choice."""
    return known(request.query_params.get("language")) or known(town.town.language) or "nb"


@router.get("/embed/events", response_class=HTMLResponse, include_in_schema=False)
async def events(
    request: Request, gateway: GatewayAccess, wanted: WantedEvents, municipality: Municipality = None
) -> Response:
    """A bare page of events, to be shown in a frame of any site."""
    town = town_of(gateway, municipality)
    language = _language(request, town)
    rows = await _rows(gateway, town, wanted, language)
    html = fragment(
        language,
        "embed_events.html",
        town=town,
        timezone=town.town.timezone,
        rows=rows,
        public_url=gateway.settings.public_url,
    )
    answer = conditional(request, html.encode(), "text/html", None)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Content-Language"] = language
    return answer


@router.get("/embed/events.json", tags=["open data"])
async def events_as_json(
    request: Request, gateway: GatewayAccess, wanted: WantedEvents, municipality: Municipality = None
) -> EventsAnswer:
    """Events that are not over, by when they begin, for the site of a club or a paper. Any site may ask."""
    town = town_of(gateway, municipality)
    found = await gateway.queries.coming(town, wanted.filter, limit=wanted.limit)
    answer = EventsAnswer(
        events=[
            EventAnswer(
                id=item.id,
                title=item.title,
                summary=item.summary,
                language=item.language,
                organiser=item.organiser.name if item.organiser else None,
                starts_at=(item.starts_at or item.published_at).isoformat(),
                ends_at=item.ends_at.isoformat() if item.ends_at else None,
                place=item.place_name,
                areas=list(one.areas),
                interests=list(item.interests),
                url=item_url(gateway.settings.public_url, item.id),
            )
            for one in found
            for item in (one.item,)
        ]
    )
    return JSONResponse(
        answer.model_dump(),
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=60"},
    )  # type: ignore[return-value]


@router.get("/embed", response_class=HTMLResponse, include_in_schema=False)
async def how(request: Request, gateway: GatewayAccess, municipality: Municipality = None) -> Response:
    """How to show events on one's own site: a form that makes the lines to copy, and what they show."""
    town = town_of(gateway, municipality)
    language = language_of(request, default=town.town.language)
    asked = request.query_params
    query = {name: value for name in ("organiser", "area", "interest") if (value := asked.get(name, ""))}
    if gateway.towns.single is None:
        query["municipality"] = town.code
    answer = await page(
        request,
        "embed.html",
        town=town,
        names=ReaderNames(gateway, words_in(language), municipality=town.code),
        interests=list(dict.fromkeys((*INTERESTS, *town.town.interests))),
        listed=list(town.organisers),
        query=query,
        tail=f"?{urlencode(query)}" if query else "",
    )
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
    return answer
