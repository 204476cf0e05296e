"""The journeys' own eyes: what a receiver shows once and what twice."""

import httpx
from journey_receivers import Receivers


def mail(id: str, recipient: str = "a@eksempel.example") -> dict:
    text = "Les mer: http://puls/items/NO-1130%2Fnyheter%2F1\r\n"
    return {
        "recipient": recipient,
        "headers": {"Message-ID": id},
        "subject": "Nytt",
        "text": text,
        "html": "",
    }


def push(revision: int) -> dict:
    payload = {
        "item": "i",
        "tag": "i",
        "revision": revision,
        "title": "",
        "body": "",
        "reasons": [],
        "language": "nb",
    }
    return {"subscription": "s", "headers": {}, "payload": payload}


async def seen(mails: list[dict], pushes: list[dict]) -> Receivers:
    def answer(request: httpx.Request) -> httpx.Response:
        kept = mails if request.url.path == "/api/mails" else pushes
        return httpx.Response(200, json=kept[int(request.url.params["after"]) :])

    receivers = Receivers("http://outbox")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await receivers.look(client)
        await receivers.look(client)
    return receivers


async def test_a_mail_that_came_twice_is_shown_once_and_counted() -> None:
    receivers = await seen([mail("<1@x>"), mail("<1@x>"), mail("<1@x>", "b@eksempel.example")], [])
    assert len(receivers.mails_to("a@eksempel.example")) == 1
    assert receivers.repeats.total() == 1


async def test_another_mail_about_the_same_item_is_a_second_one() -> None:
    receivers = await seen([mail("<1@x>"), mail("<2@x>")], [])
    about = [one for one in receivers.mails_to("a@eksempel.example") if one.is_about("NO-1130/nyheter/1")]
    assert len(about) == 2
    assert not [one for one in about if one.is_about("NO-1130/nyheter")]
    assert not receivers.repeats


async def test_a_push_message_that_came_twice_is_shown_once_and_a_new_revision_again() -> None:
    receivers = await seen([], [push(1), push(1), push(2)])
    assert [one.revision for one in receivers.pushes_to("s")] == [1, 2]
    assert receivers.repeats.total() == 1
