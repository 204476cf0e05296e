"""JSON API for operators: the accounts of a municipality's staff, and the record of who did what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from kommunepuls_events.base import LanguageTag, MunicipalityCode
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway_api.adapters.http.access import GatewayAccess, OperatorAccess, operator
from gateway_api.domain.staff import Member, Role, invitation_of, operator_named
from gateway_api.service.audit import noted

router = APIRouter(prefix="/api/v1/operator", tags=["operators"], dependencies=[Depends(operator)])


class InvitationRequest(BaseModel):
    """Somebody to take in, or whose name and roles are to be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    municipality: MunicipalityCode
    address: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    name: Annotated[str, StringConstraints(max_length=200)]
    roles: Annotated[tuple[Role, ...], Field(description="editor, organiser or both")]
    organisers: Annotated[tuple[str, ...], Field(description="ids that an organiser may write for")] = ()
    language: LanguageTag = "nb"


class MemberAnswer(BaseModel):
    """A member of the staff. The address is not known here."""

    id: str
    municipality: str
    name: str
    roles: list[Role]
    organisers: list[str]
    invited_by: str
    invited_at: datetime
    signed_in_at: datetime | None


class MembersAnswer(BaseModel):
    """The staff of a municipality."""

    members: list[MemberAnswer]


class LineAnswer(BaseModel):
    """Who did what and when."""

    at: datetime
    who: str
    role: str
    action: str
    municipality: str | None
    subject: str
    detail: dict[str, str]


class LinesPage(BaseModel):
    """A page of the record."""

    lines: list[LineAnswer]
    next_cursor: str | None = None


@router.get("/staff")
async def staff(gateway: GatewayAccess, municipality: MunicipalityCode) -> MembersAnswer:
    """Who works for a municipality."""
    town = gateway.towns.of(municipality)
    return MembersAnswer(members=[_told(member) for member in await gateway.staff.of(town.code)])


@router.post("/staff", status_code=201)
async def invite(
    asked: InvitationRequest, response: Response, gateway: GatewayAccess, name: OperatorAccess
) -> MemberAnswer:
    """Take somebody in and mail them a link; who has an account (200) gets the new name and roles."""
    town = gateway.towns.of(asked.municipality)
    invitation = invitation_of(asked.name, asked.roles, asked.organisers)
    member, new = await gateway.staff.invite(
        town.code, asked.address, invitation, asked.language, operator_named(name)
    )
    if not new:
        response.status_code = 200
    return _told(member)


@router.delete("/staff/{member}", status_code=204)
async def remove(
    member: str, municipality: MunicipalityCode, gateway: GatewayAccess, name: OperatorAccess
) -> None:
    """Remove somebody; their sessions and links end at once."""
    await gateway.staff.remove(municipality, member, operator_named(name))


@router.get("/log")
async def log(
    gateway: GatewayAccess,
    municipality: MunicipalityCode | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> LinesPage:
    """Who did what on the staff pages and by this API, the newest first."""
    page = await gateway.audit.read(municipality, limit=limit, cursor=cursor)
    lines = [noted(stored.document) for stored in page.documents]
    return LinesPage(
        lines=[
            LineAnswer(**{name: getattr(line, name) for name in LineAnswer.model_fields}) for line in lines
        ],
        next_cursor=page.next_cursor,
    )


def _told(member: Member) -> MemberAnswer:
    return MemberAnswer(**{name: getattr(member, name) for name in MemberAnswer.model_fields})
