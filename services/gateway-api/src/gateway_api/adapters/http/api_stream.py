"""JSON API: the live stream of the pulse."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.api_public import Municipality, town_of

router = APIRouter(prefix="/api/v1", tags=["open"])

_RETRY_MILLISECONDS = 3000


@router.get("/pulse/stream", response_class=EventSourceResponse)
async def stream(
    gateway: GatewayAccess,
    municipality: Municipality = None,
    last_event_id: Annotated[str | None, Header(max_length=2000)] = None,
    after: Annotated[
        str | None, Query(max_length=2000, description="like Last-Event-ID, for a first connection")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: ``item``, ``withdrawn``, ``reading`` as they happen, ``position`` at first.

    With ``Last-Event-ID`` it goes on behind that event, whichever process answers; when that is too long
    ago it says ``reset``: read the pulse anew. A comment is sent every 15 seconds to keep proxies awake.
    """
    town = town_of(gateway, municipality)
    async for told in gateway.hub.follow(town.code, last_event_id or after):
        yield ServerSentEvent(
            event=told.event.name, data=told.event.data, id=told.id or None, retry=_RETRY_MILLISECONDS
        )
