"""Pages of the feed: what concerns a resident, narrowed and paged by the address, and 'less of this'."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from kommunepuls_events import Kind, SubscriberProfileV1

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess
from gateway_api.adapters.http.feed_views import (
    cards,
    confirmed,
    less_from,
    less_of_token,
    undo_token,
)
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.rendering import page
from gateway_api.domain.choices import Choices, choices_of
from gateway_api.domain.errors import LinkRefused
from gateway_api.service.queries import ItemFilter

router = APIRouter(include_in_schema=False)
stream_router = APIRouter(prefix="/api/v1", tags=["my messages"])

_NARROWED_BY = ("kind", "area", "interest")
_RETRY_MILLISECONDS = 3000


def _filter(asked: dict[str, str]) -> ItemFilter:
    kind = asked.get("kind", "")
    return ItemFilter(
        area=asked.get("area") or None,
        interest=asked.get("interest") or None,
        kind=Kind(kind) if kind in tuple(Kind) else None,
    )


@router.get("/feed", response_class=HTMLResponse)
async def feed(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """What concerns the resident, the newest and most relevant first, each with its reasons."""
    if "" in request.query_params.values():
        # A form sends what was left open too; the address to keep says what was chosen.
        given = [pair for pair in request.query_params.multi_items() if pair[1]]
        return RedirectResponse(f"/feed?{urlencode(given)}" if given else "/feed", 303)
    subscriber = reader.subscriber
    words = words_in(language_of(request, chosen=subscriber.profile.language))
    town = gateway.towns.get(subscriber.profile.municipality)
    asked = {name: value for name in _NARROWED_BY if (value := request.query_params.get(name, "")[:512])}
    number = request.query_params.get("page", "1")
    shown = await gateway.feeds.page(
        subscriber, town, _filter(asked), int(number) if number.isdigit() and len(number) < 6 else 1
    )
    made, names = await cards(gateway, subscriber, words, shown.entries)
    token = request.query_params.get("less", "")
    said = ""
    if token:
        try:
            key = gateway.settings.link_key.get_secret_value()
            said = confirmed(less_of_token(token, subscriber.id, key), names, words)
        except LinkRefused:
            token = ""
    return await page(
        request,
        "feed.html",
        shown=shown,
        cards=made,
        names=names,
        asked=asked,
        address=lambda **changes: _address(asked | changes),
        query=urlencode(asked | ({"page": shown.number} if shown.number > 1 else {})),
        less_said=said,
        less_token=token,
        restored="restored" in request.query_params,
    )


def _address(asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"/feed?{urlencode(given)}" if given else "/feed"


@router.post("/feed/less")
async def less(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Choose less of something; the page that follows says what was chosen and offers to undo it."""
    form = await request.form()
    given = {name: str(form.get(name, "")) for name in ("choice", "item", "back")}
    what, _, rest = given["choice"].partition(":")
    metres, _, of = rest.partition(":")
    chosen = less_from(what, of, metres, reader.subscriber)
    answer: dict[str, str] = {}
    if chosen is not None:
        await _change(reader, gateway, chosen.applied)
        key = gateway.settings.link_key.get_secret_value()
        answer = {"less": undo_token(chosen, reader.subscriber.id, key)}
    return RedirectResponse(_back(given, answer), 303)


@router.post("/feed/undo")
async def undo(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Take 'less of this' back: the choices are what they were."""
    form = await request.form()
    given = {name: str(form.get(name, "")) for name in ("token", "item", "back")}
    key = gateway.settings.link_key.get_secret_value()
    taken_back = less_of_token(given["token"], reader.subscriber.id, key)
    await _change(reader, gateway, taken_back.undone)
    return RedirectResponse(_back(given, {"restored": "1"}), 303)


async def _change(reader: ResidentAccess, gateway: GatewayAccess, change) -> None:
    town = gateway.towns.of(reader.subscriber.profile.municipality)

    def decide(profile: SubscriberProfileV1) -> Choices:
        return change(choices_of(profile))

    await gateway.residents.choose(reader.subscriber.id, decide, town.offer)


def _back(given: dict[str, str], answer: dict[str, str]) -> str:
    """To the item's page or the feed that one came from, as it was narrowed."""
    if given["item"]:
        return f"/items/{quote(given['item'][:512], safe='')}?{urlencode(answer)}#less"
    asked = [
        pair
        for part in given["back"][:2000].split("&")
        if (pair := part.partition("="))[0] in (*_NARROWED_BY, "page") and pair[2]
    ]
    kept = "&".join(f"{name}={quote(value, safe='%+')}" for name, _, value in asked)
    return "/feed?" + "&".join(part for part in (kept, urlencode(answer)) if part)


@stream_router.get("/feed/stream", response_class=EventSourceResponse)
async def stream(
    reader: ResidentAccess,
    gateway: GatewayAccess,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
    after: Annotated[
        str | None, Query(max_length=200, description="like Last-Event-ID, for a first connection")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: ``entry`` when something comes into my feed, ``position`` at first.

    With ``Last-Event-ID`` it goes on behind that event, whichever process answers; when that is too long
    ago it says ``reset``: read the feed anew. It ends after ten minutes and has to be asked for again.
    """
    async for event in gateway.feed_streams.follow(reader.subscriber.id, last_event_id or after):
        yield ServerSentEvent(
            event=event.name,
            data={"item": event.item, "revision": event.revision} if event.item else {},
            id=event.id,
            retry=_RETRY_MILLISECONDS,
        )
