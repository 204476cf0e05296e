"""A small Graph API of our own over real HTTP, a town file, and the service around them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingest_facebook.app import IngestFacebook, compose
from ingest_facebook.service.source import PageSource
from ingest_facebook.settings import Settings
from kommunepuls_chassis.http import serve_http
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_chassis.topics import ensure_topics
from kommunepuls_devbroker.testing import embedded_broker
from kommunepuls_events import ContentItemV1
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "EAAfixturetoken0123456789abcdef"
SECRET, VERIFY = "app-secret-of-the-fixture", "verify-word"
PAGE = "100"


@dataclass
class FakeGraph:
    """Posts and events of page 100; anything can be answered in place of the truth."""

    posts: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)
    instead: Callable[[Request], Response | None] = lambda request: None
    usage: dict = field(default_factory=lambda: {"call_count": 1})
    asked: list[Request] = field(default_factory=list)
    port: int = 0
    token: str = TOKEN

    @staticmethod
    def error(code: int, subcode: int | None = None, status: int = 400, **fields: object) -> Response:
        """An error answer; all say OAuthException."""
        body = {
            "message": f"(#{code}) no",
            "type": "OAuthException",
            "code": code,
            "fbtrace_id": "A",
        } | fields
        return JSONResponse({"error": body | ({"error_subcode": subcode} if subcode else {})}, status)

    def post(self, number: int, message: str, **fields: object) -> dict:
        """Publish a post, number minutes after midnight today; later numbers are newer."""
        made = (
            datetime.now(UTC).replace(hour=0, minute=0, second=0)
            - timedelta(days=1)
            + timedelta(minutes=number)
        )
        body = {
            "id": f"{PAGE}_{number}", "message": message, "created_time": made.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "is_published": True, "is_hidden": False, "is_expired": False, "from": {"id": PAGE},
        } | fields  # fmt: skip
        self.posts = [one for one in self.posts if one["id"] != body["id"]] + [body]
        self.posts.sort(key=lambda one: one["created_time"], reverse=True)
        return body

    def delete(self, number: int) -> None:
        """Delete a post."""
        self.posts = [one for one in self.posts if one["id"] != f"{PAGE}_{number}"]

    def fetched(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(request.url.path.endswith(path) for request in self.asked)

    def app(self) -> Starlette:
        """The API."""
        return Starlette(
            routes=[
                Route("/graph/{version}/{page}/posts", self._posts),
                Route("/graph/{version}/{page}/events", self._events),
                Route("/graph/{version}/{object}", self._object),
            ]
        )

    async def _posts(self, request: Request) -> Response:
        return self._listed(request, [one for one in self.posts if one.get("from") == {"id": PAGE}])

    async def _events(self, request: Request) -> Response:
        return self._listed(request, self.events)

    def _listed(self, request: Request, rows: list[dict]) -> Response:
        if answer := self._otherwise(request):
            return answer
        first, limit = int(request.query_params.get("after", 0)), int(request.query_params["limit"])
        body: dict = {"data": rows[first : first + limit]}
        body["paging"] = {"cursors": {"after": str(first + limit), "before": str(first)}}
        if first + limit < len(rows):
            body["paging"]["next"] = (
                f"http://127.0.0.1:{self.port}/trap?access_token={TOKEN}&after={first + limit}"
            )
        return self._answer(body)

    async def _object(self, request: Request) -> Response:
        if answer := self._otherwise(request):
            return answer
        for one in (*self.posts, *self.events):
            if one["id"] == request.path_params["object"]:
                return self._answer(one)
        return self.error(100, 33)

    def _otherwise(self, request: Request) -> Response | None:
        self.asked.append(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}" or "access_token" in str(request.url):
            return self.error(190, 463)
        return self.instead(request)

    def _answer(self, body: dict) -> Response:
        return JSONResponse(body, headers={"X-App-Usage": json.dumps(self.usage)})


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    """The Graph API on a free port."""
    fake = FakeGraph()
    async with serve_http(fake.app(), "127.0.0.1", 0) as port:
        fake.port = port
        yield fake


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a broker with all topics."""
    async with embedded_broker(tmp_path / "broker") as address:
        await ensure_topics(Settings(kafka_bootstrap=address))
        yield address


def town_text(graph: FakeGraph, extra: str, poll_seconds: float) -> str:
    """A town file with one page."""
    return f"""\
code: NO-9901
name: Fjordvik
sources:
  - id: facebook-kommune
    type: facebook-page
    page: "{PAGE}"
    base_url: http://127.0.0.1:{graph.port}/graph
    token_env: KP_TOKEN_FACEBOOK_KOMMUNE
    poll_seconds: {poll_seconds}
    limit: 5
{extra}"""


@dataclass
class Rig:
    """A running service and what it published."""

    service: IngestFacebook
    producer: RecordingProducer
    town_file: Path

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self.service.port}/webhooks/facebook"

    @property
    def items(self) -> list[ContentItemV1]:
        """The revisions published, in order."""
        return self.producer.of(ContentItemV1)

    def told(self, native: str) -> list[tuple[int, str]]:
        """Revision and state of one post, in order."""
        return [(one.revision, one.lifecycle.state.value) for one in self.items if one.native_id == native]

    @property
    def error(self) -> str:
        """What the source's state says is wrong."""
        return self.source.intake.status.error or ""

    @property
    def source(self) -> PageSource:
        """The page's source."""
        return self.service.sources.get("NO-9901/facebook-kommune")


RunService = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def run_service(tmp_path: Path, graph: FakeGraph, broker: str) -> RunService:
    """Runs the service; what it publishes is recorded, its store stays for the next run."""

    @asynccontextmanager
    async def run(
        extra: str = "", environment: dict | None = None, poll_seconds: float = 1, **settings: object
    ) -> AsyncIterator[Rig]:
        town_file = tmp_path / "town.yaml"
        town_file.write_text(town_text(graph, extra, poll_seconds), encoding="utf-8")
        chosen = {
            "kafka_bootstrap": broker, "store_url": f"sqlite:///{tmp_path}/store.db", "town_files": str(town_file),
            "facebook_app_secret": SECRET, "facebook_verify_token": VERIFY, "facebook_look_seconds": 0.1,
        } | settings  # fmt: skip
        producer = RecordingProducer()
        tokens = {"KP_TOKEN_FACEBOOK_KOMMUNE": TOKEN} if environment is None else environment
        async with compose(Settings(**chosen), producer=producer, environment=tokens) as service:
            work = asyncio.create_task(service.run())
            try:
                await eventually(lambda: list(service.sources) or work.done(), what="the sources run")
                yield Rig(service, producer, town_file)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)

    return run
