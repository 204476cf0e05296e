"""JSON API: signing in and out."""

from fastapi import APIRouter, Request, Response

from gateway_api.adapters.http.access import (
    GatewayAccess,
    ResidentAccess,
    clear_session,
    client_of,
    same_origin,
    set_session,
)
from gateway_api.adapters.http.language import known
from gateway_api.adapters.http.models import SessionAnswer, SessionRequest, SignInLinkRequest
from gateway_api.domain.errors import Fault, Invalid

router = APIRouter(prefix="/api/v1", tags=["sign-in"])


@router.post("/sign-in-links", status_code=202)
async def mail_a_sign_in_link(
    request: Request, asked: SignInLinkRequest, gateway: GatewayAccess
) -> dict[str, str]:
    """Mail a link that signs in, or signs up. The answer is the same whether the address is known or not."""
    same_origin(request)
    town = gateway.towns.get(asked.municipality) if asked.municipality else gateway.towns.single
    if town is None:
        raise Invalid([Fault("/municipality", "is not one that is served here")])
    await gateway.sign_in.mail_link(
        asked.address, town.code, known(asked.language) or "nb", client_of(request)
    )
    return {"detail": "if mail can reach the address, a link is on its way"}


@router.post("/sessions", status_code=201)
async def follow_a_link(
    request: Request, response: Response, asked: SessionRequest, gateway: GatewayAccess
) -> SessionAnswer:
    """Use a mailed link: sets the session cookie."""
    same_origin(request)
    followed = await gateway.sign_in.follow_link(asked.token)
    session = followed.session
    set_session(response, gateway.settings, followed.token)
    return SessionAnswer(
        subscriber=session.subscriber,
        csrf_token=session.csrf,
        expires_at=session.expires_at,
        new=followed.new,
    )


@router.get("/session")
async def session(reader: ResidentAccess) -> SessionAnswer:
    """Who is signed in."""
    held = reader.session
    return SessionAnswer(subscriber=held.subscriber, csrf_token=held.csrf, expires_at=held.expires_at)


@router.delete("/session", status_code=204)
async def sign_out(response: Response, reader: ResidentAccess, gateway: GatewayAccess) -> None:
    """End the session."""
    await gateway.sign_in.close_session(reader.session)
    clear_session(response, gateway.settings)
