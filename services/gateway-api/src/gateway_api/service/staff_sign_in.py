"""Staff signing in: members by a mailed link, operators by their token; shorter sessions than residents'."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.operators import operator_of
from kommunepuls_chassis.sealing import seal
from kommunepuls_chassis.store.documents import EPOCH
from kommunepuls_events import Channel, ContactAction
from kommunepuls_events.base import utc_now

from gateway_api.domain import outbox, sign_in
from gateway_api.domain.errors import Fault, Invalid, LinkRefused, NotAllowed, TooMany
from gateway_api.domain.secrets import digest, keyed_hash, new_token, normalised_address
from gateway_api.domain.staff import Member, Staff, operator_named, staff_key
from gateway_api.domain.subscribers import command
from gateway_api.service.audit import Audit
from gateway_api.service.collections import Collections
from gateway_api.service.limits import count
from gateway_api.settings import Settings

_ADDRESS_WINDOW = timedelta(minutes=15)
_CLIENT_WINDOW = timedelta(hours=1)
_TOKEN_WINDOW = timedelta(minutes=15)
MOST_TOKENS = 10
"""Tokens that one client may try in a quarter of an hour."""
INVITATION, LINK = "staff-invitation", "staff-link"
"""The letters that the notifier has words for."""
_NOBODY = Member("w-0", "", "", "", (), (), "nb", "", EPOCH)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Who is signed in. ``key`` is the digest of the cookie's token, ``csrf`` the token of their forms.

    ``town`` is the municipality that an operator looks at; members have their own.
    """

    key: str
    csrf: str
    expires_at: datetime
    staff: Staff
    town: str | None


