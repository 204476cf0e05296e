"""The operators' console: sources, what could not be taken and its replay, deliveries, the gains."""

import base64
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import Channel, DeliveryState
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import OperatorStaff, staff_town
from gateway_api.adapters.http.staff_rendering import staff_page
from gateway_api.domain.columns_chart import columns_chart
from gateway_api.domain.delivery_counts import Period
from gateway_api.domain.errors import Conflict
from gateway_api.domain.gains import Gains, gains
from gateway_api.domain.letters import DEAD_LETTER, REJECT
from gateway_api.domain.source_health import health_of
from gateway_api.service.gateway import Gateway
from gateway_api.service.operators import LetterFilter
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/staff/console", include_in_schema=False)

Kept = Annotated[Literal["rejects", "dead-letters"], Path()]
_ORIGINS = {"rejects": REJECT, "dead-letters": DEAD_LETTER}
PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_DAY = timedelta(days=1)
_PAGE = 50
_MOST_SHOWN_BYTES = 20_000
_FILTERS = ("reason", "service", "source", "topic")


@router.get("", response_class=HTMLResponse)
async def overview(request: Request, session: OperatorStaff, gateway: GatewayAccess) -> Response:
    """What needs a hand, and what was sent today."""
    town = staff_town(request, session)
    sources = health_of(await gateway.queries.sources(town.code), utc_now())
    return await staff_page(
        request,
        "console.html",
        session,
        sources=sources,
        troubled=[one for one in sources if one.word != "well"],
        rejects=await gateway.letters.open(REJECT),
        dead_letters=await gateway.letters.open(DEAD_LETTER),
        today=await gateway.delivery_counts.last(town.code, _DAY, town.town.timezone),
        month=await _gains(gateway, town, "month"),
        costs=town.town.costs,
    )


@router.get("/sources", response_class=HTMLResponse)
async def sources(request: Request, session: OperatorStaff, gateway: GatewayAccess) -> Response:
    """How each source is doing."""
    town = staff_town(request, session)
    found = health_of(await gateway.queries.sources(town.code), utc_now())
    return await staff_page(request, "console_sources.html", session, sources=found)


@router.get("/deliveries", response_class=HTMLResponse)
async def deliveries(
    request: Request, session: OperatorStaff, gateway: GatewayAccess, period: str = "week"
) -> Response:
    """Deliveries by channel, state and cause, and over time."""
    town = staff_town(request, session)
    chosen = period if period in PERIODS else "week"
    counts = await gateway.delivery_counts.last(town.code, PERIODS[chosen], town.town.timezone)
    return await staff_page(
        request,
        "console_deliveries.html",
        session,
        period=chosen,
        periods=list(PERIODS),
        counts=counts,
        states=list(DeliveryState),
        **_chart(counts),
    )


@router.get("/gains", response_class=HTMLResponse)
async def gained(
    request: Request, session: OperatorStaff, gateway: GatewayAccess, period: str = "month"
) -> Response:
    """Messages by channel, and the money saved against other ways of telling people."""
    town = staff_town(request, session)
    chosen = period if period in PERIODS else "month"
    counts = await gateway.delivery_counts.last(town.code, PERIODS[chosen], town.town.timezone)
    return await staff_page(
        request,
        "console_gains.html",
        session,
        period=chosen,
        periods=list(PERIODS),
        counts=counts,
        gains=_worked_out(counts, town),
        costs=town.town.costs,
        **_chart(counts),
    )


def _chart(counts: Period) -> dict[str, Any]:
    channels = list(Channel)
    return {"channels": channels, "chart": columns_chart(counts.columns, channels)}


async def _gains(gateway: Gateway, town: TownView, period: str) -> Gains:
    counts = await gateway.delivery_counts.last(town.code, PERIODS[period], town.town.timezone)
    return _worked_out(counts, town)


def _worked_out(counts: Period, town: TownView) -> Gains:
    costs = town.town.costs
    sent = {
        str(channel): sum(
            number
            for of_channel, state, _, number in counts.rows
            if of_channel == channel and state == DeliveryState.SENT
        )
        for channel in Channel
    }
    others = {"phone": costs.phone, "desk": costs.desk, "letter": costs.letter}
    return gains(sent, digital=costs.digital, others=others)


