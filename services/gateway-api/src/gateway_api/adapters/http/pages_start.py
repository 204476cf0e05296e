"""Onboarding: pages that ask one question each. The choices travel in the form; nothing is kept here."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import SubscriberProfileV1
from kommunepuls_events.base import utc_now

from gateway_api.adapters.http.access import GatewayAccess, ResidentAccess, client_of, reader_of, same_origin
from gateway_api.adapters.http.language import language_of
from gateway_api.adapters.http.rendering import page
from gateway_api.adapters.http.start_views import values_of
from gateway_api.domain import forms, onboarding
from gateway_api.domain.choices import Choices, choices_of, first_choices
from gateway_api.domain.errors import Fault, Invalid
from gateway_api.domain.forms import Fields, one
from gateway_api.domain.onboarding import Step
from gateway_api.service.gateway import Gateway
from gateway_api.service.towns import TownView

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A submitted page: where it was asked, the step, what is chosen so far, and the button pressed."""

    town: TownView
    step: Step
    before: Choices
    fields: Fields
    action: str
    which: str


@router.get("/start", response_class=HTMLResponse)
async def begin(request: Request, gateway: GatewayAccess) -> Response:
    """The first question; who is signed in begins with what they have, who comes from an organiser follows it."""
    reader = await reader_of(request)
    profile = reader.subscriber.profile if reader else None
    wanted = profile.municipality if profile else request.query_params.get("municipality", "")
    town = gateway.towns.get(wanted) or gateway.towns.single
    if town is None:
        return await page(request, "towns.html", towns=list(gateway.towns), start=True)
    choices = choices_of(profile) if profile else first_choices(_language(request, town))
    organiser = request.query_params.get("organiser", "")
    if any(one.id == organiser for one in town.organisers):
        choices = forms.following(choices, organiser)
    return await show(request, gateway, town, Step.WHERE, choices)


@router.post("/start", response_class=HTMLResponse)
async def go_on(request: Request, gateway: GatewayAccess) -> Response:
    """Take in the answers of a page and show the next, or the one asked for."""
    same_origin(request)
    asked = await _asked(request, gateway)
    try:
        choices = await _answered(asked)
    except Invalid as error:
        faults = {fault.pointer.lstrip("/").partition("/")[0]: fault.detail for fault in error.faults}
        return await show(
            request, gateway, asked.town, asked.step, asked.before, fields=asked.fields, faults=faults
        )
    if asked.action == "send":
        return await _send(request, gateway, asked, choices)
    step = {"next": asked.step.following, "whole": asked.step.following, "back": asked.step.preceding}.get(
        asked.action, asked.step
    )
    if asked.action == "goto":
        step = onboarding.step_of(asked.which)
    kept = asked.fields if asked.action in ("stay", "search") else None
    return await show(request, gateway, asked.town, step, choices, fields=kept)


async def _asked(request: Request, gateway: Gateway) -> _Asked:
    form = await request.form()
    fields = {name: [str(value) for value in form.getlist(name)] for name in form}
    reader = await reader_of(request)
    profile = reader.subscriber.profile if reader else None
    wanted = profile.municipality if profile else one(fields, "municipality")
    town = gateway.towns.get(wanted) or gateway.towns.first
    fallback = choices_of(profile) if profile else first_choices(_language(request, town))
    before = onboarding.read(one(fields, "draft"), town.offer, fallback)
    action, _, which = one(fields, "action", "next").partition(":")
    return _Asked(town, onboarding.step_of(one(fields, "step")), before, fields, action, which)


