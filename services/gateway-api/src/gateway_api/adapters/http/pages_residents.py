"""Pages of a resident: message centre, my data, unsubscribing."""

from fastapi import APIRouter, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse
from kommunepuls_chassis import links
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import (
    GatewayAccess,
    ResidentAccess,
    clear_session,
    same_origin,
)
from gateway_api.adapters.http.rendering import page
from gateway_api.domain import unsubscribing
from gateway_api.domain.errors import LinkRefused, NotFound
from gateway_api.service.export import everything_of
from gateway_api.service.gateway import Gateway

router = APIRouter(include_in_schema=False)

_PAGE = 25


@router.get("/data", response_class=HTMLResponse)
async def my_data(request: Request, reader: ResidentAccess) -> Response:
    """What is kept, how to get it, how to have it deleted."""
    return await page(request, "my_data.html", fault=False)


@router.get("/data/export")
async def export(reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Everything kept of the resident, as a file."""
    content = jsonable_encoder(await everything_of(reader.subscriber, gateway.collections))
    return JSONResponse(
        content,
        headers={
            "Content-Disposition": 'attachment; filename="kommunepuls.json"',
            "Cache-Control": "no-store",
        },
    )


@router.post("/data/erase", response_class=HTMLResponse)
async def erase(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Delete everything at once, when the box was ticked, and say so."""
    if not (await request.form()).get("sure"):
        return await page(request, "my_data.html", status=422, fault=True)
    deleted = await gateway.residents.erase(reader.subscriber.id)
    request.state.reader = None
    answer = await page(request, "erased.html", deleted=deleted, erased_at=utc_now())
    clear_session(answer, gateway.settings)
    return answer


def _claims(gateway: Gateway, token: str) -> dict:
    try:
        return links.verify(
            token, gateway.settings.link_key.get_secret_value(), purpose=links.UNSUBSCRIBE, now=utc_now()
        )
    except PermanentError:
        raise LinkRefused("this link is not one of ours, or was cut short", slug="link-unknown") from None


@router.get("/unsubscribe/{token}", response_class=HTMLResponse)
async def unsubscribe_page(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Say what stops, with a button; opening the page changes nothing, for mail scanners open links."""
    return await _unsubscribe_page(request, gateway, token, _claims(gateway, token), done=None)


@router.post("/unsubscribe/{token}", response_class=HTMLResponse)
async def unsubscribe(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Unsubscribe: by the button, or by a mail program's one-click POST without any cookie (RFC 8058)."""
    claims = _claims(gateway, token)
    try:
        await gateway.residents.stop(claims["subscriber"], claims.get("scope") or unsubscribing.ALL)
    except NotFound:
        # Erased already: nothing is sent any more, which is what was asked for.
        return await _unsubscribe_page(request, gateway, token, claims, done="erased")
    return await _unsubscribe_page(request, gateway, token, claims, done="stopped")


@router.post("/unsubscribe/{token}/undo", response_class=HTMLResponse)
async def undo(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Take an unsubscription back."""
    same_origin(request)
    claims = _claims(gateway, token)
    await gateway.residents.resume(claims["subscriber"], claims.get("scope") or unsubscribing.ALL)
    return await _unsubscribe_page(request, gateway, token, claims, done="resumed")


async def _unsubscribe_page(
    request: Request, gateway: Gateway, token: str, claims: dict, *, done: str | None
) -> Response:
    channels = unsubscribing.channels_of(claims.get("scope") or unsubscribing.ALL)
    subscriber = await gateway.residents.get(claims["subscriber"])
    if subscriber is None:
        done = "erased"
    active = [one for one in channels if subscriber and one in subscriber.profile.channels]
    if done is None and not active:
        done = "stopped"
    # A channel without an address or device goes on in name only.
    remaining = [
        one
        for one in (subscriber.profile.channels if subscriber else ())
        if one not in channels and subscriber and subscriber.active(one)
    ]
    town = gateway.towns.get(subscriber.profile.municipality) if subscriber else None
    return await page(
        request,
        "unsubscribe.html",
        headers={"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"},
        token=token,
        channels=channels,
        active=active,
        remaining=remaining,
        town=town,
        done=done,
    )
