"""Pages on which organisers write: their drafts, the form, how it will look and reach, what is out."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from kommunepuls_events import Kind
from kommunepuls_events.base import utc_now
from starlette.datastructures import FormData

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import WritingStaff, staff_town
from gateway_api.adapters.http.rendering import fragment
from gateway_api.adapters.http.staff_rendering import staff_page, staff_words
from gateway_api.adapters.http.staff_writers import (
    clubs_of,
    names_in,
    preview_values,
    reach_view,
)
from gateway_api.adapters.http.staff_writing_form import fields_of, pictured, placed, show_form
from gateway_api.domain.errors import Invalid, TooMany
from gateway_api.domain.forms import one
from gateway_api.domain.organisers.content import KINDS, Content
from gateway_api.domain.organisers.drafts import Draft, State
from gateway_api.domain.organisers.form import content_from
from gateway_api.domain.organisers.publishing import is_news
from gateway_api.service.gateway import Gateway
from gateway_api.service.limits import count
from gateway_api.service.staff_sign_in import StaffSession

router = APIRouter(prefix="/staff/writing", include_in_schema=False)

MOST_ASKED = 900
"""How often somebody may ask for the reach of a form in an hour."""
_HOUR = timedelta(hours=1)
_SAID = ("saved", "published", "handed-in", "withdrawn", "deleted")


@router.get("", response_class=HTMLResponse)
async def writing(request: Request, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """What somebody's organisers write and have out, and the beginning of something new."""
    town = staff_town(request, session)
    clubs = clubs_of(gateway, town, session.staff)
    listed = await gateway.drafts.of_organisers([club.id for club in clubs])
    said = request.query_params.get("said", "")
    return await staff_page(
        request,
        "writing.html",
        session,
        clubs=clubs,
        by_id={club.id: club for club in clubs},
        kinds=KINDS,
        drafts=[one for one in listed if one.state is not State.WITHDRAWN],
        withdrawn=[one for one in listed if one.state is State.WITHDRAWN],
        said=said if said in _SAID else "",
    )


@router.post("")
async def begin(request: Request, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Begin something new."""
    form = await request.form()
    town = staff_town(request, session)
    kind = str(form.get("kind", ""))
    content = Content(kind=Kind(kind) if kind in KINDS else Kind.NOTICE, language=town.town.language)
    draft = await gateway.drafts.begin(session.staff, str(form.get("organiser", "")), content)
    return RedirectResponse(f"/staff/writing/{draft.id}", 303)


@router.get("/{draft}", response_class=HTMLResponse)
async def write(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """The form, with what is still missing if that was asked for."""
    known = await gateway.drafts.get(session.staff, draft)
    asked = request.query_params
    faults = await gateway.drafts.faults(known) if "check" in asked else []
    return await show_form(
        request,
        session,
        gateway,
        gateway.towns.of(known.municipality),
        known,
        faults,
        said="saved" if "saved" in asked else "",
        show_reach="reach" in asked,
    )


@router.post("/{draft}", response_class=HTMLResponse)
async def save(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Save the form, then do what the pressed button says besides."""
    known = await gateway.drafts.get(session.staff, draft)
    town = gateway.towns.of(known.municipality)
    form = await request.form()
    fields = fields_of(form)
    content, faults = content_from(fields, known.content, town.town.timezone)
    content, more = await placed(town, fields, content)
    content, wrong = await pictured(gateway, form, content)
    faults += [*more, *wrong]
    after = await gateway.drafts.save(session.staff, draft, content)
    if faults:
        return await show_form(request, session, gateway, town, after, faults, status=422)
    address = f"/staff/writing/{draft}"
    match one(fields, "action", "save"):
        case "next":
            lacking = await gateway.drafts.faults(after)
            where = f"{address}?check=1#faults" if lacking else f"{address}/preview"
        case "reach":
            where = f"{address}?reach=1#reach"
        case "find" | "no-place":
            where = f"{address}#where"
        case "upload" | "no-picture":
            where = f"{address}#picture"
        case _:
            where = f"{address}?saved=1"
    return RedirectResponse(where, 303)


@router.post("/{draft}/reach")
async def live_reach(
    request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess
) -> JSONResponse:
    """How many residents the form as it is would reach, as numbers and as a piece of the page; saves nothing."""
    known = await gateway.drafts.get(session.staff, draft)
    town = gateway.towns.of(known.municipality)
    await _brake(gateway, session)
    fields = fields_of(await request.form())
    content, _ = content_from(fields, known.content, town.town.timezone)
    item = await gateway.drafts.item(known, content)
    view = await reach_view(request, session, gateway, town, item, wait_seconds=3.0)
    names = names_in(request, session, gateway, town)
    words = staff_words(request, session)
    html = fragment(words.language, "staff/_reach.html", view=view, names=names)
    return JSONResponse({**view.data(), "html": html}, headers={"Cache-Control": "no-store"})


@router.get("/{draft}/preview", response_class=HTMLResponse)
async def preview(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """How residents will see it, how many it reaches, and the button that publishes or hands it in."""
    known = await gateway.drafts.get(session.staff, draft)
    return await _preview(request, session, gateway, known)


@router.post("/{draft}/publish", response_class=HTMLResponse)
async def publish(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Publish it, or hand it in where the editor looks first."""
    form = await request.form()
    try:
        after = await gateway.drafts.hand_in(
            session.staff, draft, _edition(form), tell=bool(form.get("tell"))
        )
    except Invalid:
        return RedirectResponse(f"/staff/writing/{draft}?check=1#faults", 303)
    said = "handed-in" if after.state is State.WAITING else "published"
    return RedirectResponse(f"/staff/writing?said={said}", 303)


@router.post("/{draft}/withdraw", response_class=HTMLResponse)
async def withdraw(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Take it back from residents, when the box was ticked."""
    if not (await request.form()).get("sure"):
        known = await gateway.drafts.get(session.staff, draft)
        return await _preview(request, session, gateway, known, unsure=True)
    await gateway.drafts.withdraw(session.staff, draft)
    return RedirectResponse("/staff/writing?said=withdrawn", 303)


@router.post("/{draft}/delete", response_class=HTMLResponse)
async def delete(request: Request, draft: str, session: WritingStaff, gateway: GatewayAccess) -> Response:
    """Delete what no resident has seen, when the box was ticked."""
    if not (await request.form()).get("sure"):
        known = await gateway.drafts.get(session.staff, draft)
        return await _preview(request, session, gateway, known, unsure=True)
    await gateway.drafts.delete(session.staff, draft)
    return RedirectResponse("/staff/writing?said=deleted", 303)


async def _preview(
    request: Request, session: StaffSession, gateway: Gateway, draft: Draft, *, unsure: bool = False
) -> Response:
    values = await preview_values(request, session, gateway, draft)
    return await staff_page(
        request,
        "preview.html",
        session,
        status=422 if unsure else 200,
        lacking=await gateway.drafts.faults(draft) if draft.state is not State.PUBLISHED else [],
        at_once=not values["club"].asks or values["editor"],
        news=is_news(draft.out, draft.content),
        unsure=unsure,
        **values,
    )


def _edition(form: FormData) -> int:
    text = str(form.get("edition", ""))
    return int(text) if text.isdigit() and len(text) < 9 else 0


async def _brake(gateway: Gateway, session: StaffSession) -> None:
    """Nobody needs to ask so often, but for finding out who lives where."""
    asked = await count(gateway.collections.counts, f"reach|{session.key}", _HOUR, utc_now())
    if asked > MOST_ASKED:
        raise TooMany("the reach was asked for too often", retry_after=600)
