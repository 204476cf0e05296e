"""The form in which an organiser writes: how it is read, and how it is shown."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response
from kommunepuls_events.interests import INTERESTS
from starlette.datastructures import FormData, UploadFile

from gateway_api.adapters.http.language import LANGUAGES
from gateway_api.adapters.http.staff_rendering import staff_page
from gateway_api.adapters.http.staff_writers import names_in, reach_view
from gateway_api.domain.errors import Fault
from gateway_api.domain.forms import one
from gateway_api.domain.maps import labels
from gateway_api.domain.organisers.content import KINDS, MOST_INTERESTS, Content, DraftPicture, Position
from gateway_api.domain.organisers.drafts import Draft
from gateway_api.domain.organisers.form import Fields, local_time, wants_looking_up
from gateway_api.domain.pictures import UnusablePicture
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView


def fields_of(form: FormData) -> Fields:
    """The texts of a form; files are left out."""
    return {name: [one for one in form.getlist(name) if isinstance(one, str)] for name in form}


async def placed(town: TownView, fields: Fields, content: Content) -> tuple[Content, list[Fault]]:
    """The content with its place looked up in the town's register, or without one if that was asked for."""
    if one(fields, "action") == "no-place":
        return content.model_copy(update={"place_name": "", "position": None}), []
    if not wants_looking_up(fields, content):
        return content, []
    found = await asyncio.to_thread(town.locate, content.place_name)
    if found is None:
        lost = content.model_copy(update={"position": None})
        # Told only to who asked: a place may well stand in words alone.
        asked = one(fields, "action") == "find"
        return lost, [Fault("/place_name", "is not known here")] if asked else []
    _, longitude, latitude = found
    position = Position(longitude=round(longitude, 6), latitude=round(latitude, 6))
    return content.model_copy(update={"position": position}), []


async def pictured(gateway: Gateway, form: FormData, content: Content) -> tuple[Content, list[Fault]]:
    """The content with the picture that was chosen, drawn anew and kept; or without one."""
    if form.get("action") == "no-picture":
        return content.model_copy(update={"picture": None}), []
    upload = form.get("picture")
    if not isinstance(upload, UploadFile) or not upload.size:
        return content, []
    try:
        kept = await gateway.pictures.keep(await upload.read())
    except UnusablePicture:
        return content, [Fault("/picture", "cannot be used")]
    text = str(form.get("picture_text", "")).strip()[:300]
    picture = DraftPicture(address=kept.large, alternative_text=text, width=kept.width, height=kept.height)
    return content.model_copy(update={"picture": picture}), []


async def show_form(
    request: Request,
    session: StaffSession,
    gateway: Gateway,
    town: TownView,
    draft: Draft,
    faults: Sequence[Fault] = (),
    *,
    status: int = 200,
    said: str = "",
    show_reach: bool = False,
) -> Response:
    """The form with a draft's content, its reach where that was asked for, and the pin on the map."""
    content = draft.content
    names = names_in(request, session, gateway, town)
    view = None
    if show_reach:
        view = await reach_view(request, session, gateway, town, await gateway.drafts.item(draft))
    return await staff_page(
        request,
        "write.html",
        session,
        status=status,
        draft=draft,
        content=content,
        club=gateway.clubs.get(draft.organiser),
        faults={fault.pointer.lstrip("/").partition("/")[0]: fault.detail for fault in reversed(faults)},
        said=said,
        kinds=KINDS,
        all_languages=LANGUAGES,
        interests=[
            (slug, names.interest(slug)) for slug in dict.fromkeys((*INTERESTS, *town.town.interests))
        ],
        most_interests=MOST_INTERESTS,
        starts=local_time(content.starts_at, town.town.timezone),
        ends=local_time(content.ends_at, town.town.timezone),
        names=names,
        view=view,
        **_map_values(town, content, names),
    )


def _map_values(town: TownView, content: Content, names: Any) -> dict[str, Any]:
    """The names on the map, where the pin stands (per cent of the map), and how a click becomes degrees."""
    drawn = town.map
    if drawn is None:
        return {"labels": [], "pin": None, "frame": ""}
    position = content.position
    pin = drawn.place(position.longitude, position.latitude) if position else None
    return {
        "labels": labels(drawn, {shape.area: names.area(shape.area) for shape in drawn.shapes}, []),
        "pin": (pin[0] / 10, pin[1] / drawn.height * 100) if pin else None,
        "frame": " ".join(
            f"{one:.8g}"
            for one in (
                drawn.west,
                drawn.north,
                drawn.scale,
                drawn.shrink,
                drawn.left,
                drawn.top,
                drawn.height,
            )
        ),
    }
