"""Signing up and in by a mailed link, and the sessions that follow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.sealing import seal
from kommunepuls_events import Channel, ContactAction
from kommunepuls_events.base import utc_now

from gateway_api.domain import outbox, pending, sign_in
from gateway_api.domain.choices import Choices, first_choices, new_profile
from gateway_api.domain.errors import Fault, Invalid, LinkRefused, TooMany
from gateway_api.domain.secrets import (
    digest,
    keyed_hash,
    new_endpoint_id,
    new_subscriber_id,
    new_token,
    normalised_address,
)
from gateway_api.domain.subscribers import Endpoint, Subscriber, command, with_endpoint
from gateway_api.service.changes import change
from gateway_api.service.collections import Collections
from gateway_api.service.limits import count
from gateway_api.settings import Settings

_ADDRESS_WINDOW = timedelta(minutes=15)
_CLIENT_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in. ``key`` is the digest of the cookie's token, ``csrf`` the token of their forms."""

    key: str
    subscriber: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Followed:
    """What a link led to.

    Attributes:
        token: the session's secret token.
        new: whether the subscriber was signed up by it, with the choices that waited for the link.
        waiting: choices that waited for the link of somebody who is known already: theirs to decide on.
    """

    token: str
    session: Session
    new: bool
    waiting: Choices | None


