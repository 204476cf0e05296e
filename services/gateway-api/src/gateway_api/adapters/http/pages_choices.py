"""The page of a resident's choices: one form, every control of it works without JavaScript."""

import asyncio
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import Cadence, Channel, Severity
from kommunepuls_events.base import utc_now
from kommunepuls_events.interests import AUDIENCES, INTERESTS

from gateway_api.adapters.http.access import GatewayAccess, Reader, ResidentAccess
from gateway_api.adapters.http.language import COOKIE, LANGUAGES, language_of, words_in
from gateway_api.adapters.http.rendering import page
from gateway_api.adapters.http.resident_views import names_for
from gateway_api.adapters.http.start_views import map_labels, where_values
from gateway_api.domain import forms
from gateway_api.domain.choices import Choices, choices_of
from gateway_api.domain.errors import Invalid
from gateway_api.service.gateway import Gateway

router = APIRouter(include_in_schema=False)

_ANCHORS = {"add-place": "places", "add-threshold": "sensors", "remove-place": "places", "remove-threshold": "sensors",
            "remove-device": "devices", "test-device": "devices", "unmute": "muted"}  # fmt: skip


@router.get("/choices", response_class=HTMLResponse)
async def choices_page(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """What the resident has chosen, to be changed."""
    return await _show(request, reader, gateway, choices_of(reader.subscriber.profile))


@router.post("/choices", response_class=HTMLResponse)
async def save(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Save the whole form, then do what the pressed button says besides."""
    form = await request.form()
    fields = {name: [str(value) for value in form.getlist(name)] for name in form}
    action, _, which = forms.one(fields, "action", "save").partition(":")
    town = gateway.towns.of(reader.subscriber.profile.municipality)
    now = utc_now()
    wanted = choices_of(reader.subscriber.profile)
    try:
        found = None
        place = forms.new_place(fields) if action == "add-place" else None
        if place and place.position is None:
            found = await asyncio.to_thread(town.locate, place.text)

        def decide(profile: Any) -> Choices:
            nonlocal wanted
            wanted = forms.choices_from(fields, choices_of(profile), now)
            if place:
                return forms.with_place(wanted, place, found)
            if action == "add-threshold":
                return forms.with_threshold(wanted, fields)
            if action in ("remove-place", "remove-threshold"):
                return forms.without(wanted, action.removeprefix("remove-"), which)
            if action == "unmute":
                what, _, muted = which.partition(":")
                return forms.muting(wanted, what, muted, mute=False)
            return wanted

        await gateway.residents.choose(reader.subscriber.id, decide, town.offer)
    except Invalid as error:
        faults = {fault.pointer.lstrip("/").partition("/")[0]: fault.detail for fault in error.faults}
        return await _show(request, reader, gateway, wanted, faults=faults, entered=fields, status=422)
    if action == "remove-device":
        await gateway.residents.remove_endpoint(reader.subscriber.id, which)
    elif action == "test-device":
        await gateway.residents.send_test(reader.subscriber.id, which)
    said = "tested" if action == "test-device" else "saved"
    answer = RedirectResponse(f"/choices?{said}=1#{_ANCHORS.get(action, 'saved')}", 303)
    # The language just chosen counts from now on, whatever was clicked before.
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.post("/choices/quick")
async def quick(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """One button on an item's page: follow its organiser."""
    form = await request.form()
    action, value, item = (str(form.get(name, "")) for name in ("action", "value", "item"))
    town = gateway.towns.of(reader.subscriber.profile.municipality)

    def decide(profile: Any) -> Choices:
        held = choices_of(profile)
        if action == "follow-organiser" and value:
            return forms.following(held, value)
        return held

    await gateway.residents.choose(reader.subscriber.id, decide, town.offer)
    return RedirectResponse(f"/items/{quote(item, safe='')}?saved=1" if item else "/choices?saved=1", 303)


async def _show(
    request: Request,
    reader: Reader,
    gateway: Gateway,
    choices: Choices,
    *,
    faults: dict[str, str] | None = None,
    entered: dict[str, list[str]] | None = None,
    status: int = 200,
) -> Response:
    profile = reader.subscriber.profile
    town = gateway.towns.of(profile.municipality)
    language = language_of(request, chosen=profile.language, default=town.town.language)
    words = words_in(language)
    names = await names_for(gateway, reader.subscriber, words, [])
    sensors = await gateway.queries.sensors(town)
    organisers = {one.id: one.name for one in town.organisers}
    organisers |= {one: names.organiser(one) for one in choices.organisers if one not in organisers}
    where = await where_values(gateway, town, choices, words)
    interests = {
        slug: town.interest_name(slug, language)
        for slug in dict.fromkeys((*INTERESTS, *town.town.interests, *choices.interests))
    }
    return await page(
        request,
        "choices.html",
        status=status,
        town=town,
        choices=choices,
        names=names,
        areas=town.chosen_areas(),
        interests=sorted(interests.items(), key=lambda pair: pair[1].casefold()),
        organisers=sorted(organisers.items(), key=lambda pair: pair[1].casefold()),
        audiences=[(slug, getattr(of, language)) for slug, of in AUDIENCES.items()],
        sensors=sensors,
        sensors_by_id={(one.sensor, one.observed_property): one for one in sensors},
        labels=map_labels(town, names, where["place_views"]),
        place_views=where["place_views"],
        cadences=list(Cadence),
        channels=list(Channel),
        severities=list(Severity),
        all_languages=LANGUAGES,
        endpoints=reader.subscriber.endpoints,
        vapid_public_key=gateway.settings.vapid_public_key,
        faults=faults or {},
        entered=lambda name, default="": ((entered or {}).get(name) or [default])[-1],
        saved="saved" in request.query_params,
        tested="tested" in request.query_params,
    )
