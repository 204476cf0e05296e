"""Which staff may call what: a session of their own, and a role for each room of the staff pages."""

import hmac
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie

from gateway_api.adapters.http.access import SAFE_METHODS, form_token, gateway_of, same_origin
from gateway_api.domain.errors import NotAllowed, NotSignedIn
from gateway_api.domain.staff import Role
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView
from gateway_api.settings import Settings

_cookie_scheme = APIKeyCookie(name="kp_staff", scheme_name="staff", auto_error=False)
_Cookie = Annotated[str | None, Security(_cookie_scheme)]


def staff_cookie(settings: Settings) -> str:
    """The cookie's name; the prefix makes browsers hold it to this very host (RFC 6265bis 4.1.3.2)."""
    return "__Host-kp_staff" if settings.secure else "kp_staff"


def set_staff_session(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session. It ends with the browser or after its hours, whichever is first."""
    response.set_cookie(
        staff_cookie(settings), token, path="/", httponly=True, samesite="lax", secure=settings.secure
    )


def clear_staff_session(response: Response, settings: Settings) -> None:
    """Take the session back."""
    response.delete_cookie(
        staff_cookie(settings), path="/", httponly=True, samesite="lax", secure=settings.secure
    )


async def staff_of(request: Request) -> StaffSession | None:
    """Who of the staff is signed in, None if nobody; looked up once a request."""
    if not hasattr(request.state, "staff"):
        gateway = gateway_of(request)
        token = request.cookies.get(staff_cookie(gateway.settings))
        usable = token is not None and len(token) < 200
        request.state.staff = await gateway.staff_sign_in.session(token) if usable else None
    return request.state.staff


async def any_staff(request: Request, _cookie: _Cookie = None) -> StaffSession:
    """A route for whoever of the staff is signed in. What changes something must come from our own pages.

    Raises:
        NotSignedIn, NotAllowed.
    """
    session = await staff_of(request)
    if session is None:
        raise NotSignedIn("sign in first")
    if request.method not in SAFE_METHODS:
        same_origin(request)
        if not hmac.compare_digest((await form_token(request)).encode(), session.csrf.encode()):
            raise NotAllowed("the form is too old, or not ours; open the page again", slug="csrf")
    return session


AnyStaff = Annotated[StaffSession, Depends(any_staff)]


def _with(session: StaffSession, role: Role) -> StaffSession:
    if not session.staff.may(role):
        raise NotAllowed(f"this is for {role}s")
    return session


async def operator_staff(session: AnyStaff) -> StaffSession:
    """A route for operators who signed in by their token.

    Raises:
        NotSignedIn, NotAllowed.
    """
    return _with(session, Role.OPERATOR)


async def editor_staff(session: AnyStaff) -> StaffSession:
    """A route for editors, and operators.

    Raises:
        NotSignedIn, NotAllowed.
    """
    return _with(session, Role.EDITOR)


async def writing_staff(session: AnyStaff) -> StaffSession:
    """A route for organisers, and for editors and operators, who may write for any of them.

    Raises:
        NotSignedIn, NotAllowed.
    """
    return session if session.staff.may(Role.EDITOR) else _with(session, Role.ORGANISER)


GUARDS = {Role.OPERATOR: operator_staff, Role.EDITOR: editor_staff, Role.ORGANISER: writing_staff}
"""What guards the routes of a role's rooms; a test holds every route to it."""

OperatorStaff = Annotated[StaffSession, Depends(operator_staff)]
EditorStaff = Annotated[StaffSession, Depends(editor_staff)]
WritingStaff = Annotated[StaffSession, Depends(writing_staff)]


def staff_town(request: Request, session: StaffSession) -> TownView:
    """The town whose pages staff look at: a member's own, or the one an operator chose, else the first.

    Raises:
        NotFound: if a member's town is no longer served.
    """
    towns = gateway_of(request).towns
    if session.staff.municipality is not None:
        return towns.of(session.staff.municipality)
    return towns.get(session.town or "") or towns.first
