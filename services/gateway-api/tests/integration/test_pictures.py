"""An item's picture is fetched by us, kept for a time, and shown from our own address alone."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from gateway_api.adapters import picture_source
from gateway_api.adapters.picture_source import open_web_pictures
from kommunepuls_chassis import public_addresses
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.http import serve_http
from kommunepuls_events import Lifecycle, LifecycleState, Picture
from kommunepuls_events.base import utc_now
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

pytestmark = pytest.mark.integration


def photo() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((900, 600)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


class Site:
    """A site with pictures, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Response] = {
            "photo.jpg": Response(photo(), media_type="image/jpeg"),
            "gone.jpg": Response(status_code=404),
            "busy.jpg": Response(status_code=503),
            "hostile.jpg": Response(b"<script>alert(1)</script>", media_type="image/jpeg"),
            "endless.jpg": Response(b"\xff" * 40_000, media_type="image/jpeg"),
        }

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if name.startswith("to-"):
            return RedirectResponse(f"http://{name[3:]}/photo.jpg")
        return self.answers[name]

    @asynccontextmanager
    async def served(self, host: str = "127.0.0.1") -> AsyncIterator[str]:
        """At an address while inside."""
        app = Starlette(routes=[Route("/{name:path}", self._answer)])
        async with serve_http(app, host, 0) as port:
            self.port = port
            yield f"http://{host}:{port}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """The site, and a gateway that may ask this machine."""
    site = Site()
    async with site.served() as site.address:
        yield site


@pytest.fixture
def settings(settings):
    """The gateway of a test, which may fetch from this machine."""
    return settings.model_copy(update={"pictures_allow_private": True})


async def fetched(town) -> None:
    while await town.running.pictures.fetch_due():
        pass


def with_pictures(make_item, site: Site, *names: str, **fields):
    pictures = tuple(Picture(url=f"{site.address}/{name}", alternative_text="Ei bru") for name in names)
    return make_item(pictures=pictures, **fields)


async def test_a_picture_is_fetched_once_and_served_from_here(town, site: Site, make_item) -> None:
    item = with_pictures(make_item, site, "photo.jpg")
    read_model = town.running.read_model
    await read_model.take_items([item])
    await read_model.take_items([item.model_copy(update={"revision": 2})])
    await fetched(town)
    assert site.asked == ["photo.jpg"]
    [picture] = (await town.running.gateway.pictures.shown([item]))[item.id]
    assert (picture.width, picture.height, picture.alternative_text) == (900, 600, "Ei bru")
    answer = await town.client.get(picture.small)
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert Image.open(io.BytesIO(answer.content)).size == (480, 320)
    page = (await town.client.get("/items/NO-9901%2Ffacebook%2F1")).text
    assert picture.large in page
    assert site.address not in page.replace("https://", "http://").partition("<main")[2]


@pytest.mark.parametrize(
    ("name", "cause", "given_up"),
    [("gone.jpg", "http-error", True), ("hostile.jpg", "unusable", True), ("busy.jpg", "http-error", False)],
)
async def test_a_failing_picture_is_not_shown_and_asked_for_again_only_if_it_may_come(
    town, site: Site, make_item, name: str, cause: str, given_up: bool
) -> None:
    item = with_pictures(make_item, site, name, "photo.jpg")
    await town.running.read_model.take_items([item])
    await fetched(town)
    assert len((await town.running.gateway.pictures.shown([item]))[item.id]) == 1
    stored = await town.running.gateway.collections.pictures.find({})
    failed = next(one.document for one in stored if one.document["url"].endswith(name))
    assert failed["cause"] == cause
    assert (failed["due_at"] is None) == given_up
    page = (await town.client.get("/items/NO-9901%2Ffacebook%2F1")).text
    assert page.count("<img") == 1


async def test_a_withdrawn_items_picture_is_deleted_unless_another_item_shows_it(
    town, site: Site, make_item
) -> None:
    read_model, pictures = town.running.read_model, town.running.gateway.pictures
    first = with_pictures(make_item, site, "photo.jpg")
    second = with_pictures(make_item, site, "photo.jpg", native="2")
    await read_model.take_items([first, second])
    await fetched(town)
    [picture] = (await pictures.shown([first]))[first.id]
    taken_back = {"revision": 2, "lifecycle": Lifecycle(state=LifecycleState.WITHDRAWN)}
    await read_model.take_items([first.model_copy(update=taken_back)])
    assert await pictures.file(picture.id, 480)
    await read_model.take_items([second.model_copy(update=taken_back)])
    assert await pictures.file(picture.id, 480) is None
    assert (await town.client.get(picture.small)).status_code == 404


async def test_a_picture_is_kept_for_its_days(town, site: Site, make_item) -> None:
    await town.running.read_model.take_items([with_pictures(make_item, site, "photo.jpg")])
    await fetched(town)
    pictures, collections = town.running.gateway.pictures, town.running.gateway.collections
    await pictures.clean()
    assert await collections.pictures.count({}) == 1
    pictures._now = lambda: utc_now() + timedelta(days=91)
    await pictures.clean()
    assert await collections.pictures.count({}) == 0
    assert await collections.picture_files.count({}) == 0


async def test_an_uploaded_picture_is_shown_on_the_item_that_names_it_and_never_fetched(
    town, site: Site, make_item
) -> None:
    pictures = town.running.gateway.pictures
    kept = await pictures.keep(photo())
    assert (await pictures.keep(photo())).id == kept.id
    item = make_item(pictures=(Picture(url=f"http://gateway.example{kept.large}"),))
    await town.running.read_model.take_items([item])
    await fetched(town)
    assert [one.id for one in (await pictures.shown([item]))[item.id]] == [kept.id]
    assert (await town.client.get(kept.large)).status_code == 200


async def test_a_picture_that_is_wanted_no_more_while_it_is_fetched_leaves_nothing(
    town, site: Site, make_item
) -> None:
    item = with_pictures(make_item, site, "photo.jpg")
    await town.running.read_model.take_items([item])
    pictures, collections = town.running.gateway.pictures, town.running.gateway.collections
    [stored] = await collections.pictures.find({})
    drawn = await pictures.drawn(photo())
    await pictures.forget(stored.key)
    await pictures.put(stored.key, drawn, only_wanted=True)
    assert await collections.picture_files.count({}) == 0


async def test_no_redirect_leads_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for an address of the open Internet, and is the only one."""
    real = public_addresses.public_socket

    def only_the_site(address: tuple):
        return real((*address[:4], ("1.1.1.1", 80)) if address[4][0] == "127.0.0.1" else address)

    monkeypatch.setattr(picture_source, "public_socket", only_the_site)
    inner = Site()
    async with (
        inner.served("127.0.0.2"),
        open_web_pictures(allow_private=False, timeout_seconds=5, most_bytes=20_000) as source,
    ):
        assert await source.fetch(f"{site.address}/photo.jpg") == photo()
        assert await source.fetch(f"{site.address}/to-127.0.0.1:{site.port}") == photo()
        with pytest.raises(PermanentError) as refused:
            await source.fetch(f"{site.address}/to-127.0.0.2:{inner.port}")
        assert refused.value.reason == "private-address"
        assert inner.asked == []
        with pytest.raises(PermanentError) as refused:
            await source.fetch(f"{site.address}/endless.jpg")
        assert refused.value.reason == "too-large"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"])
async def test_no_picture_is_asked_for_inside_our_networks(host: str) -> None:
    async with open_web_pictures(allow_private=False, timeout_seconds=3, most_bytes=20_000) as source:
        with pytest.raises(PermanentError) as refused:
            await source.fetch(f"http://{host}/photo.jpg")
    assert refused.value.reason == "private-address"
