"""Pages on which an editor looks at what organisers want to publish."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import EditorStaff, staff_town
from gateway_api.adapters.http.staff_rendering import staff_page
from gateway_api.adapters.http.staff_writers import preview_values
from gateway_api.domain.errors import Conflict, Invalid
from gateway_api.domain.organisers.drafts import LONGEST_WORD, State
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession

router = APIRouter(prefix="/staff/approvals", include_in_schema=False)

_SAID = ("approved", "sent-back")


@router.get("", response_class=HTMLResponse)
async def approvals(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """What waits, the longest first."""
    town = staff_town(request, session)
    said = request.query_params.get("said", "")
    return await staff_page(
        request,
        "approvals.html",
        session,
        drafts=await gateway.drafts.waiting(town.code),
        by_id={club.id: club for club in gateway.clubs.all(town.code)},
        said=said if said in _SAID else "",
    )


@router.get("/{draft}", response_class=HTMLResponse)
async def look(request: Request, draft: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """One of them as residents will see it, with its reach and the buttons to decide."""
    return await _look(request, draft, session, gateway)


@router.post("/{draft}/approve", response_class=HTMLResponse)
async def approve(request: Request, draft: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Publish it."""
    edition = _edition(str((await request.form()).get("edition", "")))
    try:
        await gateway.drafts.approve(session.staff, draft, edition)
    except Conflict as error:
        problem = "dropped" if error.slug == "dropped-by-rule" else "changed"
        return await _look(request, draft, session, gateway, problem=problem, status=409)
    except Invalid:
        # Over meanwhile, or an interest that the town took off its list.
        return await _look(request, draft, session, gateway, problem="lacking", status=422)
    return RedirectResponse("/staff/approvals?said=approved", 303)


@router.post("/{draft}/send-back", response_class=HTMLResponse)
async def send_back(request: Request, draft: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Send it back to its writer, with a word."""
    form = await request.form()
    word = str(form.get("word", ""))[:LONGEST_WORD]
    try:
        await gateway.drafts.send_back(session.staff, draft, _edition(str(form.get("edition", ""))), word)
    except Conflict:
        return await _look(request, draft, session, gateway, problem="changed", status=409)
    except Invalid:
        return await _look(request, draft, session, gateway, problem="word", status=422)
    return RedirectResponse("/staff/approvals?said=sent-back", 303)


async def _look(
    request: Request,
    draft: str,
    session: StaffSession,
    gateway: Gateway,
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    known = await gateway.drafts.get(session.staff, draft)
    return await staff_page(
        request,
        "approval.html",
        session,
        status=status,
        waits=known.state is State.WAITING,
        longest=LONGEST_WORD,
        problem=problem,
        **await preview_values(request, session, gateway, known),
    )


def _edition(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 9 else 0
