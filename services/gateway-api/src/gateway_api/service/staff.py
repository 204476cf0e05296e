"""Accounts of a municipality's staff: invited, changed, removed."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import VersionConflict
from kommunepuls_events.base import utc_now

from gateway_api.domain.errors import Fault, Invalid, NotFound
from gateway_api.domain.secrets import normalised_address
from gateway_api.domain.staff import Invitation, Member, Role, Staff, faults_of, staff_key
from gateway_api.service.audit import Audit
from gateway_api.service.collections import Collections
from gateway_api.service.staff_sign_in import INVITATION, StaffSignIn
from gateway_api.settings import Settings


class StaffAccounts:
    """The accounts of all municipalities."""

    def __init__(
        self,
        settings: Settings,
        collections: Collections,
        sign_in: StaffSignIn,
        audit: Audit,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._collections = collections
        self._sign_in = sign_in
        self._audit = audit
        self._now = now
        self._log = get_logger()

    async def of(self, municipality: str) -> list[Member]:
        """The members of a municipality, by name."""
        found = await self._collections.staff.find({"municipality": municipality})
        members = [Member.of(stored.key, stored.document) for stored in found]
        return sorted(members, key=lambda one: (one.name.casefold(), one.id))

    async def member(self, municipality: str, member: str) -> Member:
        """One member.

        Raises:
            NotFound: if there is none of that id there.
        """
        found = await self._collections.staff.find({"id": member, "municipality": municipality}, limit=1)
        if not found:
            raise NotFound("there is no such member of staff")
        return Member.of(found[0].key, found[0].document)

    async def invite(
        self, municipality: str, address: str, invitation: Invitation, language: str, by: Staff
    ) -> tuple[Member, bool]:
        """Take somebody in and mail them a link; who has an account gets the new name and roles.

        Returns:
            The member, and whether they are new.

        Raises:
            Invalid: with each fault.
        """
        faults = faults_of(invitation, municipality)
        try:
            normal = normalised_address(address)
        except ValueError as error:
            faults.insert(0, Fault("/address", str(error)))
        if faults:
            raise Invalid(faults)
        key = staff_key(municipality, normal, self._settings.pepper.get_secret_value())
        roles = tuple(Role(role) for role in invitation.roles)
        await self._audit.note(
            by,
            "member-invited",
            municipality,
            invitation.name,
            roles=", ".join(roles),
            organisers=", ".join(invitation.organisers),
        )
        while True:
            stored = await self._collections.staff.get(key)
            before = Member.of(key, stored.document) if stored else None
            member = Member(
                id=before.id if before else f"w-{secrets.token_hex(12)}",
                key=key,
                municipality=municipality,
                name=invitation.name,
                roles=roles,
                organisers=invitation.organisers,
                language=language,
                invited_by=by.name,
                invited_at=self._now(),
                signed_in_at=before.signed_in_at if before else None,
            )
            try:
                await self._collections.staff.put(
                    key, member.fields(), expected_version=stored.version if stored else 0
                )
            except VersionConflict:
                continue
            break
        hours = timedelta(hours=self._settings.invitation_hours)
        await self._sign_in.send_link(member, normal, hours, letter=INVITATION)
        self._log.info("staff_invited", member=member.id, new=before is None)
        return member, before is None

    async def change(self, municipality: str, member: str, invitation: Invitation, by: Staff) -> Member:
        """Change a member's name and roles; they count from the next page on.

        Raises:
            NotFound, Invalid.
        """
        if faults := faults_of(invitation, municipality):
            raise Invalid(faults)
        known = await self.member(municipality, member)
        roles = tuple(Role(role) for role in invitation.roles)
        await self._audit.note(
            by,
            "member-changed",
            municipality,
            invitation.name,
            roles=", ".join(roles),
            organisers=", ".join(invitation.organisers),
        )
        changed = replace(known, name=invitation.name, roles=roles, organisers=invitation.organisers)
        changes = {name: changed.fields()[name] for name in ("name", "roles", "organisers")}
        if not await self._collections.staff.patch(known.key, changes):
            raise NotFound("there is no such member of staff")
        return changed

    async def remove(self, municipality: str, member: str, by: Staff) -> Member:
        """Delete an account; its sessions and links end at once.

        Raises:
            NotFound: if there is none of that id there.
        """
        known = await self.member(municipality, member)
        await self._audit.note(by, "member-removed", municipality, known.name)
        await self._collections.staff.delete(known.key)
        await self._collections.staff_sessions.delete_where({"member": known.key})
        await self._collections.staff_links.delete_where({"member": known.key})
        self._log.info("staff_removed", member=known.id)
        return known
