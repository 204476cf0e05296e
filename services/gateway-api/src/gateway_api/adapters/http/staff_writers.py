"""What the pages of organisers and of editors share: whom somebody writes for, a draft as it is shown, its reach."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from kommunepuls_events import ContentItemV1

from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.staff_rendering import staff_words
from gateway_api.domain.organisers.drafts import Draft
from gateway_api.domain.organisers.organiser import Club
from gateway_api.domain.organisers.publishing import changes_between
from gateway_api.domain.pictures import ShownPicture, picture_named
from gateway_api.domain.reach import Reach
from gateway_api.domain.staff import Role, Staff
from gateway_api.service.gateway import Gateway
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView


def clubs_of(gateway: Gateway, town: TownView, staff: Staff) -> list[Club]:
    """The open organisers that somebody writes for: their own, or every one of the town for an editor."""
    return [club for club in gateway.clubs.all(town.code) if club.approved and staff.may_write_for(club.id)]


@dataclass(frozen=True, slots=True)
class ReachView:
    """How far an item reaches; ``reach`` is None while it is still being counted."""

    reach: Reach | None
    areas: tuple[str, ...]
    """The areas that it concerns, by name."""

    def data(self) -> dict[str, Any]:
        """As JSON: a number of residents, or null for fewer than five."""
        if self.reach is None:
            return {"counting": True}
        told = self.reach
        return {
            "counting": False,
            "residents": told.residents.number,
            "places": told.places.number,
            "areas": {area: about.number for area, about in told.areas.items()},
            "interests": {slug: about.number for slug, about in told.interests.items()},
            "organiser": told.organiser.number,
        }


async def reach_view(
    request: Request,
    session: StaffSession,
    gateway: Gateway,
    town: TownView,
    item: ContentItemV1,
    *,
    wait_seconds: float = 5.0,
) -> ReachView:
    """The reach of an item, with the areas it concerns in words."""
    names = names_in(request, session, gateway, town)
    told = await gateway.reach.of(town, item, wait_seconds=wait_seconds)
    return ReachView(told, tuple(names.area(area) for area in town.areas_of(item)))


def names_in(request: Request, session: StaffSession, gateway: Gateway, town: TownView) -> ReaderNames:
    """What things are called in the language of whoever is at work."""
    return ReaderNames(gateway, staff_words(request, session), municipality=town.code)


async def preview_values(
    request: Request, session: StaffSession, gateway: Gateway, draft: Draft
) -> dict[str, Any]:
    """What a template needs to show a draft as residents will see it, with its reach."""
    town = gateway.towns.of(draft.municipality)
    item = await gateway.drafts.item(draft)
    shown = draft.content.picture
    named = picture_named(shown.address.rpartition("/")[2]) if shown else None
    return {
        "draft": draft,
        "club": gateway.clubs.get(draft.organiser),
        "item": item,
        "changes": changes_between(draft.item, item) if draft.item else (),
        "picture": ShownPicture(named[0], shown.width, shown.height, shown.alternative_text)
        if shown and named
        else None,
        "names": names_in(request, session, gateway, town),
        "view": await reach_view(request, session, gateway, town, item),
        "editor": session.staff.may(Role.EDITOR),
    }
