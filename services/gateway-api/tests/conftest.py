"""A small made-up town, and the gateway over a real store."""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_api.app import Running, compose
from gateway_api.settings import Settings
from kommunepuls_chassis.sealing import new_key_pair, unseal
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import TownFile
from kommunepuls_events import (
    ContactCommandV1,
    ContentItemV1,
    Kind,
    MatchV2,
    Organiser,
    Reason,
    ReasonType,
    RecipientGroup,
    SensorReadingV1,
    item_id,
)
from kommunepuls_events.base import utc_now

sys.path.insert(0, str(Path(__file__).parent / "making"))

TOWN = "NO-9901"
OPERATOR = {"Authorization": "Bearer operator-token-0001"}

_AREAS = {
    "nordmarka": ("Nordmarka", [(10.00, 59.10), (10.10, 59.10), (10.10, 59.16), (10.00, 59.16)]),
    "havna": ("Havna", [(10.00, 59.04), (10.10, 59.04), (10.10, 59.10), (10.00, 59.10)]),
    "solasen": ("Solåsen", [(10.10, 59.04), (10.22, 59.04), (10.22, 59.16), (10.10, 59.16)]),
}

_TOWN_FILE = """
code: NO-9901
name: Fjordvik
language: nb
areas:
  - file: areas.geojson
gazetteer:
  - file: places.csv
interests:
  ferry: {nb: Fergen, en: The ferry}
sources:
  - {id: facebook, type: facebook-page, organiser: {id: NO-9901/fotball, name: Fjordvik fotball}}
"""


def write_town(folder: Path) -> Path:
    """The town's files in a folder; returns the town file."""
    whole = [(10.00, 59.04), (10.22, 59.04), (10.22, 59.16), (10.00, 59.16)]
    features = [_feature(TOWN, "Fjordvik", None, "municipality", whole)] + [
        _feature(f"{TOWN}/{slug}", name, TOWN, "neighbourhood", ring) for slug, (name, ring) in _AREAS.items()
    ]
    document = {"type": "FeatureCollection", "features": features}
    (folder / "areas.geojson").write_text(json.dumps(document), encoding="utf-8")
    (folder / "places.csv").write_text("name,kind,lon,lat\nStorbrygga,place,10.05,59.07\n", encoding="utf-8")
    path = folder / "fjordvik.yaml"
    path.write_text(_TOWN_FILE, encoding="utf-8")
    return path


def _feature(area: str, name: str, parent: str | None, kind: str, ring: list) -> dict:
    return {
        "type": "Feature",
        "properties": {"id": area, "name": name, "parent": parent, "kind": kind},
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }


@pytest.fixture(scope="session")
def contact_keys() -> tuple[str, str]:
    """The notifier's private key and the public one."""
    return new_key_pair()


@pytest.fixture
def settings(tmp_path: Path, contact_keys: tuple[str, str]) -> Settings:
    """Settings of a test."""
    return Settings(
        public_url="http://gateway.example",
        link_key="a-link-key-of-the-tests",
        pepper="a-pepper-of-the-tests",
        contact_public_key=contact_keys[1],
        vapid_public_key="BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
        operator_tokens="kari:operator-token-0001",
        data_dir=tmp_path / "data",
        town_files=str(write_town(tmp_path)),
        mails_per_address=3,
    )