class SignIn:
    """Links and sessions."""

    def __init__(
        self,
        settings: Settings,
        collections: Collections,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._collections = collections
        self._wake = wake
        self._now = now
        self._log = get_logger()

    def address_hash(self, address: str) -> str:
        """The keyed hash by which an address is found again.

        Raises:
            Invalid: if it is not an address that mail can be sent to.
        """
        try:
            normal = normalised_address(address)
        except ValueError as error:
            raise Invalid([Fault("/address", str(error))]) from None
        return keyed_hash(normal, self._settings.pepper.get_secret_value(), purpose="address")

    async def mail_link(
        self,
        address: str,
        municipality: str,
        language: str,
        client: str,
        *,
        choices: Choices | None = None,
    ) -> None:
        """Have a link mailed that signs in whoever reads mail at the address, or signs them up.

        Does the same work, and tells the caller the same, whether the address is known or not. When an
        address has been sent its share of mails, no more are sent and nobody is told.

        Args:
            choices: what a new resident begins with; they wait with the link, locked by its token.

        Raises:
            Invalid: if it is no address.
            TooMany: if the client asks too often.
        """
        now = self._now()
        hashed = self.address_hash(address)
        await self._brake_client(client, now)
        mailed = await count(self._collections.counts, f"address|{hashed}", _ADDRESS_WINDOW, now)
        if not sign_in.within_limit(mailed, self._settings.mails_per_address):
            self._log.info("sign_in_mail_held_back")
            return
        expires_at = now + timedelta(minutes=self._settings.sign_in_minutes)
        subscriber = await self.reserve(hashed, expires_at + _CLIENT_WINDOW)
        token = new_token()
        normal = normalised_address(address)
        link = f"{self._settings.public_url}/sign-in/{token}"
        key = self._settings.contact_public_key
        mail = command(
            subscriber,
            ContactAction.SEND_LINK,
            now,
            channel=Channel.EMAIL,
            language=language,
            sealed=seal({"address": normal, "link": link}, key, subscriber=subscriber),
            expires_at=expires_at,
        )
        document = {
            "subscriber": subscriber,
            "address_hash": hashed,
            "municipality": municipality,
            "language": language,
            # Sealed now, for later the address is no longer known here.
            "sealed": seal({"address": normal}, key, subscriber=subscriber),
            "choices": pending.locked(choices, token) if choices else None,
            "state": sign_in.OPEN,
            "expires_at": expires_at,
        }
        await self._collections.links.insert(
            digest(token), outbox.with_entries(document, [outbox.entry_for(mail)], now)
        )
        self._wake()
        self._log.info("sign_in_mail_asked")

    async def _brake_client(self, client: str, now: datetime) -> None:
        hashed = keyed_hash(client, self._settings.pepper.get_secret_value(), purpose="client")
        asked = await count(self._collections.counts, f"client|{hashed}", _CLIENT_WINDOW, now)
        if not sign_in.within_limit(asked, self._settings.mails_per_client):
            wait = (sign_in.window_end(now, _CLIENT_WINDOW) - now).total_seconds()
            raise TooMany("too many sign-in mails were asked for from here", retry_after=int(wait) + 1)

    async def reserve(self, address_hash: str, until: datetime) -> str:
        """The pseudonym of an address: the one it has, or a new one kept until it is confirmed."""
        addresses = self._collections.addresses
        while True:
            stored = await addresses.get(address_hash)
            if stored is None:
                subscriber = new_subscriber_id()
                if await addresses.insert(
                    address_hash, {"subscriber": subscriber, "confirmed": False, "expires_at": until}
                ):
                    return subscriber
            elif stored.document["confirmed"] or await addresses.patch(
                address_hash,
                {"expires_at": until},
                where={"subscriber": stored.document["subscriber"]},
            ):
                return stored.document["subscriber"]

    async def look_at_link(self, token: str) -> None:
        """Check a link without using it.

        Raises:
            LinkRefused: saying why.
        """
        stored = await self._collections.links.get(digest(token))
        sign_in.check_link(stored.document if stored else None, self._now())

    async def follow_link(self, token: str) -> Followed:
        """Use a link: sign in, and sign up who was not.

        Raises:
            LinkRefused: if the link was used, is too old, or is none of ours.
        """
        now = self._now()
        stored = await self._collections.links.get(digest(token))
        link = sign_in.check_link(stored.document if stored else None, now)
        if not await self._collections.links.patch(
            digest(token), {"state": sign_in.USED, "choices": None}, where={"state": sign_in.OPEN}
        ):
            raise LinkRefused("this link has been used; ask for a new one", slug="link-used")
        choices = pending.unlocked(link.get("choices"), token)
        new = await self._confirm(link, choices or first_choices(link["language"]), now)
        self._wake()
        session_token, session = await self.open_session(link["subscriber"])
        self._log.info("signed_in", subscriber=link["subscriber"], new=new)
        return Followed(session_token, session, new, None if new else choices)

    async def _confirm(self, link: dict, choices: Choices, now: datetime) -> bool:
        """Sign up, or give a known subscriber back an address that had stopped working."""
        subscriber_id = link["subscriber"]
        if not await self._collections.addresses.patch(
            link["address_hash"],
            {"confirmed": True, "expires_at": None},
            where={"subscriber": subscriber_id},
        ):
            # The resident was erased after the link was made.
            raise LinkRefused("this link is too old; ask for a new one", slug="link-expired")
        fresh = Subscriber(
            profile=new_profile(subscriber_id, link["municipality"], choices, now),
            created_at=now,
            address_hash=link["address_hash"],
        )
        endpoint = Endpoint(new_endpoint_id(), Channel.EMAIL, now)
        entries = [outbox.entry_for(fresh.profile), self._registration(fresh, endpoint, link["sealed"], now)]
        document = outbox.with_entries(with_endpoint(fresh, endpoint).fields(), entries, now)
        if await self._collections.subscribers.insert(subscriber_id, document):
            return True

        def register_again(known: dict) -> tuple | None:
            subscriber = Subscriber.of(known)
            if subscriber is None or subscriber.active(Channel.EMAIL):
                return None
            again = next((one for one in subscriber.endpoints if one.channel is Channel.EMAIL), endpoint)
            again = Endpoint(again.id, Channel.EMAIL, now)
            entry = self._registration(subscriber, again, link["sealed"], now)
            return with_endpoint(subscriber, again).fields(), [entry]

        await change(self._collections.subscribers, subscriber_id, register_again, now)
        return False

    def _registration(
        self, subscriber: Subscriber, endpoint: Endpoint, sealed: str, now: datetime
    ) -> outbox.Entry:
        return outbox.entry_for(
            command(
                subscriber.id,
                ContactAction.REGISTER,
                now,
                endpoint=endpoint.id,
                channel=endpoint.channel,
                language=subscriber.profile.language,
                sealed=sealed,
            )
        )

    async def open_session(self, subscriber: str) -> tuple[str, Session]:
        """A new session and its secret token."""
        token = new_token()
        expires_at = self._now() + timedelta(days=self._settings.session_days)
        session = Session(digest(token), subscriber, new_token(), expires_at)
        await self._collections.sessions.insert(
            session.key, {"subscriber": subscriber, "csrf": session.csrf, "expires_at": expires_at}
        )
        return token, session

    async def session(self, token: str) -> Session | None:
        """The session of a cookie's token; None when it has ended."""
        stored = await self._collections.sessions.get(digest(token))
        if stored is None or stored.document["expires_at"] <= self._now():
            return None
        held = stored.document
        return Session(stored.key, held["subscriber"], held["csrf"], held["expires_at"])

    async def close_session(self, session: Session) -> None:
        """Sign out."""
        await self._collections.sessions.delete(session.key)
