"""Pages of signing in: ask for a link, follow it, sign out."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway_api.adapters.http.access import (
    GatewayAccess,
    Reader,
    ResidentAccess,
    clear_session,
    client_of,
    reader_of,
    same_origin,
    set_session,
)
from gateway_api.adapters.http.language import language_of
from gateway_api.adapters.http.pages_start import show
from gateway_api.adapters.http.rendering import page
from gateway_api.domain import onboarding
from gateway_api.domain.choices import choices_of
from gateway_api.domain.errors import Invalid, LinkRefused
from gateway_api.domain.onboarding import Step
from gateway_api.service.gateway import Gateway
from gateway_api.service.sign_in import Followed

router = APIRouter(include_in_schema=False)


@router.get("/sign-in", response_class=HTMLResponse)
async def sign_in(request: Request, gateway: GatewayAccess) -> Response:
    """Ask for an e-mail address."""
    if await reader_of(request):
        return RedirectResponse("/feed", 303)
    return await page(request, "sign_in.html", towns=list(gateway.towns), fault=None, address="")


@router.post("/sign-in", response_class=HTMLResponse)
async def ask_for_a_link(request: Request, gateway: GatewayAccess) -> Response:
    """Have a link mailed; the page that follows is the same for every address."""
    same_origin(request)
    form = await request.form()
    address = str(form.get("address", ""))
    town = gateway.towns.get(str(form.get("municipality", ""))) or gateway.towns.first
    language = language_of(request, default=town.town.language)
    try:
        await gateway.sign_in.mail_link(address, town.code, language, client_of(request))
    except Invalid:
        return await page(
            request,
            "sign_in.html",
            status=422,
            towns=list(gateway.towns),
            fault="address",
            address=address[:254],
        )
    return await page(
        request, "sign_in_sent.html", address=address, minutes=gateway.settings.sign_in_minutes, draft=""
    )


@router.get("/sign-in/{token}", response_class=HTMLResponse)
async def look_at_a_link(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Show a button; the link is used by pressing it, for mail scanners open links too."""
    try:
        await gateway.sign_in.look_at_link(token)
    except LinkRefused as error:
        return await page(request, "error.html", status=410, code=410, slug=error.slug)
    return await page(
        request, "sign_in_confirm.html", token=token, headers={"Referrer-Policy": "no-referrer"}
    )


@router.post("/sign-in/{token}", response_class=HTMLResponse)
async def follow_a_link(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Use the link: signed in, a new resident goes on to their choices."""
    same_origin(request)
    followed = await gateway.sign_in.follow_link(token)
    answer = await _led_to(request, gateway, followed)
    set_session(answer, gateway.settings, followed.token)
    return answer


async def _led_to(request: Request, gateway: Gateway, followed: Followed) -> Response:
    """Where a link leads: who has chosen is asked before other choices take the place of theirs."""
    subscriber = await gateway.residents.get(followed.session.subscriber)
    if subscriber is None:
        return RedirectResponse("/", 303)
    held = choices_of(subscriber.profile)
    waiting = followed.waiting
    if waiting is None or onboarding.with_answers(held, waiting) == held:
        chosen = "/welcome" if followed.new else "/feed"
        return RedirectResponse("/start" if onboarding.is_empty(held) else chosen, 303)
    request.state.reader = Reader(followed.session, subscriber)
    town = gateway.towns.of(subscriber.profile.municipality)
    return await show(request, gateway, town, Step.ADDRESS, onboarding.with_answers(held, waiting))


@router.post("/sign-out")
async def sign_out(reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """End the session."""
    await gateway.sign_in.close_session(reader.session)
    answer = RedirectResponse("/", 303)
    clear_session(answer, gateway.settings)
    return answer
