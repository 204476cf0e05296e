"""A journey that begins with a club: an editor takes it in, it writes, the editor approves, residents are told."""

import re
import secrets
from datetime import timedelta

import httpx
from journey_world import Resident, World
from kommunepuls_events.base import utc_now


class Desk:
    """One of the staff at their pages."""

    def __init__(self, world: World) -> None:
        # The form of a club is filled in as a browser does, from our own page.
        self.client = httpx.AsyncClient(
            base_url=world.gateway, headers={"Origin": world.gateway}, timeout=world.patience
        )

    async def begin(self) -> None:
        """Read the token that forms carry."""
        token = re.search(
            r'name="csrf_token" value="([^"]+)"', (await self.client.get("/staff/writing")).text
        )
        assert token
        self.client.headers["X-CSRF-Token"] = token[1]

    async def post(self, path: str, **data: object) -> str:
        """Send a form; where it leads."""
        answer = await self.client.post(path, data=data)
        assert answer.status_code == 303, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.headers["location"]

    async def handed_in(self, address: str, **form: object) -> str:
        """Fill in the form and hand it in; where that leads."""
        preview = await self.post(address, action="next", **form)
        edition = re.search(r'name="edition" value="(\d+)"', (await self.client.get(preview)).text)
        assert edition, "the preview offers to hand it in"
        return await self.post(f"{address}/publish", edition=edition[1], tell="yes")


async def a_clubs_event(world: World) -> None:
    """A club that the editor approved writes an event; its followers are told, and again when it is moved."""
    name = f"Strand korps {secrets.token_hex(3)}"
    editor, writer = Desk(world), Desk(world)
    try:
        await _as_operator(world, editor)
        await editor.post("/staff/organisers", name=name)
        listed = (await world.ask("GET", f"{world.gateway}/api/v1/organisers?municipality=NO-1130")).json()
        [club] = [one["id"] for one in listed if one["name"] == name]
        follower = await world.resident("follower", organisers=[club])
        neighbour = await world.resident("neighbour", areas=["NO-1130/tau"], interests=["music"])
        stranger = await world.resident("stranger", areas=["NO-1130/tau"], interests=["football"])
        await _as_organiser(world, writer, club)

        address = await writer.post("/staff/writing", organiser=club, kind="event")
        starts = (utc_now() + timedelta(days=6)).replace(hour=18, minute=0)
        form = {
            "kind": "event", "title": f"Konsert med {name}", "text": "Vi spiller **julemusikk**.", "language": "nb",
            "interests": ["music"], "starts_at": starts.strftime("%Y-%m-%dT%H:%M"),
        }  # fmt: skip
        assert await writer.handed_in(address, **form) == "/staff/writing?said=handed-in"
        draft = address.rpartition("/")[2]
        await editor.post(f"/staff/approvals/{draft}/approve", edition="2")
        item = await world.published("NO-1130/organisers", lambda one: one.native_id == draft)
        await world.told(follower, item, because=(f"du følger {name}",))
        await world.told(neighbour, item)
        await world.nobody_but({follower: 1, neighbour: 1}, item, (follower, neighbour, stranger))
        await _in_the_feed(world, follower, item.id)
        await _with_the_public(world, club, item.id, item.title)

        later = {"starts_at": (starts + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")}
        assert await writer.handed_in(address, **(form | later)) == "/staff/writing?said=handed-in"
        await editor.post(f"/staff/approvals/{draft}/approve", edition="3")
        moved = await world.published(
            "NO-1130/organisers", lambda one: one.native_id == draft and one.revision == 2
        )
        assert [change.field for change in moved.lifecycle.changes] == ["starts_at"]
        await world.told(follower, moved, times=2)
    finally:
        await editor.client.aclose()
        await writer.client.aclose()


async def _as_operator(world: World, desk: Desk) -> None:
    await desk.post("/staff/token", token=world.stack.operator_token)
    await desk.begin()
    await desk.post("/staff/town", municipality="NO-1130")


async def _as_organiser(world: World, desk: Desk, club: str) -> None:
    """Somebody who is invited, and follows the link in their mail."""
    address = f"korps-{secrets.token_hex(4)}@eksempel.example"
    member = {"municipality": "NO-1130", "address": address, "name": "Kari Korps", "roles": ["organiser"],
              "organisers": [club]}  # fmt: skip
    answer = await world.ask(
        "POST",
        f"{world.gateway}/api/v1/operator/staff",
        json=member,
        headers={"Authorization": f"Bearer {world.stack.operator_token}"},
    )
    assert answer.status_code == 201, answer.text
    [mail] = await world.eventually(lambda: world.receivers.mails_to(address), "the invitation")
    link = re.search(rf"{re.escape(world.gateway)}(/staff/sign-in/\S+)", mail.text)
    assert link
    assert await desk.post(link[1]) == "/staff/writing"
    await desk.begin()


async def _in_the_feed(world: World, resident: Resident, item: str) -> None:
    """The resident signs in by their mail and finds it in their feed, with the reason."""
    asked = {"address": resident.address, "municipality": "NO-1130"}
    await world.ask("POST", f"{world.gateway}/api/v1/sign-in-links", json=asked)

    def link() -> str | None:
        texts = [mail.text for mail in world.receivers.mails_to(resident.address)]
        found = [match[1] for text in texts if (match := re.search(r"/sign-in/(\S+)", text))]
        return found[-1] if found else None

    token = await world.eventually(link, "the mailed link")
    async with httpx.AsyncClient(base_url=world.gateway, timeout=world.patience) as browser:
        assert (await browser.post("/api/v1/sessions", json={"token": token})).status_code == 201

        async def entry() -> dict | None:
            entries = (await browser.get("/api/v1/feed")).json()["entries"]
            return next((one for one in entries if one["item"]["id"] == item), None)

        found = await world.eventually(entry, "the event in the feed")
        assert [reason["reason"]["type"] for reason in found["reasons"]] == ["organiser"]


async def _with_the_public(world: World, club: str, item: str, title: str) -> None:
    """Everybody finds it in the calendar and in the list for other sites."""
    where = {"organiser": club, "municipality": "NO-1130"}

    async def listed() -> bool:
        answer = await world.ask("GET", f"{world.gateway}/embed/events.json", params=where)
        return [one["id"] for one in answer.json()["events"]] == [item]

    await world.eventually(listed, "the event in the list for other sites")
    calendar = await world.ask("GET", f"{world.gateway}/open-data/items.ics", params=where)
    assert f"SUMMARY:{title}" in calendar.text
