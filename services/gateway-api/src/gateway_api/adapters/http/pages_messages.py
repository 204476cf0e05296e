"""The message centre: what was sent, how, read or not, what waits for when, what failed and why."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import DeliveryState

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.rendering import page
from gateway_api.adapters.http.resident_views import WAITING, message_view
from gateway_api.domain.vocabulary import marked

router = APIRouter(include_in_schema=False)

_PAGE = 25
_MOST_MARKED = 500

SHOWN = {
    "": (marked("All"), ()),
    "unread": (marked("Unread"), ()),
    "sent": (marked("Sent"), (str(DeliveryState.SENT),)),
    "waiting": (marked("Waiting"), WAITING),
    "failed": (marked("Not delivered"), (str(DeliveryState.FAILED),)),
    "suppressed": (marked("Not sent"), (str(DeliveryState.SUPPRESSED),)),
}
"""What the message centre can be narrowed to: its name, and the states of messages."""


@router.get("/messages", response_class=HTMLResponse)
async def messages(
    request: Request,
    reader: ResidentAccess,
    gateway: GatewayAccess,
    show: str = "",
    cursor: str | None = None,
) -> Response:
    """What was sent, how, and why something was held back or failed."""
    words = words_in(language_of(request, chosen=reader.subscriber.profile.language))
    show = show if show in SHOWN else ""
    shown, next_cursor = await message_view(
        gateway,
        reader.subscriber,
        words,
        limit=_PAGE,
        cursor=cursor,
        states=SHOWN[show][1],
        unread=show == "unread",
    )
    return await page(
        request,
        "messages.html",
        messages=shown,
        next_cursor=next_cursor,
        show=show,
        choices={key: name for key, (name, _) in SHOWN.items()},
        states=SHOWN,
        marked="marked" in request.query_params,
    )


@router.post("/messages/read")
async def mark_as_read(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Mark one message as read, or all of them."""
    form = await request.form()
    item, revision, show = (str(form.get(name, "")) for name in ("item", "revision", "show"))
    if item:
        marks = [(item, int(revision))] if revision.isdigit() and len(revision) < 9 else []
        known = await gateway.queries.messages_about(reader.subscriber.id, item)
        marks = [mark for mark in marks if mark in known]
    else:
        newest = await gateway.queries.messages(reader.subscriber.id, limit=_MOST_MARKED)
        marks = [(one.document["item"], one.document["revision"]) for one in newest.documents]
    await gateway.reads.mark(reader.subscriber.id, marks)
    given = {"show": show if show in SHOWN else "", "marked": "1"}
    return RedirectResponse("/messages?" + urlencode({key: one for key, one in given.items() if one}), 303)
