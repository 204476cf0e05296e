"""Pages of the people who work here, and the record of who did what."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import EditorStaff, staff_town
from gateway_api.adapters.http.language import language_of
from gateway_api.adapters.http.staff_rendering import staff_page
from gateway_api.domain.errors import Invalid
from gateway_api.domain.staff import INVITED, Invitation, Member, invitation_of
from gateway_api.service.audit import noted
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/staff", include_in_schema=False)

_PAGE = 50
_SAID = ("invited", "changed", "removed")


@router.get("/people", response_class=HTMLResponse)
async def people(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Who works here, and a form to invite somebody."""
    return await _show(request, session, gateway)


@router.post("/people", response_class=HTMLResponse)
async def invite(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Invite somebody, and mail them a link."""
    form = await request.form()
    town = staff_town(request, session)
    address = str(form.get("address", "")).strip()[:254]
    invitation = _invitation(form, town)
    language = language_of(request, default=town.town.language)
    try:
        await gateway.staff.invite(town.code, address, invitation, language, session.staff)
    except Invalid as error:
        return await _show(request, session, gateway, error=error, entered=invitation, address=address)
    return RedirectResponse("/staff/people?said=invited", 303)


@router.get("/people/{member}", response_class=HTMLResponse)
async def person(request: Request, member: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """One person's name and roles, to be changed."""
    town = staff_town(request, session)
    known = await gateway.staff.member(town.code, member)
    held = Invitation(known.name, tuple(known.roles), known.organisers)
    return await _one(request, session, town, known, held)


@router.post("/people/{member}", response_class=HTMLResponse)
async def change(request: Request, member: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Change somebody's name and roles."""
    town = staff_town(request, session)
    invitation = _invitation(await request.form(), town)
    try:
        await gateway.staff.change(town.code, member, invitation, session.staff)
    except Invalid as error:
        known = await gateway.staff.member(town.code, member)
        return await _one(request, session, town, known, invitation, error)
    return RedirectResponse("/staff/people?said=changed", 303)


@router.post("/people/{member}/remove", response_class=HTMLResponse)
async def remove(request: Request, member: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Remove somebody, when the box was ticked; they are signed out at once."""
    town = staff_town(request, session)
    if not (await request.form()).get("sure"):
        known = await gateway.staff.member(town.code, member)
        held = Invitation(known.name, tuple(known.roles), known.organisers)
        return await _one(request, session, town, known, held, unsure=True)
    await gateway.staff.remove(town.code, member, session.staff)
    return RedirectResponse("/staff/people?said=removed", 303)


@router.get("/log", response_class=HTMLResponse)
async def log(
    request: Request, session: EditorStaff, gateway: GatewayAccess, cursor: str | None = None
) -> Response:
    """Who did what and when; an operator sees all towns."""
    read = await gateway.audit.read(session.staff.municipality, limit=_PAGE, cursor=cursor)
    return await staff_page(
        request,
        "log.html",
        session,
        lines=[noted(stored.document) for stored in read.documents],
        next_cursor=read.next_cursor,
    )


def _invitation(form: FormData, town: TownView) -> Invitation:
    """The form's name, roles and organisers; one that is new is written as its id or its last part."""
    organisers = [str(one) for one in form.getlist("organisers")]
    for written in str(form.get("more_organisers", "")).replace(",", "\n").splitlines():
        organiser = written.strip()
        if organiser:
            organisers.append(organiser if "/" in organiser else f"{town.code}/{organiser}")
    roles = [str(one) for one in form.getlist("roles")]
    return invitation_of(str(form.get("name", ""))[:200], roles, organisers)


def _faults(error: Invalid | None) -> dict[str, str]:
    """What is wrong, by the first part of its pointer."""
    if error is None:
        return {}
    return {fault.pointer.lstrip("/").partition("/")[0]: fault.detail for fault in reversed(error.faults)}


def _offered(town: TownView, entered: Invitation) -> dict[str, Any]:
    known = {one.id: one.name for one in town.organisers}
    return {
        "roles": INVITED,
        "organisers": known,
        "more_organisers": "\n".join(one for one in entered.organisers if one not in known),
        "entered": entered,
    }


async def _show(
    request: Request,
    session: StaffSession,
    gateway: Gateway,
    *,
    error: Invalid | None = None,
    entered: Invitation = Invitation("", ()),
    address: str = "",
) -> Response:
    town = staff_town(request, session)
    said = request.query_params.get("said", "")
    return await staff_page(
        request,
        "people.html",
        session,
        status=422 if error else 200,
        members=await gateway.staff.of(town.code),
        faults=_faults(error),
        address=address,
        said=said if said in _SAID and not error else "",
        hours=gateway.settings.invitation_hours,
        **_offered(town, entered),
    )


async def _one(
    request: Request,
    session: StaffSession,
    town: TownView,
    member: Member,
    entered: Invitation,
    error: Invalid | None = None,
    *,
    unsure: bool = False,
) -> Response:
    return await staff_page(
        request,
        "person.html",
        session,
        status=422 if error or unsure else 200,
        member=member,
        faults=_faults(error),
        unsure=unsure,
        **_offered(town, entered),
    )
