"""Pages of the staff: the residents' look, a menu of their own, nothing kept by the browser."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from gateway_api.adapters.http.access_staff import GUARDS, staff_of, staff_town, writing_staff
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.rendering import page
from gateway_api.domain import staff_vocabulary
from gateway_api.domain.errors import NotFound
from gateway_api.domain.staff import Role
from gateway_api.domain.staff_vocabulary import ROOMS, Room
from gateway_api.domain.words import Words
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession


def rooms_of(session: StaffSession | None) -> list[Room]:
    """The rooms of the menu that are theirs."""
    if session is None:
        return []
    writes = session.staff.may(Role.EDITOR) or session.staff.may(Role.ORGANISER)
    return [
        room
        for room in ROOMS
        if session.staff.may(room.role) or (GUARDS[room.role] is writing_staff and writes)
    ]


def staff_words(request: Request, session: StaffSession | None) -> Words:
    """The words in which staff read the pages."""
    gateway: Gateway = request.app.state.gateway
    town = staff_town(request, session) if session else gateway.towns.first
    return words_in(language_of(request, default=town.town.language))


async def staff_page(
    request: Request, template: str, session: StaffSession | None, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a page of ``templates/staff`` for whoever is signed in; None before that."""
    gateway: Gateway = request.app.state.gateway
    # Whether the browser is a resident's as well plays no part here.
    request.state.reader = None
    try:
        town = staff_town(request, session) if session else gateway.towns.single
    except NotFound:
        town = None
    return await page(
        request,
        f"staff/{template}",
        status=status,
        headers={"Cache-Control": "no-store", **(values.pop("headers", None) or {})},
        town=town,
        session=session,
        csrf=session.csrf if session else "",
        rooms=rooms_of(session),
        staff_vocabulary=staff_vocabulary,
        served=list(gateway.towns),
        **values,
    )


async def staff_error_page(
    request: Request, status: int, slug: str, *, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """A page that says in plain words what went wrong."""
    session = await staff_of(request)
    return await staff_page(
        request, "error.html", session, status=status, headers=headers, code=status, slug=slug
    )
