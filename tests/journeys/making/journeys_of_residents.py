"""Journeys that begin with a resident: signing up by a mailed link, and unsubscribing by one click."""

import re
import secrets

import httpx
from journey_world import World
from kommunepuls_events import Channel


async def an_unsubscription(world: World) -> None:
    """The mail's own header stops mails; the page that answers offers to undo it."""
    resident = await world.resident("leaving", areas=["NO-1130/tau"])
    await world.mark((resident,), behind="first")
    mail = world.receivers.mails_to(resident.address)[-1]
    assert mail.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    link = mail.headers["list-unsubscribe"].strip("<>")
    assert link.startswith(f"{world.gateway}/unsubscribe/")

    looked = await world.ask("GET", link)
    assert looked.status_code == 200
    await world.mark((resident,), behind="second")  # opening the page stops nothing

    stopped = await world.ask("POST", link, data={"List-Unsubscribe": "One-Click"})
    assert stopped.status_code == 200
    undo = re.search(r'action="(/unsubscribe/[^"]+/undo)"', stopped.text)
    assert undo, "the page offers to undo it"
    await world.eventually(
        lambda: world.topics.has_profile(resident.subscriber, lambda one: one.channels == (Channel.PUSH,)),
        "the profile without e-mail",
    )
    silent = await world.marker(behind="third")
    await world.eventually(lambda: world.pushes(resident, silent.id), "the push, which goes on")

    resumed = await world.ask("POST", f"{world.gateway}{undo[1]}", headers={"Origin": world.gateway})
    assert resumed.status_code == 200
    await world.eventually(
        lambda: world.topics.has_profile(
            resident.subscriber, lambda one: one.revision == 3 and Channel.EMAIL in one.channels
        ),
        "the profile with e-mail again",
    )
    await world.mark((resident,), behind=silent.id)
    assert not world.mails(resident, silent.id), "no mail came while mails were stopped"


async def a_sign_up(world: World) -> None:
    """Nobody is told anything before they followed the link in their own mail; then what they choose."""
    address = f"ny-{secrets.token_hex(4)}@eksempel.example"
    asked = await world.ask(
        "POST",
        f"{world.gateway}/api/v1/sign-in-links",
        json={"address": address, "municipality": "NO-1130", "language": "nn"},
    )
    assert asked.status_code == 202, asked.text
    [mail] = await world.eventually(lambda: world.receivers.mails_to(address), "the mail with the link")
    assert mail.subject == "Lenkja di for å logge inn"
    assert "list-unsubscribe" not in mail.headers
    link = re.search(rf"{re.escape(world.gateway)}/sign-in/(\S+)", mail.text)
    async with httpx.AsyncClient(base_url=world.gateway, headers={"Origin": world.gateway}) as browser:
        assert (await browser.get(f"/sign-in/{link[1]}")).status_code == 200
        signed_in = await browser.post("/api/v1/sessions", json={"token": link[1]})
        assert signed_in.status_code == 201, signed_in.text
        session = signed_in.json()
        assert session["new"]
        browser.headers["X-CSRF-Token"] = session["csrf_token"]
        again = await browser.post("/api/v1/sessions", json={"token": link[1]})
        assert again.status_code >= 400, "a link works once"
        choices = {"language": "nn", "organisers": [world.circle]}
        assert (await browser.put("/api/v1/profile", json=choices)).status_code == 200
        subscription = (await world.ask("POST", f"{world.outbox}/api/subscriptions")).json()
        registered = await browser.post(
            "/api/v1/push-subscriptions",
            json={"endpoint": world.outbox + subscription["path"], "keys": subscription["keys"]},
        )
        assert registered.status_code == 201, registered.text
        await world.eventually(
            lambda: world.topics.has_profile(
                session["subscriber"], lambda one: world.circle in one.organisers
            ),
            "the profile",
        )
        marker = await world.marker(behind="sign-up")
        reached = await world.eventually(
            lambda: [one for one in world.receivers.mails_to(address) if one.is_about(marker.id)],
            "the first mail",
        )
        assert "- du følgjer Prøven\n" in reached[0].text
        [push] = await world.eventually(
            lambda: world.receivers.pushes_to(subscription["name"]), "the first push"
        )
        assert push.item == marker.id

        async def fed() -> list[dict]:
            entries = (await browser.get("/api/v1/feed")).json()["entries"]
            return [one for one in entries if one["item"]["id"] == marker.id]

        [entry] = await world.eventually(fed, "the item in the feed")
        assert [reason["reason"]["type"] for reason in entry["reasons"]] == ["organiser"]
