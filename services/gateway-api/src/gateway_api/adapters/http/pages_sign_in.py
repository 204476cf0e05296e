"""Pages of signing in: ask for a link, follow it, sign out."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway_api.adapters.http.access import (
    GatewayAccess,
    ResidentAccess,
    clear_session,
    client_of,
    reader_of,
    same_origin,
    set_session,
)
from gateway_api.adapters.http.language import language_of
from gateway_api.adapters.http.rendering import page
from gateway_api.domain.errors import Invalid, LinkRefused

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
    return await page(request, "sign_in_sent.html", address=address, minutes=gateway.settings.sign_in_minutes)


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
    session_token, _, new = await gateway.sign_in.follow_link(token)
    answer = RedirectResponse("/choices?welcome=1" if new else "/feed", 303)
    set_session(answer, gateway.settings, session_token)
    return answer


@router.post("/sign-out")
async def sign_out(reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """End the session."""
    await gateway.sign_in.close_session(reader.session)
    answer = RedirectResponse("/", 303)
    clear_session(answer, gateway.settings)
    return answer
