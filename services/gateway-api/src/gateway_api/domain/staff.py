"""Staff: who works on the pages of a municipality, and what each may do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway_api.domain.errors import Fault
from gateway_api.domain.secrets import keyed_hash

LONGEST_NAME = 80
MOST_ORGANISERS = 50


class Role(StrEnum):
    """What somebody does here. An operator may do what an editor may."""

    OPERATOR = "operator"
    EDITOR = "editor"
    ORGANISER = "organiser"


INVITED = (Role.EDITOR, Role.ORGANISER)
"""The roles of accounts; operators have tokens."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Who is signed in, as decisions need to know it.

    Attributes:
        name: as given at the invitation, or the name of the operator's token.
        roles: what they do.
        municipality: where; None for an operator, who serves every town.
        organisers: ids of the organisers that they may write for.
        member: id of their account; None for an operator.
    """

    name: str
    roles: frozenset[Role]
    municipality: str | None = None
    organisers: frozenset[str] = frozenset()
    member: str | None = None

    def may(self, role: Role) -> bool:
        """Whether they may do what the role may."""
        return role in self.roles or (role is Role.EDITOR and Role.OPERATOR in self.roles)

    def serves(self, municipality: str) -> bool:
        """Whether they work for a municipality."""
        return self.municipality in (None, municipality)

    def may_write_for(self, organiser: str) -> bool:
        """Whether they may write in an organiser's name: their own, or, as editor, any of the municipality."""
        if self.may(Role.EDITOR):
            return self.municipality is None or organiser.startswith(f"{self.municipality}/")
        return organiser in self.organisers


def operator_named(name: str) -> Staff:
    """An operator, known by their token."""
    return Staff(name, frozenset({Role.OPERATOR}))


@dataclass(frozen=True, slots=True)
class Member:
    """An account of a municipality's staff. The address is known by its keyed hash alone.

    Attributes:
        id: pseudonym, under which the notifier is asked to mail links.
        key: keyed hash of municipality and address.
        invited_by: name of who invited them last.
        signed_in_at: when they followed a link last; None: not yet.
    """

    id: str
    key: str
    municipality: str
    name: str
    roles: tuple[Role, ...]
    organisers: tuple[str, ...]
    language: str
    invited_by: str
    invited_at: datetime
    signed_in_at: datetime | None = None

    def fields(self) -> dict[str, Any]:
        """The document."""
        return {
            "id": self.id,
            "municipality": self.municipality,
            "name": self.name,
            "roles": [str(role) for role in self.roles],
            "organisers": list(self.organisers),
            "language": self.language,
            "invited_by": self.invited_by,
            "invited_at": self.invited_at,
            "signed_in_at": self.signed_in_at,
        }

    @classmethod
    def of(cls, key: str, document: dict[str, Any]) -> "Member":
        """The member in a document."""
        held = dict(document)
        held["roles"] = tuple(Role(role) for role in held["roles"])
        held["organisers"] = tuple(held["organisers"])
        return cls(key=key, **held)

    def staff(self) -> Staff:
        """What they may do."""
        return Staff(self.name, frozenset(self.roles), self.municipality, frozenset(self.organisers), self.id)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an inviter says of a new member, before it is checked."""

    name: str
    roles: tuple[str, ...]
    organisers: tuple[str, ...] = field(default=())


def invitation_of(name: str, roles: Iterable[str], organisers: Iterable[str]) -> Invitation:
    """An invitation, without what does not belong to it: spaces, repetitions, organisers of an editor alone."""
    roles = tuple(dict.fromkeys(roles))
    named = tuple(dict.fromkeys(one.strip() for one in organisers if one.strip()))
    return Invitation(" ".join(name.split()), roles, named if Role.ORGANISER in roles else ())


def faults_of(invitation: Invitation, municipality: str) -> list[Fault]:
    """Everything that is not right with an invitation."""
    faults = []
    if not 2 <= len(invitation.name) <= LONGEST_NAME or not any(one.isalpha() for one in invitation.name):
        faults.append(Fault("/name", f"is the person's name, of 2 to {LONGEST_NAME} characters"))
    if not invitation.roles or set(invitation.roles) - set(INVITED):
        faults.append(Fault("/roles", "is editor, organiser or both"))
    own = re.compile(rf"{re.escape(municipality)}/[a-z0-9][a-z0-9._-]{{0,63}}")
    for index, organiser in enumerate(invitation.organisers):
        if not own.fullmatch(organiser):
            faults.append(
                Fault(
                    f"/organisers/{index}", f"is an organiser of {municipality}: {municipality}/name-of-club"
                )
            )
    if Role.ORGANISER in invitation.roles and not invitation.organisers:
        faults.append(Fault("/organisers", "name at least one organiser to write for"))
    if len(invitation.organisers) > MOST_ORGANISERS:
        faults.append(Fault("/organisers", f"holds at most {MOST_ORGANISERS}"))
    return faults


def staff_key(municipality: str, address: str, pepper: str) -> str:
    """The keyed hash by which an account is found: of the municipality and the normalised address."""
    return keyed_hash(f"{municipality}\n{address}", pepper, purpose="staff")
