"""Killing processes at awkward moments while things are on their way."""

from collections.abc import Callable
from dataclasses import dataclass

from journey_world import Resident, World
from journeys_of_pages import PAGES
from journeys_of_permits import made_up_permit
from journeys_of_sensors import made_up_uplink, post_uplink
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import ContentItemV1, MatchV2, SensorReadingV1, SubscriberProfileV1
from kommunepuls_events.base import Message

NEWS, POSTS, PERMITS = "NO-1130/nyheter", "NO-1130/klubb-recorded", "NO-1130/innsyn-recorded"
SOURCES = (NEWS, POSTS, PERMITS)
LONGEST_WAIT = 10.0

Moment = Callable[[Message], bool]


def _item_of(*words: str) -> Moment:
    return lambda one: isinstance(one, ContentItemV1) and any(word in one.source for word in words)


def _any(contract: type[Message]) -> Moment:
    return lambda one: isinstance(one, contract)


MOMENTS: dict[str, Moment] = {
    "personaliser": _any(ContentItemV1),
    "notifier": _any(MatchV2),
    "broker": _any(MatchV2),
    "ingest-feeds": _item_of("nyheter", "varsel", "kalender"),
    "ingest-facebook": _item_of("klubb"),
    "ingest-permits": _item_of("innsyn"),
    "sensor-gateway": _any(SensorReadingV1),
    "gateway-api": _any(SubscriberProfileV1),
}
"""What was published a moment before each process is killed: what it works on just then, or has just said."""


async def kill_each_in_turn(world: World) -> dict[str, bool]:
    """``kill -9`` each process of the stack at its moment and start it again; whether the moment came for each."""
    processes = dict(world.stack.services)
    if world.stack.broker:
        processes["broker"] = world.stack.broker
    killed = {}
    for name, process in processes.items():
        killed[name] = await _comes(world, MOMENTS[name.removesuffix("-2")])
        await process.kill()
        await process.start()
        await process.wait_ready(within=90)
    return killed


async def _comes(world: World, moment: Moment) -> bool:
    """Wait until one more of these is published; not for ever, for a quiet topic has awkward moments too."""
    seen = len(world.topics.events)

    def came() -> bool:
        return any(moment(event.data) for event in world.topics.events[seen:])

    try:
        return await eventually(came, within=LONGEST_WAIT, every=0.005)
    except AssertionError:
        return False


@dataclass
class Flood:
    """Items that keep coming at three upstreams in turn, and readings and residents between them.

    Attributes:
        reader: one of those whom the items concern; no more comes than they are told of.
        least: how many items come at least.
        number: how many have come.
    """

    world: World
    reader: Resident
    least: int
    number: int = 0

    async def pour(self, goes_on: Callable[[], bool]) -> None:
        """Let items come one by one while something else goes on."""
        while goes_on() or self.number < self.least:
            source = SOURCES[self.number % len(SOURCES)]
            self._show(source, self.number // len(SOURCES) + 1)
            await post_uplink(self.world, "NO-1130/bad-recorded", made_up_uplink()(12.0, self.number))
            await self.world.apart().resident(f"newcomer-{self.number}")
            self.number += 1
            await self.world.eventually(self._keeps_up, "the flood to drain")

    def _keeps_up(self) -> bool:
        """Whether no more than three items are on their way, so that a slow machine is not overrun."""
        return len(self.world.receivers.mails_to(self.reader.address)) >= self.number - 3

    def items(self) -> list[ContentItemV1] | None:
        """All that was put in, once each, when all of it is published."""
        found = [item for source in SOURCES for item in self._items(source).values()]
        return found if len(found) == self.number else None

    def _items(self, source: str) -> dict[str, ContentItemV1]:
        return {item.id: item for item in self.world.topics.items(source)}

    def _show(self, source: str, count: int) -> None:
        """Let an upstream show so many items, the newest first."""
        upstream, numbers = self.world.upstream, range(count, 0, -1)
        if source == NEWS:
            upstream.feeds["nyheter.xml"] = _news_feed([f"Nytt nummer {number}" for number in numbers])
        elif source == POSTS:
            upstream.pages[PAGES["recorded"]] = [self._post(number) for number in numbers]
        else:
            upstream.archives["recorded"] = [self._application(number) for number in numbers]

    def _post(self, number: int) -> dict:
        page = PAGES["recorded"]
        return {
            "id": f"{page}_{number}",
            "message": f"Kamp nummer {number} er flyttet til lørdag.",
            "created_time": f"{self.world.began:%Y-%m-%dT%H:%M:%S+0000}",
            "permalink_url": f"https://www.facebook.com/{page}/posts/{number}",
            "is_published": True,
        }

    def _application(self, number: int) -> dict:
        item = made_up_permit().application
        return item | {
            "identifier": f"d-flom-{number}!y",
            "parentIdentifier": f"a-flom-{number}!x",
            "title": f"70/12 Søknad om tillatelse til tiltak - bod {number} - Prøveveien 5",
            "properties": item["properties"] | {"dokumentID": f"2026/{1000 + number}"},
        }


def _news_feed(titles: list[str]) -> bytes:
    items = "".join(
        f'<item><title>{title}</title><guid isPermaLink="false">{title.replace(" ", "-")}</guid>'
        f"<description>{title}, for hele Tau.</description></item>"
        for title in titles
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Nytt</title>'
        f"<link>http://127.0.0.1/</link><description>Nytt</description>{items}</channel></rss>"
    ).encode()
