"""JSON API: what choices would have brought, asked without an account and kept by nobody."""

from fastapi import APIRouter, Request

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.api_public import town_of
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.models import PreviewAnswer, PreviewRequest
from gateway_api.domain.preview import WINDOW
from gateway_api.domain.subscriptions import how_often
from gateway_api.service.previews import with_every_interest

router = APIRouter(prefix="/api/v1", tags=["open"])


@router.post("/preview")
async def preview(request: Request, asked: PreviewRequest, gateway: GatewayAccess) -> PreviewAnswer:
    """What choices would have brought in the last 60 days. A POST, so that no log holds anybody's places."""
    town = town_of(gateway, asked.municipality)
    choices = with_every_interest(town, asked.choices) if asked.every_interest else asked.choices
    (seen,) = await gateway.previews.of(town, choices)
    return PreviewAnswer(
        items=len(seen.received),
        messages=seen.messages,
        messages_a_week=round(seen.a_week, 2),
        days=WINDOW.days,
        text=how_often(seen.a_week, words_in(language_of(request, default=town.town.language))),
    )
