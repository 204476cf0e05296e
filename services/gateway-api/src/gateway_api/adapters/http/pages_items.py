"""The page of an item: what it says, where it is, what happened to it, and why a resident got it."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from kommunepuls_events import Place, Reason

from gateway_api.adapters.http.access import GatewayAccess, Reader, reader_of
from gateway_api.adapters.http.feed_views import (
    LessChoice,
    confirmed,
    less_choices,
    less_of_token,
    reason_line,
    small_map,
)
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.rendering import page
from gateway_api.adapters.http.resident_views import names_for
from gateway_api.domain.errors import LinkRefused
from gateway_api.domain.items import texts_in
from gateway_api.domain.residents_record import reasons_of
from gateway_api.domain.words import Words
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import Shown

router = APIRouter(include_in_schema=False)


@router.get("/items/{item:path}", response_class=HTMLResponse)
async def item_page(request: Request, item: str, gateway: GatewayAccess) -> Response:
    """An item with what happened to it. A resident who opens it, from wherever, has read it."""
    shown = await gateway.queries.item(item)
    reader = await reader_of(request)
    town = gateway.towns.get(shown.item.municipality)
    chosen = reader.subscriber.profile.language if reader else None
    words = words_in(language_of(request, chosen=chosen, default=town.town.language if town else "nb"))
    places: tuple[Place, ...] = ()
    if reader:
        places = reader.subscriber.profile.places
        names = await names_for(gateway, reader.subscriber, words, [shown.item])
        own = await _own(request, gateway, reader, shown, names, words)
        await gateway.reads.mark(reader.subscriber.id, [(item, shown.item.revision)])
    else:
        names = ReaderNames(gateway, words, municipality=shown.item.municipality, items=[shown.item])
        own = {"less_said": "", "less_token": "", "restored": False}
    title, summary, body, written_in = texts_in(shown.item, words.language)
    return await page(
        request,
        "item.html",
        item=shown.item,
        areas=[names.area(area) for area in shown.areas],
        title=title,
        summary=summary,
        body=body,
        written_in=written_in,
        names=names,
        map=await asyncio.to_thread(small_map, town, shown.item, shown.areas, places),
        shown_pictures=(await gateway.pictures.shown([shown.item])).get(item, ()),
        revisions=list(reversed(await gateway.queries.revisions(item))),
        **({"town": town} if town else {}),
        **own,
    )


async def _own(
    request: Request, gateway: Gateway, reader: Reader, shown: Shown, names: ReaderNames, words: Words
) -> dict[str, Any]:
    """Why the resident got it, and what they can do about it."""
    subscriber, item = reader.subscriber, shown.item
    entries = await gateway.queries.feed_entries(subscriber.id, [item.id])
    reasons: list[Reason] = reasons_of(entries[item.id]) if item.id in entries else []
    choices: tuple[LessChoice, ...] = less_choices(item, reasons, subscriber, names, words)
    said, token = "", request.query_params.get("less", "")
    if token:
        try:
            key = gateway.settings.link_key.get_secret_value()
            said = confirmed(less_of_token(token, subscriber.id, key), names, words)
        except LinkRefused:
            token = ""
    return {
        "reasons": reasons,
        "because": reason_line(reasons, names, words),
        "less_choices": choices,
        "less_said": said,
        "less_token": token,
        "restored": "restored" in request.query_params,
    }