class StaffSignIn:
    """Links and sessions of staff."""

    def __init__(
        self,
        settings: Settings,
        collections: Collections,
        audit: Audit,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._collections = collections
        self._audit = audit
        self._wake = wake
        self._now = now
        self._log = get_logger()

    async def mail_link(self, address: str, municipality: str, client: str) -> None:
        """Have a link mailed to a member; does the same work and tells the same for an unknown address.

        Args:
            address: as it was typed.
            municipality: whose staff.
            client: who asks, for the limit.

        Raises:
            Invalid: if it is no address.
            TooMany: if the client asks too often.
        """
        try:
            normal = normalised_address(address)
        except ValueError as error:
            raise Invalid([Fault("/address", str(error))]) from None
        await self._brake(
            f"staff-client|{self._hashed(client)}", _CLIENT_WINDOW, self._settings.mails_per_client
        )
        key = staff_key(municipality, normal, self._settings.pepper.get_secret_value())
        mailed = await count(self._collections.counts, f"staff-address|{key}", _ADDRESS_WINDOW, self._now())
        if not sign_in.within_limit(mailed, self._settings.mails_per_address):
            self._log.info("staff_mail_held_back")
            return
        stored = await self._collections.staff.get(key)
        member = Member.of(key, stored.document) if stored else _NOBODY
        minutes = timedelta(minutes=self._settings.sign_in_minutes)
        await self.send_link(member, normal, minutes, letter=LINK)
        self._log.info("staff_mail_asked")

    async def send_link(self, member: Member, address: str, lasts: timedelta, *, letter: str) -> None:
        """Write a link down, with the mail that tells it in its outbox; a stranger's has no mail and opens nothing."""
        now = self._now()
        token = new_token()
        content = {
            "address": address,
            "link": f"{self._settings.public_url}/staff/sign-in/{token}",
            "letter": letter,
        }
        mail = command(
            member.id,
            ContactAction.SEND_LINK,
            now,
            channel=Channel.EMAIL,
            language=member.language,
            sealed=seal(content, self._settings.contact_public_key, subscriber=member.id),
            expires_at=now + lasts,
        )
        entries = [outbox.entry_for(mail)]
        known = bool(member.key)
        document = {
            "member": member.key or None,
            "state": sign_in.OPEN if known else sign_in.USED,
            "expires_at": now + lasts,
        }
        await self._collections.staff_links.insert(
            digest(token), outbox.with_entries(document, entries if known else [], now)
        )
        self._wake()

    async def look_at_link(self, token: str) -> None:
        """Check a link without using it.

        Raises:
            LinkRefused: saying why.
        """
        stored = await self._collections.staff_links.get(digest(token))
        sign_in.check_link(stored.document if stored else None, self._now())

    async def follow_link(self, token: str) -> tuple[str, StaffSession]:
        """Use a link; returns the session's secret token and the session.

        Raises:
            LinkRefused: if it was used, is too old, or is none of ours.
        """
        now = self._now()
        stored = await self._collections.staff_links.get(digest(token))
        link = sign_in.check_link(stored.document if stored else None, now)
        if not await self._collections.staff_links.patch(
            digest(token), {"state": sign_in.USED}, where={"state": sign_in.OPEN}
        ):
            raise LinkRefused("this link has been used; ask for a new one", slug="link-used")
        account = await self._collections.staff.get(link["member"])
        if account is None:
            raise LinkRefused("this link is too old; ask for a new one", slug="link-expired")
        member = Member.of(account.key, account.document)
        await self._audit.note(member.staff(), "signed-in", member.municipality)
        await self._collections.staff.patch(account.key, {"signed_in_at": now})
        self._log.info("staff_signed_in", member=member.id)
        return await self._open(member.staff(), {"member": member.key, "town": member.municipality})

    async def enter_token(self, token: str, client: str) -> tuple[str, StaffSession]:
        """Sign an operator in by their token; returns the session's secret token and the session.

        Raises:
            TooMany: if the client has tried too often.
            NotAllowed: if it is nobody's.
        """
        await self._brake(f"staff-token|{self._hashed(client)}", _TOKEN_WINDOW, MOST_TOKENS)
        tokens = self._settings.operators()
        name = operator_of(f"Bearer {token}", tokens)
        if name is None:
            self._log.warning("operator_token_refused")
            raise NotAllowed("this is no operator's token", slug="token-unknown")
        await self._audit.note(operator_named(name), "signed-in", None)
        self._log.info("operator_signed_in", operator=name)
        return await self._open(
            operator_named(name), {"operator": name, "token": digest(tokens[name]), "town": None}
        )

    async def session(self, token: str) -> StaffSession | None:
        """The session of a cookie's token; None when it has ended, or its account or token is no more."""
        stored = await self._collections.staff_sessions.get(digest(token))
        if stored is None or stored.document["expires_at"] <= self._now():
            return None
        held = stored.document
        staff = await self._staff_of(held)
        if staff is None:
            return None
        return StaffSession(stored.key, held["csrf"], held["expires_at"], staff, held["town"])

    async def choose_town(self, session: StaffSession, municipality: str) -> None:
        """Let an operator look at another town."""
        await self._collections.staff_sessions.patch(session.key, {"town": municipality})

    async def close(self, session: StaffSession) -> None:
        """Sign out."""
        await self._collections.staff_sessions.delete(session.key)

    async def _staff_of(self, held: dict) -> Staff | None:
        if held.get("operator"):
            # A token that was changed or taken out ends its sessions.
            current = self._settings.operators().get(held["operator"])
            return operator_named(held["operator"]) if current and digest(current) == held["token"] else None
        account = await self._collections.staff.get(held["member"])
        return Member.of(account.key, account.document).staff() if account else None

    async def _open(self, staff: Staff, whose: dict) -> tuple[str, StaffSession]:
        token, csrf = new_token(), new_token()
        expires_at = self._now() + timedelta(hours=self._settings.staff_session_hours)
        document = {"member": None, "operator": None, "token": None, **whose}
        await self._collections.staff_sessions.insert(
            digest(token), document | {"csrf": csrf, "expires_at": expires_at}
        )
        return token, StaffSession(digest(token), csrf, expires_at, staff, whose["town"])

    def _hashed(self, client: str) -> str:
        return keyed_hash(client, self._settings.pepper.get_secret_value(), purpose="client")

    async def _brake(self, name: str, window: timedelta, most: int) -> None:
        now = self._now()
        if not sign_in.within_limit(await count(self._collections.counts, name, window, now), most):
            wait = (sign_in.window_end(now, window) - now).total_seconds()
            raise TooMany("too many tries from here", retry_after=int(wait) + 1)
