"""Journeys that begin on a Facebook page."""

import hashlib
import hmac
import json

from journey_recorded import hours_from_now, recorded_json
from journey_world import ENVIRONMENT, World

PAGES = {"recorded": "1130000000001", "made-up": "1130000000002"}


def recorded_posts() -> list[dict]:
    """The newest 25 posts of a real page; the newest is an hour old, the others as old as they were."""
    posts = recorded_json("facebook/graph_page_posts_poll_2026-04-08T0204Z.json")
    return [posts[0] | {"created_time": _graph_time(-1)}, *posts[1:]]


def made_up_posts() -> list[dict]:
    """A club that needs a coach, and an older post."""
    return [
        {
            "id": f"{PAGES['made-up']}_{number}",
            "message": message,
            "created_time": _graph_time(hours),
            "permalink_url": f"https://www.facebook.com/{PAGES['made-up']}/posts/{number}",
            "is_published": True,
            "is_hidden": False,
            "is_expired": False,
        }
        for number, hours, message in (
            (2, -1, "Vi trenger trener til G12!\n\nMeld deg på klubbhuset tirsdag klokka 18."),
            (1, -24 * 90, "Takk for en fin sesong."),
        )
    ]


def _graph_time(hours: float) -> str:
    return f"{hours_from_now(hours):%Y-%m-%dT%H:%M:%S+0000}"


async def tell_by_webhook(world: World, page: str, post: dict, verb: str) -> None:
    """What Facebook posts when something about a post changed: the body signed with the app's secret."""
    value = {"item": "post", "verb": verb, "post_id": post["id"], "created_time": 0, "from": {"id": page}}
    change = {"field": "feed", "value": value}
    body = json.dumps({"object": "page", "entry": [{"id": page, "time": 0, "changes": [change]}]}).encode()
    secret = ENVIRONMENT["KP_FACEBOOK_APP_SECRET"].encode()
    answer = await world.ask(
        "POST",
        f"{world.stack.ports.url('ingest-facebook')}/webhooks/facebook",
        content=body,
        headers={"X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"},
    )
    assert answer.status_code == 200, answer.text


async def a_clubs_post(world: World, variant: str, posts: list[dict]) -> None:
    """A post reaches who follows the club, or football in its area; its edit and its deletion do too."""
    page, source, club = PAGES[variant], f"NO-1130/klubb-{variant}", f"NO-1130/klubb-{variant}"
    member = await world.resident("member", language="nn", organisers=[club])
    neighbour = await world.resident("neighbour", areas=["NO-1130/jorpeland"], interests=["football"])
    reader = await world.resident("reader", areas=["NO-1130/jorpeland"], interests=["library"])
    fan = await world.resident("fan", areas=["NO-1130/tau"], interests=["football"])
    tired = await world.resident(
        "tired", areas=["NO-1130/jorpeland"], interests=["football"], muted={"organisers": [club]}
    )
    everybody = (member, neighbour, reader, fan, tired)

    world.upstream.pages[page] = posts
    newest, old = posts[0], posts[1]
    item = await world.published(source, lambda one: one.native_id == newest["id"])
    await world.told(member, item, because=("du følgjer Strand fotballklubb",))
    await world.told(neighbour, item, because=("du følger området Jørpeland", "du følger temaet Fotball"))
    await world.nobody_but({member: 1, neighbour: 1}, item, everybody)
    assert world.topics.reasons(item.id, 1, member.subscriber) == ["organiser"]
    world.shows_one_trace(item)
    before = await world.published(source, lambda one: one.native_id == old["id"])
    assert not before.announced, "what is old when it is first seen is told to nobody"
    await world.nobody_but({}, before, everybody)

    edited = newest | {"message": f"Ny tid: onsdag klokka 19.\n\n{newest['message']}"}
    world.upstream.pages[page] = [edited, *posts[1:]]
    await tell_by_webhook(world, page, edited, "edited")
    changed = await world.published(source, lambda one: one.id == item.id and one.revision == 2)
    mail, push = await world.told(member, changed, times=2, because=("vi har fortalt deg om dette før",))
    assert mail.subject.startswith("Retta: Ny tid")
    assert push.title == mail.subject
    await world.told(neighbour, changed, times=2, because=("du følger området Jørpeland",))
    await world.nobody_but({member: 2, neighbour: 2}, changed, everybody)

    world.upstream.pages[page] = posts[1:]
    await tell_by_webhook(world, page, edited, "remove")
    gone = await world.published(source, lambda one: one.id == item.id and one.withdrawn)
    mail, _ = await world.told(member, gone, times=3, because=("vi har fortalt deg om dette før",))
    assert mail.subject.startswith("Trekt tilbake")
    await world.nobody_but({member: 3, neighbour: 3}, gone, everybody)
    world.shows_one_trace(gone)