class _Form(HTMLParser):
    """What a browser without JavaScript would send."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._select: str | None = None
        self._chosen: str | None = None

    def handle_starttag(self, tag: str, attributes: list) -> None:
        held = dict(attributes)
        name = held.get("name")
        if tag == "select":
            self._select, self._chosen = name, None
        elif tag == "option" and self._select and (self._chosen is None or "selected" in held):
            self._chosen = held["value"]
        elif tag == "input" and name and (held.get("type") not in ("checkbox", "radio") or "checked" in held):
            self.fields.setdefault(name, []).append(held.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            self.fields[self._select] = [self._chosen or ""]
            self._select = None


class Town:
    """The gateway of a test, with a client like a browser's."""

    def __init__(
        self, running: Running, client: httpx.AsyncClient, producer: RecordingProducer, key: str
    ) -> None:
        self.running = running
        self.client = client
        self.producer = producer
        self._key = key

    async def published(self) -> list:
        """Everything published, after emptying the outbox."""
        while await self.running.outbox.publish_due():
            pass
        return self.producer.messages

    async def opened(self, action: str) -> list[dict[str, Any]]:
        """The contents of the contact commands of an action, as the notifier reads them."""
        return [
            unseal(message.sealed, self._key, subscriber=message.subscriber)
            for message in await self.published()
            if isinstance(message, ContactCommandV1) and message.action == action and message.sealed
        ]

    @staticmethod
    def form_in(text: str, form: str) -> dict[str, list[str]]:
        """The fields of the form with that id, as a browser without JavaScript would send them."""
        reader = _Form()
        reader.feed(text.partition(f'id="{form}"')[2].partition("</form>")[0])
        return reader.fields

    async def link(self, address: str = "kari@example.no") -> str:
        """Ask for a link and read it as the notifier would; its token."""
        answer = await self.client.post("/api/v1/sign-in-links", json={"address": address})
        assert answer.status_code == 202, answer.text
        return (await self.opened("send-link"))[-1]["link"].rpartition("/")[2]

    async def sign_in(self, address: str = "kari@example.no") -> str:
        """Sign in; returns the subscriber id, and sets the CSRF header of the client."""
        answer = await self.client.post("/api/v1/sessions", json={"token": await self.link(address)})
        assert answer.status_code == 201, answer.text
        self.client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return answer.json()["subscriber"]


@asynccontextmanager
async def opened_town(settings: Settings, keys: tuple[str, str], **overrides: Any) -> AsyncIterator[Town]:
    """The gateway serving, without its consumers."""
    producer = RecordingProducer()
    async with (
        compose(
            settings,
            producer=producer,
            towns=[TownFile(path) for path in settings.town_paths()],
            **overrides,
        ) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client,
    ):
        yield Town(running, client, producer, keys[0])


@pytest.fixture
async def town(settings: Settings, contact_keys: tuple[str, str]) -> AsyncIterator[Town]:
    """The gateway of a test."""
    async with opened_town(settings, contact_keys) as opened:
        yield opened


@pytest.fixture
def make_item() -> Callable[..., ContentItemV1]:
    """Makes items of the town."""
    return an_item


def an_item(native: str = "1", **fields: Any) -> ContentItemV1:
    """An item of the town, published now."""
    source = fields.pop("source", f"{TOWN}/facebook")
    defaults: dict[str, Any] = {
        "revision": 1,
        "kind": Kind.NOTICE,
        "title": "Vannet er stengt i Havna",
        "areas": (f"{TOWN}/havna",),
        "interests": ("water-and-sewage",),
        "organiser": Organiser(id=f"{TOWN}/fotball", name="Fjordvik fotball"),
        "published_at": utc_now() - timedelta(minutes=5),
        "observed_at": utc_now() - timedelta(minutes=4),
    }
    return ContentItemV1(
        id=item_id(source, native), municipality=TOWN, source=source, native_id=native, **(defaults | fields)
    )


@pytest.fixture
def make_match() -> Callable[..., MatchV2]:
    """Makes matches."""

    def a_match(item: ContentItemV1, *subscribers: str, reasons: tuple[Reason, ...] = ()) -> MatchV2:
        given = reasons or (Reason(type=ReasonType.AREA, area=f"{TOWN}/havna"),)
        return MatchV2(
            id=f"{item.id}#{item.revision}#0#0",
            item=item,
            shard=0,
            chunk=0,
            reasons=given,
            groups=(RecipientGroup(because=range(len(given)), subscribers=subscribers),),
            matched_at=utc_now(),
        )

    return a_match


@pytest.fixture
def make_reading() -> Callable[..., SensorReadingV1]:
    """Makes bathing temperatures."""

    def a_reading(value: float | None, at: datetime | None = None, **fields: Any) -> SensorReadingV1:
        at = at or datetime(2026, 7, 1, 12, tzinfo=UTC)
        given = {
            "sensor": f"{TOWN}/bad/storoya",
            "municipality": TOWN,
            "source": f"{TOWN}/bad",
            "name": "Storøya",
            "observed_property": "water-temperature",
            "value": value,
            "unit": "Cel",
            "observed_at": at,
            "received_at": at,
        }
        return SensorReadingV1(**(given | fields))

    return a_reading
