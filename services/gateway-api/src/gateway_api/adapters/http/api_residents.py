"""JSON API: a resident's feed and message centre."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from kommunepuls_events import Channel

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.models import (
    FeedAnswer,
    FeedPage,
    MessageAnswer,
    MessagePage,
    MessageStep,
    ReasonAnswer,
)
from gateway_api.adapters.http.resident_views import feed_view, message_view

router = APIRouter(prefix="/api/v1", tags=["my messages"])

Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/feed", response_model_exclude_none=True)
async def feed(
    request: Request,
    reader: ResidentAccess,
    gateway: GatewayAccess,
    limit: Limit = 50,
    cursor: str | None = None,
) -> FeedPage:
    """What concerns me, the newest first, each with its reasons as data and in words."""
    words = words_in(language_of(request, chosen=reader.subscriber.profile.language))
    entries, next_cursor = await feed_view(gateway, reader.subscriber, words, limit=limit, cursor=cursor)
    return FeedPage(
        entries=[
            FeedAnswer(
                item=entry.item,
                matched_at=entry.matched_at,
                reasons=[
                    ReasonAnswer(reason=reason, text=text)
                    for reason, text in zip(entry.reasons, entry.sentences, strict=True)
                ],
            )
            for entry in entries
        ],
        next_cursor=next_cursor,
    )


@router.get("/messages")
async def messages(
    request: Request,
    reader: ResidentAccess,
    gateway: GatewayAccess,
    limit: Limit = 50,
    cursor: str | None = None,
) -> MessagePage:
    """What was sent to me, how, and why something was held back or failed."""
    words = words_in(language_of(request, chosen=reader.subscriber.profile.language))
    shown, next_cursor = await message_view(gateway, reader.subscriber, words, limit=limit, cursor=cursor)
    return MessagePage(
        messages=[
            MessageAnswer(
                item=one.item,
                revision=one.revision,
                title=one.title,
                channel=Channel(one.channel),
                state=one.state,
                cause=one.cause,
                cause_text=one.cause_text,
                at=one.at,
                steps=[MessageStep(**step) for step in one.steps],
            )
            for one in shown
        ],
        next_cursor=next_cursor,
    )
