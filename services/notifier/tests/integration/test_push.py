"""Web push to a service on a real socket that really decrypts."""

import asyncio
import time
from dataclasses import replace

import pytest
from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.gates import Gates
from notifier.adapters.push import PushCarrier
from notifier.adapters.push_wire import Answer, open_wire
from notifier.adapters.vapid import VapidSigner, new_private_key
from notifier.domain.composing import Reader, compose_item, compose_story
from notifier.domain.contacts import push_subscription
from notifier.domain.labels import Labels
from notifier.domain.messages import Message
from notifier.domain.sendings import about
from notifier.records.vault import Endpoint
from notifier.service.clock import Clock
from notifier.testing import ALERT, AREA, NOON, item, profile
from starlette.responses import Response

pytestmark = pytest.mark.integration
CATALOGUE = PoCatalogue()


def message(**fields: object) -> Message:
    given = item(**fields)
    reader = Reader(profile(), CATALOGUE.words("nb"), Labels(), "https://puls.example", "https://x.example")
    sending = about(given, "s-1", Channel.PUSH, (AREA,), NOON, None)
    return compose_item(sending, given, compose_story(given, (AREA,), False, reader), reader, NOON)


def endpoint(browser, service) -> Endpoint:
    return Endpoint("p-1", "s-1", Channel.PUSH, push_subscription(browser.subscription(service.url)))


@pytest.fixture
async def carrying():
    async with open_wire(allow_private=True, timeout_seconds=1.0) as wire:
        signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
        yield PushCarrier(wire, signer, CATALOGUE, Gates(2), Clock(), allow_private=True)


async def test_a_browser_reads_what_was_sent_and_the_headers_say_how_urgent(
    carrying, push_service, make_browser
) -> None:
    browser = make_browser("one")
    await carrying.carry(message(**ALERT), endpoint(browser, push_service), first=True)
    [(_, headers, body)] = push_service.requests
    assert browser.read(body)["title"] == "Flom i Storelva"
    assert (headers["urgency"], headers["content-encoding"]) == ("high", "aes128gcm")
    assert int(headers["ttl"]) >= 3600
    assert len(headers["topic"]) <= 32
    assert headers["authorization"].startswith("vapid t=")


async def test_a_later_revision_takes_the_place_of_an_earlier_one(
    carrying, push_service, make_browser
) -> None:
    one = endpoint(make_browser("one"), push_service)
    await carrying.carry(message(), one, first=False)
    await carrying.carry(message(revision=2), one, first=False)
    await carrying.carry(message(native="2"), one, first=False)
    topics = [headers["topic"] for _, headers, _ in push_service.requests]
    assert topics[0] == topics[1] != topics[2]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (Response(status_code=404), PermanentError, "endpoint-gone"),
        (Response(status_code=410), PermanentError, "endpoint-gone"),
        (Response(status_code=403), PermanentError, "vapid-refused"),
        (Response(status_code=400), PermanentError, "http-400"),
        (Response(status_code=307, headers={"location": "http://127.0.0.1/"}), PermanentError, "http-307"),
        (Response(status_code=429, headers={"retry-after": "40"}), ThrottledError, "throttled"),
        (Response(status_code=502), TransientError, "http-502"),
    ],
)
async def test_an_answer_becomes_an_error_of_ours(
    carrying, push_service, make_browser, answer: Response, error: type[Exception], reason: str
) -> None:
    push_service.answers["one"] = lambda _: answer
    with pytest.raises(error) as raised:
        await carrying.carry(message(), endpoint(make_browser("one"), push_service), first=False)
    assert raised.value.reason == reason
    assert push_service.url not in str(raised.value)
    assert len(push_service.requests) == 1, "a redirect is not followed"
    if reason == "throttled":
        assert raised.value.delay_seconds == 40


async def test_what_is_too_large_is_sent_again_shortened(carrying, push_service, make_browser) -> None:
    browser = make_browser("one")
    push_service.answers["one"] = lambda body: Response(status_code=413 if len(body) > 2000 else 201)
    long = message(title="t" * 290, summary="ø" * 600)
    await carrying.carry(replace(long, title="ø" * 900), endpoint(browser, push_service), first=False)
    assert [len(body) > 2000 for body in push_service.bodies("one")] == [True, False]
    assert browser.read(push_service.bodies("one")[-1])["url"] == long.stories[0].url


async def test_a_kept_connection_that_the_push_service_closes_costs_no_message(
    carrying, make_browser
) -> None:
    answered = []

    async def closes_the_second_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in (1, 2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            if number == 2:
                break
            answered.append(writer)
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(closes_the_second_time, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    to = Endpoint("p-1", "s-1", Channel.PUSH, push_subscription(make_browser("one").subscription(url)))
    await carrying.carry(message(), to, first=False)
    await carrying.carry(message(), to, first=False)
    assert len(set(answered)) == 2
    server.close()


async def test_a_slow_push_service_holds_no_other_up(
    carrying, push_service, other_push_service, make_browser
) -> None:
    push_service.seconds["slow"] = 30.0
    slow = endpoint(make_browser("slow"), push_service)
    stuck = [asyncio.create_task(carrying.carry(message(), slow, first=False)) for _ in range(10)]
    await asyncio.sleep(0)
    began = time.monotonic()
    await carrying.carry(message(), endpoint(make_browser("two"), other_push_service), first=False)
    assert time.monotonic() - began < 0.9
    failures = await asyncio.gather(*stuck, return_exceptions=True)
    assert {type(failure).__name__ for failure in failures} == {"Overloaded", "TransientError"}


async def test_no_request_is_made_inside_our_networks(push_service, make_browser) -> None:
    signer = VapidSigner(new_private_key(), "mailto:drift@fjordvik.example")
    async with open_wire(allow_private=False, timeout_seconds=1.0) as wire:
        guarded = PushCarrier(wire, signer, CATALOGUE, Gates(2), Clock(), allow_private=False)
        for base in (push_service.url, push_service.url.replace("http:", "https:")):
            browser = make_browser("one")
            inside = Endpoint("p", "s", Channel.PUSH, push_subscription(browser.subscription(base)))
            with pytest.raises(PermanentError) as raised:
                await guarded.carry(message(), inside, first=False)
            assert raised.value.reason in ("insecure-endpoint", "private-address")
    assert push_service.requests == []


@pytest.mark.parametrize("seconds", [0.0, 30.0])
async def test_of_many_under_way_each_hears_once_whether_it_is_answered_or_not(
    push_service, make_browser, seconds: float
) -> None:
    push_service.seconds["one"] = seconds
    url, heard = make_browser("one").subscription(push_service.url)["endpoint"], []
    async with open_wire(allow_private=True, timeout_seconds=2.0) as wire:
        for number in range(300):
            wire.ask(url, ["TTL: 60"], b"x", lambda said, number=number: heard.append((number, said)))
        await eventually(lambda: len(heard) >= 300, within=20)
    assert sorted(number for number, _ in heard) == list(range(300))
    answers = {said.status if isinstance(said, Answer) else said.reason for _, said in heard}
    assert answers == ({201} if not seconds else {"timeout"})