async def _answered(asked: _Asked) -> Choices:
    """The choices with what the page's controls say.

    Raises:
        Invalid: naming the control.
    """
    step, fields, action = asked.step, asked.fields, asked.action
    answered = forms.choices_from(fields, asked.before, utc_now())
    choices = onboarding.with_answers(asked.before, answered, step.asks)
    if step is Step.WHERE:
        if action == "remove-place":
            return forms.without(choices, "place", asked.which)
        if action == "whole":
            return choices.model_copy(update={"areas": (asked.town.code,)})
        place = forms.new_place(fields) if action in ("next", "show") else None
        if place is not None:
            found = None
            if place.position is None:
                found = await asyncio.to_thread(asked.town.locate, place.text)
            choices = forms.with_place(choices, place, found)
        if action == "next" and not (choices.areas or choices.places):
            raise Invalid([Fault("/areas", "choose one, or the whole municipality")])
    if step is Step.WHAT and action == "all":
        return choices.model_copy(update={"interests": tuple(sorted(asked.town.offer.interests))})
    if step is Step.HOW and action == "next":
        quiet = choices.quiet_hours
        if quiet and quiet.begins == quiet.ends:
            raise Invalid([Fault("/quiet_hours", "is the same as the beginning")])
    return choices


async def _send(request: Request, gateway: Gateway, asked: _Asked, choices: Choices) -> Response:
    """Have the link mailed that signs up with these choices; the same answer for every address."""
    town, address = asked.town, one(asked.fields, "address")
    language = _language(request, town)
    choices = choices.model_copy(update={"language": language})
    try:
        await gateway.sign_in.mail_link(address, town.code, language, client_of(request), choices=choices)
    except Invalid:
        return await show(
            request, gateway, town, Step.ADDRESS, choices, fields=asked.fields, faults={"address": "wrong"}
        )
    return await page(
        request,
        "sign_in_sent.html",
        town=town,
        address=address,
        minutes=gateway.settings.sign_in_minutes,
        draft=onboarding.written(choices),
    )


@router.post("/start/keep", response_class=HTMLResponse)
async def keep(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """Put the choices in the place of those that a signed-in resident had, who was asked."""
    form = await request.form()
    town = gateway.towns.of(reader.subscriber.profile.municipality)
    drafted = onboarding.read(str(form.get("draft", "")), town.offer, choices_of(reader.subscriber.profile))

    def decide(profile: SubscriberProfileV1) -> Choices:
        return onboarding.with_answers(choices_of(profile), drafted)

    await gateway.residents.choose(reader.subscriber.id, decide, town.offer)
    return RedirectResponse("/welcome", 303)


@router.get("/welcome", response_class=HTMLResponse)
async def welcome(request: Request, reader: ResidentAccess, gateway: GatewayAccess) -> Response:
    """What is set up now, and notifications in this browser."""
    town = gateway.towns.of(reader.subscriber.profile.municipality)
    choices = choices_of(reader.subscriber.profile)
    language = language_of(request, chosen=choices.language, default=town.town.language)
    values = await values_of(gateway, town, Step.PREVIEW, choices, language, {})
    return await page(
        request,
        "start/welcome.html",
        town=town,
        vapid_public_key=gateway.settings.vapid_public_key,
        **values,
    )


async def show(
    request: Request,
    gateway: Gateway,
    town: TownView,
    step: Step,
    choices: Choices,
    *,
    fields: Fields | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    """The page of a step, with what was written into it where it is shown once more."""
    reader = await reader_of(request)
    had = choices_of(reader.subscriber.profile) if reader else None
    language = language_of(request, chosen=had.language if had else None, default=town.town.language)
    fields = fields or {}
    values: dict[str, Any] = await values_of(gateway, town, step, choices, language, fields, had=had)
    return await page(
        request,
        f"start/{step}.html",
        status=422 if faults else 200,
        town=town,
        step=step,
        counted=onboarding.COUNTED,
        draft=onboarding.written(choices),
        faults=faults or {},
        entered=lambda name, default="": one(fields, name, default),
        vapid_public_key=gateway.settings.vapid_public_key,
        minutes=gateway.settings.sign_in_minutes,
        **{"choices": choices} | values,
    )


def _language(request: Request, town: TownView) -> str:
    return language_of(request, default=town.town.language)
