"""JSON API for operators: sources, rejects and dead letters, replays, bringing residents over."""

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from kommunepuls_chassis.store import Stored

from gateway_api.adapters.http.access import GatewayAccess, OperatorAccess, operator
from gateway_api.adapters.http.api_profile import endpoint_answer, push_subscription
from gateway_api.adapters.http.models import (
    LetterAnswer,
    LetterContent,
    LetterPage,
    ReplayAnswer,
    ReplayPage,
    ReplayRequest,
    SourcesAnswer,
    SubscriberAnswer,
    SubscriberRequest,
)
from gateway_api.domain.letters import DEAD_LETTER, REJECT
from gateway_api.service.operators import LetterFilter

router = APIRouter(prefix="/api/v1/operator", tags=["operators"], dependencies=[Depends(operator)])

Kept = Annotated[
    Literal["rejects", "dead-letters"], Path(description="rejects of upstreams, or dead letters")
]
Limit = Annotated[int, Query(ge=1, le=500)]
_ORIGINS = {"rejects": REJECT, "dead-letters": DEAD_LETTER}


@router.get("/sources", response_model_exclude_none=True)
async def sources(gateway: GatewayAccess, municipality: str | None = None) -> SourcesAnswer:
    """How each source is doing."""
    return SourcesAnswer(sources=await gateway.queries.sources(municipality))


@router.get("/{kept}")
async def records(
    kept: Kept,
    gateway: GatewayAccess,
    state: Literal["open", "replayed", "unreplayable"] | None = None,
    reason: str | None = None,
    service: str | None = None,
    source: str | None = None,
    topic: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> LetterPage:
    """What could not be taken, the newest first."""
    wanted = LetterFilter(_ORIGINS[kept], state, reason, service, source, topic)
    page = await gateway.letters.list(wanted, limit=limit, cursor=cursor)
    return LetterPage(
        records=[LetterAnswer(id=one.key, **_told(one)) for one in page.documents],
        next_cursor=page.next_cursor,
    )


@router.get("/{kept}/{record}")
async def record(kept: Kept, record: str, gateway: GatewayAccess) -> LetterContent:
    """One record with its bytes and headers, as they came."""
    stored = await gateway.letters.get(_ORIGINS[kept], record)
    value = stored.document["value"] or b""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = None
    return LetterContent(
        id=stored.key,
        headers=[(one["name"], one["value"].decode(errors="replace")) for one in stored.document["headers"]],
        value_text=text,
        value_base64=base64.b64encode(value).decode(),
        **_told(stored),
    )


@router.post("/{kept}/{record}/replay", status_code=202)
async def replay_one(kept: Kept, record: str, gateway: GatewayAccess) -> LetterAnswer:
    """Send one back: a dead letter to its topic as it was, a reject to the service that refused it."""
    await gateway.letters.replay_one(_ORIGINS[kept], record)
    stored = await gateway.letters.get(_ORIGINS[kept], record)
    return LetterAnswer(id=stored.key, **_told(stored))


@router.post("/{kept}/replays", status_code=202)
async def replay_many(
    kept: Kept, asked: ReplayRequest, response: Response, gateway: GatewayAccess, name: OperatorAccess
) -> ReplayAnswer:
    """Send all open records of a filter back; ask the address in ``Location`` how far it is."""
    wanted = LetterFilter(_ORIGINS[kept], None, **asked.model_dump())
    stored = await gateway.letters.ask_for_replay(wanted, name)
    response.headers["Location"] = f"/api/v1/operator/replays/{stored.key}"
    return ReplayAnswer(id=stored.key, **_progress(stored))


replay_router = APIRouter(prefix="/api/v1/operator", tags=["operators"], dependencies=[Depends(operator)])


@replay_router.get("/replays")
async def replays(gateway: GatewayAccess, limit: Limit = 50, cursor: str | None = None) -> ReplayPage:
    """The replays, the newest first."""
    page = await gateway.letters.replays(limit=limit, cursor=cursor)
    return ReplayPage(
        replays=[ReplayAnswer(id=one.key, **_progress(one)) for one in page.documents],
        next_cursor=page.next_cursor,
    )


@replay_router.get("/replays/{replay}")
async def replay(replay: str, gateway: GatewayAccess) -> ReplayAnswer:
    """How far a replay is."""
    stored = await gateway.letters.replay(replay)
    return ReplayAnswer(id=stored.key, **_progress(stored))


@replay_router.post("/subscribers", status_code=201)
async def bring_a_subscriber(
    asked: SubscriberRequest, response: Response, gateway: GatewayAccess, name: OperatorAccess
) -> SubscriberAnswer:
    """Bring a resident over from an older system, without a mailed link: the operator answers for consent.

    Contact details are sealed for the notifier at once; the log tells who did it and for which pseudonym.
    An address that is known already answers 200 and changes nothing.
    """
    town = gateway.towns.of(asked.municipality)
    subscriber, created = await gateway.migration.bring(
        town.code,
        asked.choices,
        town.offer,
        address=asked.address,
        pushes=[push_subscription(one) for one in asked.push_subscriptions],
        operator=name,
    )
    if not created:
        response.status_code = 200
    return SubscriberAnswer(
        subscriber=subscriber.id,
        created=created,
        endpoints=[endpoint_answer(one) for one in subscriber.endpoints],
    )


def _told(stored: Stored) -> dict:
    return {name: stored.document[name] for name in LetterAnswer.model_fields if name != "id"}


def _progress(stored: Stored) -> dict:
    return {name: stored.document[name] for name in ReplayAnswer.model_fields if name != "id"}
