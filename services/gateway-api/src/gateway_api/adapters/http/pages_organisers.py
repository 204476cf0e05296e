"""The page of an organiser: who they are, what comes, and how to follow them."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import Kind, SubscriberProfileV1

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess, reader_of
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.pages_public import row_of
from gateway_api.adapters.http.rendering import page
from gateway_api.domain.choices import Choices, choices_of
from gateway_api.domain.errors import NotFound
from gateway_api.domain.forms import following
from gateway_api.domain.open_data.addresses import organiser_path
from gateway_api.domain.organisers.organiser import Club
from gateway_api.domain.organisers.texts import body_of
from gateway_api.service.gateway import Gateway
from gateway_api.service.queries import ItemFilter

router = APIRouter(include_in_schema=False)

_MOST_COMING = 30
_MOST_NOTICES = 12


@router.get("/organisers", response_class=HTMLResponse)
async def organisers(request: Request, gateway: GatewayAccess) -> Response:
    """Every organiser that can be followed."""
    reader = await reader_of(request)
    asked = request.query_params.get("municipality") or (
        reader.subscriber.profile.municipality if reader else ""
    )
    town = gateway.towns.get(asked) or gateway.towns.first
    return await page(request, "organisers.html", town=town, listed=list(town.organisers))


@router.get("/organisers/{organiser:path}", response_class=HTMLResponse)
async def organiser_page(request: Request, organiser: str, gateway: GatewayAccess) -> Response:
    """One organiser, open to everybody."""
    club = _open(gateway, organiser)
    town = gateway.towns.of(club.municipality)
    reader = await reader_of(request)
    profile = reader.subscriber.profile if reader else None
    language = language_of(request, chosen=profile.language if profile else None, default=town.town.language)
    wanted = ItemFilter(organiser=club.id)
    coming = await gateway.queries.coming(town, wanted, limit=_MOST_COMING)
    newest, _ = await gateway.queries.items(town, wanted, limit=3 * _MOST_NOTICES)
    others = [one for one in newest if one.item.kind is not Kind.EVENT][:_MOST_NOTICES]
    names = ReaderNames(gateway, words_in(language), municipality=town.code)
    return await page(
        request,
        "organiser.html",
        town=town,
        club=club,
        about=body_of(club.about),
        coming=[row_of(one, names, language) for one in coming],
        others=[row_of(one, names, language) for one in others],
        own_town=profile is None or profile.municipality == town.code,
        followed=profile is not None and club.id in profile.organisers,
        saved="saved" in request.query_params,
    )


@router.post("/organisers/{organiser:path}/follow")
async def follow(organiser: str, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Follow an organiser, and no longer mute it."""
    club = _open(gateway, organiser)
    return await _choose(gateway, reader.subscriber.id, reader.subscriber.profile, club, follow=True)


@router.post("/organisers/{organiser:path}/unfollow")
async def unfollow(organiser: str, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """No longer follow it."""
    club = gateway.clubs.get(organiser)
    return await _choose(gateway, reader.subscriber.id, reader.subscriber.profile, club, follow=False)


async def _choose(
    gateway: Gateway, subscriber: str, profile: SubscriberProfileV1, club: Club, *, follow: bool
) -> Response:
    def decide(held: Any) -> Choices:
        choices = choices_of(held)
        if follow:
            return following(choices, club.id)
        kept = tuple(one for one in choices.organisers if one != club.id)
        return choices.model_copy(update={"organisers": kept})

    town = gateway.towns.of(profile.municipality)
    await gateway.residents.choose(subscriber, decide, town.offer)
    return RedirectResponse(f"{organiser_path(club.id)}?saved=1", 303)


def _open(gateway: Gateway, organiser: str) -> Club:
    club = gateway.clubs.get(organiser) if len(organiser) <= 512 else None
    if club is None or not club.approved:
        raise NotFound("there is no such organiser")
    return club
