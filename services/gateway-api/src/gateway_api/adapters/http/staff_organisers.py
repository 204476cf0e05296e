"""Pages on which an editor approves organisers, and organisers tell of themselves."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import EditorStaff, WritingStaff, staff_town
from gateway_api.adapters.http.staff_rendering import staff_page
from gateway_api.domain.errors import Invalid, NotFound
from gateway_api.domain.organisers.organiser import LONGEST_ABOUT, LONGEST_NAME, Club
from gateway_api.domain.staff import Role
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/staff", include_in_schema=False)

_SAID = ("approved", "saved")


@router.get("/organisers", response_class=HTMLResponse)
async def organisers(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Every organiser of the town, and a form to approve another."""
    return await _list(request, session, gateway)


@router.post("/organisers", response_class=HTMLResponse)
async def approve(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Approve a new organiser; residents can follow it from then on."""
    form = await request.form()
    name = str(form.get("name", ""))[:200]
    town = staff_town(request, session)
    asked = str(form.get("organiser", ""))
    wanted = asked if asked in await _asked_for(gateway, town) else None
    try:
        await gateway.clubs.create(town.code, name, session.staff, wanted=wanted)
    except Invalid:
        return await _list(request, session, gateway, entered=name, status=422)
    return RedirectResponse("/staff/organisers?said=approved", 303)


async def _asked_for(gateway: Gateway, town: TownView) -> list[str]:
    """Organisers that somebody was invited to write for, and that nobody has approved yet."""
    known = {club.id for club in gateway.clubs.all(town.code)}
    named = {one for member in await gateway.staff.of(town.code) for one in member.organisers}
    return sorted(named - known)


async def _list(
    request: Request, session: StaffSession, gateway: Gateway, *, entered: str = "", status: int = 200
) -> Response:
    town = staff_town(request, session)
    said = request.query_params.get("said", "")
    members = await gateway.staff.of(town.code)
    return await staff_page(
        request,
        "organisers.html",
        session,
        status=status,
        clubs=gateway.clubs.all(town.code),
        writers={
            club: [member.name for member in members if club in member.organisers]
            for club in {one for member in members for one in member.organisers}
        },
        asked_for=await _asked_for(gateway, town),
        entered=entered,
        fault=status == 422,
        longest=LONGEST_NAME,
        said=said if said in _SAID else "",
    )


@router.get("/organisers/{organiser:path}", response_class=HTMLResponse)
async def organiser(
    request: Request, organiser: str, session: EditorStaff, gateway: GatewayAccess
) -> Response:
    """One organiser's name, page and rules, to be changed."""
    return await _one(request, session, _own(gateway, session, organiser))


@router.post("/organisers/{organiser:path}", response_class=HTMLResponse)
async def change(request: Request, organiser: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Change an organiser."""
    form = await request.form()
    known = _own(gateway, session, organiser)
    wanted = replace(
        _told(known, str(form.get("about", "")), str(form.get("link", ""))),
        name=" ".join(str(form.get("name", "")).split())[:200],
        approved=bool(form.get("approved")),
        asks=bool(form.get("asks")),
    )
    try:
        await gateway.clubs.save(wanted, session.staff)
    except Invalid as error:
        return await _one(request, session, wanted, error)
    return RedirectResponse("/staff/organisers?said=saved", 303)


@router.get("/page/{organiser:path}", response_class=HTMLResponse)
async def own_page(
    request: Request, organiser: str, session: WritingStaff, gateway: GatewayAccess
) -> Response:
    """What an organiser tells of itself on its page."""
    return await _one(request, session, _own(gateway, session, organiser))


@router.post("/page/{organiser:path}", response_class=HTMLResponse)
async def tell(request: Request, organiser: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Change what it tells."""
    form = await request.form()
    known = _own(gateway, session, organiser)
    wanted = _told(known, str(form.get("about", "")), str(form.get("link", "")))
    try:
        await gateway.clubs.save(wanted, session.staff)
    except Invalid as error:
        return await _one(request, session, wanted, error)
    return RedirectResponse("/staff/writing?said=saved", 303)


def _told(club: Club, about: str, link: str) -> Club:
    about = about.replace("\r\n", "\n").strip()[: 2 * LONGEST_ABOUT]
    return replace(club, about=about, link=link.strip()[:1_000])


def _own(gateway: Gateway, session: StaffSession, organiser: str) -> Club:
    """The organiser, if it is theirs to write for; another is as good as none."""
    club = gateway.clubs.get(organiser)
    if not session.staff.may_write_for(club.id):
        raise NotFound("there is no such organiser")
    return club


async def _one(request: Request, session: StaffSession, club: Club, error: Invalid | None = None) -> Response:
    faults = {fault.pointer.lstrip("/") for fault in error.faults} if error else set()
    return await staff_page(
        request,
        "organiser.html",
        session,
        status=422 if error else 200,
        club=club,
        faults=faults,
        of_editor=request.url.path.startswith("/staff/organisers/") and session.staff.may(Role.EDITOR),
        longest_about=LONGEST_ABOUT,
        longest_name=LONGEST_NAME,
    )
