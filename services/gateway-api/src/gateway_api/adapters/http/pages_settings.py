"""Settings: every subscription in words, to be changed, paused and ended, each with its way back."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import GatewayAccess, Reader, ResidentAccess
from gateway_api.adapters.http.language import language_of, words_in
from gateway_api.adapters.http.rendering import page
from gateway_api.adapters.http.resident_views import names_for
from gateway_api.domain import forms, parking, preview
from gateway_api.domain.choices import Choices, choices_of
from gateway_api.domain.errors import Conflict, Invalid
from gateway_api.domain.forms import Fields, one
from gateway_api.domain.subscribers import Subscriber
from gateway_api.domain.subscriptions import how_often, how_sentence, subscriptions
from gateway_api.domain.unsubscribing import ALL
from gateway_api.service.gateway import Gateway

router = APIRouter(include_in_schema=False)

_ANCHORS = {
    "paused": "pause",
    "going": "pause",
    "tested": "channels",
    "removed": "channels",
    "stopped": "done",
}


@router.get("/settings", response_class=HTMLResponse)
async def settings_page(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """What is subscribed to, how it comes, and what can be done with it."""
    return await _show(request, gateway, reader.subscriber)


@router.post("/settings", response_class=HTMLResponse)
async def act(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Do what the pressed button says."""
    form = await request.form()
    fields = {name: [str(value) for value in form.getlist(name)] for name in form}
    action, _, rest = one(fields, "action").partition(":")
    if action in ("pause", "resume", "end", "undo"):
        what, _, which = rest.partition(":")
        return await _rearrange(request, reader, gateway, fields, action, what, which)
    try:
        said = await _rest(reader, gateway, fields, action, rest)
    except Invalid:
        return await _show(request, gateway, reader.subscriber, fault="until")
    return RedirectResponse(f"/settings?{said}=1#{_ANCHORS.get(said, 'done')}", 303)


async def _rearrange(
    request: Request,
    reader: Reader,
    gateway: Gateway,
    fields: Fields,
    action: str,
    what: str,
    which: str,
) -> Response:
    """One subscription is paused, goes on, ends, or comes back; the page that follows offers to undo it."""
    town = gateway.towns.of(reader.subscriber.profile.municipality)
    before = reader.subscriber
    active = parking.only(choices_of(before.profile), what, which)
    entry = active or parking.only(before.parked, what, which)
    was_paused = entry is not None and active is None
    if action == "undo":
        entry, was_paused = parking.read(one(fields, "entry")), one(fields, "was") == "paused"
    if entry is None or parking.is_empty(entry):
        return RedirectResponse("/settings", 303)

    def decide(choices: Choices, parked: Choices) -> tuple[Choices, Choices]:
        away, aside = parking.without(choices, entry), parking.without(parked, entry)
        if action == "end":
            return away, aside
        if action == "pause" or (action == "undo" and was_paused):
            return away, parking.with_entries(aside, entry)
        return parking.with_entries(choices, entry), aside

    try:
        after = await gateway.residents.rearrange(before.id, decide, town.offer)
    except Conflict as error:
        if error.slug != "no-room":
            raise
        return await _show(request, gateway, before, fault="room")
    return await _show(request, gateway, after, did=action, entry=entry, was="paused" if was_paused else "")


async def _rest(reader: Reader, gateway: Gateway, fields: Fields, action: str, which: str) -> str:
    """Everything else; what to say of it.

    Raises:
        Invalid: for a pause that ends on no day to come.
    """
    residents, subscriber = gateway.residents, reader.subscriber
    town = gateway.towns.of(subscriber.profile.municipality)
    match action:
        case "stop-all":
            await residents.stop(subscriber.id, ALL)
            return "stopped"
        case "start-all":
            await residents.resume(subscriber.id, ALL)
            return "started"
        case "pause-all" | "go-on":
            until = None
            if action == "pause-all":
                until = forms.pause_until(fields, subscriber.profile.timezone, utc_now())
            await residents.choose(
                subscriber.id,
                lambda profile: choices_of(profile).model_copy(update={"paused_until": until}),
                town.offer,
            )
            return "paused" if until else "going"
        case "test-device":
            await residents.send_test(subscriber.id, which)
            return "tested"
        case "remove-device":
            await residents.remove_endpoint(subscriber.id, which)
            return "removed"
    return "nothing"


async def _show(
    request: Request,
    gateway: Gateway,
    subscriber: Subscriber,
    *,
    did: str = "",
    entry: Choices | None = None,
    was: str = "",
    fault: str = "",
) -> Response:
    profile = subscriber.profile
    town = gateway.towns.of(profile.municipality)
    words = words_in(language_of(request, chosen=profile.language, default=town.town.language))
    choices = choices_of(profile)
    known, _ = await gateway.previews.organisers(town)
    names = await names_for(
        gateway, subscriber, words, [], organisers={one.id: one.name for one in known.values()}
    )
    (seen,) = await gateway.previews.of(town, choices)
    recent = await gateway.recent.of(town)
    counts = preview.by_subscription(seen.received)

    def said(some: Choices) -> list:
        units = {one.sensor: names.unit(one.sensor) for one in some.sensor_thresholds}
        return subscriptions(some, names, words, municipality=town.code, units=units, around=choices)

    values: dict[str, Any] = {
        "said": said(choices),
        "often": {
            (one.what, one.id): how_often(recent.a_week(counts[one.what, one.id]), words)
            for one in said(choices)
            if one.what != "sensor_thresholds"
        },
        "in_all": how_often(seen.a_week, words),
        "paused": said(subscriber.parked),
        "how": how_sentence(choices, words),
        "did": did,
        "did_text": said(entry)[0].text if entry else "",
        "was": was,
        "entry": parking.written(entry) if entry else "",
    }
    return await page(
        request,
        "settings.html",
        status=422 if fault else 200,
        town=town,
        choices=choices,
        endpoints=subscriber.endpoints,
        vapid_public_key=gateway.settings.vapid_public_key,
        fault=fault,
        told=next((one for one in ("stopped", "started", "paused", "going", "tested", "removed")
                   if one in request.query_params), ""),
        **values,
    )  # fmt: skip
