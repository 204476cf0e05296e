"""Pages of staff signing in: a mailed link for members, a token for operators."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway_api.adapters.http.access import GatewayAccess, client_of, same_origin
from gateway_api.adapters.http.access_staff import (
    AnyStaff,
    OperatorStaff,
    clear_staff_session,
    set_staff_session,
    staff_of,
)
from gateway_api.adapters.http.staff_rendering import rooms_of, staff_page
from gateway_api.domain.errors import Invalid, LinkRefused, NotAllowed
from gateway_api.service.staff_sign_in import StaffSession

router = APIRouter(prefix="/staff", include_in_schema=False)

LOBBY = "/staff/sign-in"


def first_room(session: StaffSession | None) -> str:
    """Where somebody begins."""
    return next((room.path for room in rooms_of(session)), LOBBY)


@router.get("")
async def front(session: AnyStaff) -> Response:
    """On to the first room."""
    return RedirectResponse(first_room(session), 303)


@router.get("/sign-in", response_class=HTMLResponse)
async def sign_in(request: Request) -> Response:
    """Ask for an address or a token."""
    session = await staff_of(request)
    if session and rooms_of(session):
        return RedirectResponse(first_room(session), 303)
    return await staff_page(request, "sign_in.html", None, fault=None, address="")


@router.post("/sign-in", response_class=HTMLResponse)
async def ask_for_a_link(request: Request, gateway: GatewayAccess) -> Response:
    """Have a link mailed; the page that follows is the same whether there is an account or not."""
    same_origin(request)
    form = await request.form()
    address = str(form.get("address", ""))[:254]
    town = gateway.towns.get(str(form.get("municipality", ""))) or gateway.towns.first
    try:
        await gateway.staff_sign_in.mail_link(address, town.code, client_of(request))
    except Invalid:
        return await staff_page(request, "sign_in.html", None, status=422, fault="address", address=address)
    return await staff_page(
        request, "sign_in_sent.html", None, address=address, minutes=gateway.settings.sign_in_minutes
    )


@router.post("/token", response_class=HTMLResponse)
async def enter_a_token(request: Request, gateway: GatewayAccess) -> Response:
    """Sign an operator in."""
    same_origin(request)
    given = str((await request.form()).get("token", "")).strip()[:500]
    try:
        token, session = await gateway.staff_sign_in.enter_token(given, client_of(request))
    except NotAllowed:
        return await staff_page(request, "sign_in.html", None, status=403, fault="token", address="")
    answer = RedirectResponse(first_room(session), 303)
    set_staff_session(answer, gateway.settings, token)
    return answer


@router.get("/sign-in/{token}", response_class=HTMLResponse)
async def look_at_a_link(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Show a button; the link is used by pressing it, for mail scanners open links too."""
    try:
        await gateway.staff_sign_in.look_at_link(token)
    except LinkRefused as error:
        return await staff_page(request, "error.html", None, status=410, code=410, slug=error.slug)
    return await staff_page(
        request, "sign_in_confirm.html", None, token=token, headers={"Referrer-Policy": "no-referrer"}
    )


@router.post("/sign-in/{token}", response_class=HTMLResponse)
async def follow_a_link(request: Request, token: str, gateway: GatewayAccess) -> Response:
    """Use the link."""
    same_origin(request)
    opened, session = await gateway.staff_sign_in.follow_link(token)
    answer = RedirectResponse(first_room(session), 303)
    set_staff_session(answer, gateway.settings, opened)
    return answer


@router.post("/town")
async def choose_a_town(request: Request, session: OperatorStaff, gateway: GatewayAccess) -> Response:
    """Look at another town."""
    form = await request.form()
    town = gateway.towns.of(str(form.get("municipality", "")))
    await gateway.staff_sign_in.choose_town(session, town.code)
    return RedirectResponse(first_room(session), 303)


@router.post("/sign-out")
async def sign_out(session: AnyStaff, gateway: GatewayAccess) -> Response:
    """End the session."""
    await gateway.staff_sign_in.close(session)
    answer = RedirectResponse(LOBBY, 303)
    clear_staff_session(answer, gateway.settings)
    return answer
