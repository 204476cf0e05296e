"""JSON API: what everybody may read."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from kommunepuls_events import Kind
from kommunepuls_events.interests import AUDIENCES, INTERESTS

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.language import language_of
from gateway_api.adapters.http.models import (
    AreaAnswer,
    ItemAnswer,
    ItemHistory,
    ItemPage,
    Named,
    PulseAnswer,
    SensorAnswer,
)
from gateway_api.domain.readings import SensorNow
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import ItemFilter, Shown
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/api/v1", tags=["open"])

Municipality = Annotated[
    str | None, Query(max_length=12, description="code such as NO-3907; one town needs none")
]


def town_of(gateway: Gateway, municipality: str | None) -> TownView:
    """The town asked for, or the first.

    Raises:
        NotFound: if it is not served here.
    """
    return gateway.towns.of(municipality) if municipality else gateway.towns.first


@router.get("/municipalities")
async def municipalities(gateway: GatewayAccess) -> list[Named]:
    """The municipalities served here."""
    return [Named(id=town.code, name=town.town.name) for town in gateway.towns]


@router.get("/areas")
async def areas(
    request: Request, gateway: GatewayAccess, municipality: Municipality = None
) -> list[AreaAnswer]:
    """The areas that can be followed, each before what it holds."""
    town, language = town_of(gateway, municipality), language_of(request)
    return [
        AreaAnswer(
            id=area.id, name=area.name_in(language), parent=area.parent, kind=str(area.kind), depth=depth
        )
        for area, depth in town.chosen_areas()
    ]


@router.get("/interests")
async def interests(
    request: Request, gateway: GatewayAccess, municipality: Municipality = None
) -> dict[str, list[Named]]:
    """The interests and life stages that can be chosen."""
    town, language = town_of(gateway, municipality), language_of(request)
    return {
        "interests": [
            Named(id=slug, name=town.interest_name(slug, language))
            for slug in dict.fromkeys((*INTERESTS, *town.town.interests))
        ],
        "audience": [Named(id=slug, name=getattr(of, language)) for slug, of in AUDIENCES.items()],
    }


@router.get("/organisers")
async def organisers(gateway: GatewayAccess, municipality: Municipality = None) -> list[Named]:
    """The organisers that can be followed."""
    return [Named(id=one.id, name=one.name) for one in town_of(gateway, municipality).organisers]


@router.get("/sensors")
async def sensors(gateway: GatewayAccess, municipality: Municipality = None) -> list[SensorAnswer]:
    """The sensors that have a value, without their history."""
    found = await gateway.queries.sensors(town_of(gateway, municipality))
    return [sensor_answer(one, history=False) for one in found]


@router.get("/sensors/{sensor:path}")
async def sensor(sensor: str, gateway: GatewayAccess) -> list[SensorAnswer]:
    """One sensor with its last two days, a row a property."""
    return [sensor_answer(one, history=True) for one in await gateway.queries.sensor(sensor)]


def sensor_answer(now: SensorNow, *, history: bool) -> SensorAnswer:
    """A sensor as shown."""
    return SensorAnswer(
        sensor=now.sensor,
        name=now.name,
        observed_property=now.observed_property,
        value=now.value,
        unit=now.unit,
        observed_at=now.observed_at,
        areas=list(now.areas),
        position=now.position,
        history=list(now.history) if history else [],
    )


def item_answer(shown: Shown) -> ItemAnswer:
    """An item as shown."""
    return ItemAnswer(item=shown.item, areas=list(shown.areas))


@router.get("/pulse", response_model_exclude_none=True)
async def pulse(gateway: GatewayAccess, municipality: Municipality = None) -> PulseAnswer:
    """What happens in a municipality now: emergencies first, then the newest."""
    town = town_of(gateway, municipality)
    return PulseAnswer(
        municipality=town.code,
        items=[item_answer(one) for one in await gateway.queries.pulse(town)],
        sensors=[sensor_answer(one, history=False) for one in await gateway.queries.sensors(town)],
    )


@router.get("/items", response_model_exclude_none=True)
async def items(
    gateway: GatewayAccess,
    municipality: Municipality = None,
    area: Annotated[str | None, Query(max_length=512)] = None,
    interest: Annotated[str | None, Query(max_length=64)] = None,
    kind: Kind | None = None,
    organiser: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> ItemPage:
    """Published items, the newest first. ``area`` finds what concerns it, inside it or around it."""
    wanted = ItemFilter(area=area, interest=interest, kind=kind, organiser=organiser)
    found, next_cursor = await gateway.queries.items(
        town_of(gateway, municipality), wanted, limit=limit, cursor=cursor
    )
    return ItemPage(items=[item_answer(one) for one in found], next_cursor=next_cursor)


@router.get("/items/{item:path}", response_model_exclude_none=True)
async def item(item: str, gateway: GatewayAccess) -> ItemHistory:
    """An item with all its revisions, withdrawn ones too: they say so."""
    shown = await gateway.queries.item(item)
    return ItemHistory(
        item=shown.item, areas=list(shown.areas), revisions=await gateway.queries.revisions(item)
    )


@router.get("/vapid-public-key", tags=["my profile"])
async def vapid_public_key(gateway: GatewayAccess) -> dict[str, str]:
    """The key that a browser subscribes with (``applicationServerKey``)."""
    return {"public_key": gateway.settings.vapid_public_key}