@router.get("/{kept}", response_class=HTMLResponse)
async def letters(
    request: Request,
    kept: Kept,
    session: OperatorStaff,
    gateway: GatewayAccess,
    reason: str = "",
    service: str = "",
    source: str = "",
    topic: str = "",
    state: str = "",
    cursor: str | None = None,
) -> Response:
    """What could not be taken: grouped by reason, and one by one."""
    given = {"reason": reason, "service": service, "source": source, "topic": topic}
    given = {name: value[:300] for name, value in given.items() if value}
    wanted = LetterFilter(_ORIGINS[kept], state if state in ("open", "replayed") else None, **given)
    page = await gateway.letters.list(wanted, limit=_PAGE, cursor=cursor)
    query = given | ({"state": state} if state else {})
    replays = await gateway.letters.replays(limit=5, cursor=None)
    return await staff_page(
        request,
        "console_letters.html",
        session,
        kept=kept,
        reasons=await gateway.letters.reasons(_ORIGINS[kept]),
        records=[(stored.key, stored.document) for stored in page.documents],
        filters=given,
        state=state,
        older=urlencode(query | {"cursor": page.next_cursor}) if page.next_cursor else "",
        replays=[
            stored.document
            for stored in replays.documents
            if stored.document["filter"]["origin"] == _ORIGINS[kept]
        ],
        said=request.query_params.get("said", ""),
    )


@router.post("/{kept}", response_class=HTMLResponse)
async def replay_all(
    request: Request, kept: Kept, session: OperatorStaff, gateway: GatewayAccess
) -> Response:
    """Send back every open record of a reason."""
    form = await request.form()
    given = {name: str(form.get(name, ""))[:300] for name in _FILTERS}
    wanted = LetterFilter(_ORIGINS[kept], None, **{name: value or None for name, value in given.items()})
    subject = given["reason"] or kept
    await gateway.audit.note(session.staff, "replay-asked", None, subject, service=given["service"])
    await gateway.letters.ask_for_replay(wanted, session.staff.name)
    return RedirectResponse(f"/staff/console/{kept}?said=asked", 303)


@router.get("/{kept}/{record}", response_class=HTMLResponse)
async def letter(
    request: Request, kept: Kept, record: str, session: OperatorStaff, gateway: GatewayAccess
) -> Response:
    """One record with its reason, origin and bytes."""
    stored = await gateway.letters.get(_ORIGINS[kept], record)
    return await _one(request, session, kept, record, stored.document)


@router.post("/{kept}/{record}", response_class=HTMLResponse)
async def replay_one(
    request: Request, kept: Kept, record: str, session: OperatorStaff, gateway: GatewayAccess
) -> Response:
    """Send one record back."""
    stored = await gateway.letters.get(_ORIGINS[kept], record)
    await gateway.audit.note(session.staff, "record-replayed", None, stored.document["reason"], record=record)
    try:
        await gateway.letters.replay_one(_ORIGINS[kept], record)
    except Conflict as error:
        return await _one(request, session, kept, record, stored.document, refused=error.detail)
    return RedirectResponse(f"/staff/console/{kept}/{record}?said=sent", 303)


async def _one(
    request: Request,
    session: OperatorStaff,
    kept: str,
    record: str,
    document: dict[str, Any],
    *,
    refused: str = "",
) -> Response:
    value = document["value"] or b""
    shown = value[:_MOST_SHOWN_BYTES]
    text, readable = _readable(shown)
    return await staff_page(
        request,
        "console_letter.html",
        session,
        status=409 if refused else 200,
        kept=kept,
        key=record,
        record=document,
        text=text,
        readable=readable,
        cut=len(value) > len(shown),
        headers_shown=[(one["name"], one["value"].decode(errors="replace")) for one in document["headers"]],
        refused=refused,
        said=request.query_params.get("said", ""),
    )


def _readable(raw: bytes) -> tuple[str, bool]:
    """The bytes as text where they are text, a letter cut at the end left out; else in base64."""
    for end in range(len(raw), max(len(raw) - 4, 0) - 1, -1):
        try:
            return raw[:end].decode(), True
        except UnicodeDecodeError:
            continue
    return base64.b64encode(raw).decode(), False
