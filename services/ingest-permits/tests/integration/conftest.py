"""Upstreams of our own that speak the real protocols over HTTP."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from kommunepuls_chassis.http import serve_http
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

ARCHIVE = "0123abcd__0000__4444__aaaa__0123456789ab"
Answer = Callable[[], Awaitable[Response]]


@dataclass
class Upstream:
    """What both have: the port, the requests seen, and answers to give instead of the right one."""

    port: int = 0
    requests: list[Any] = field(default_factory=list)
    instead: list[Response | Answer] = field(default_factory=list)

    async def other_answer(self) -> Response | None:
        """The next answer out of turn, if one is waiting."""
        if not self.instead:
            return None
        answer = self.instead.pop(0)
        return answer if isinstance(answer, Response) else await answer()


@dataclass
class FakeAcos(Upstream):
    """The API behind ACOS 'nye innsyn': documents of cases, newest first, by day and page.

    As the real portals it refuses requests without their headers and the cookie of the search page.
    """

    documents: list[dict[str, Any]] = field(default_factory=list)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_answers: dict[str, Response | Answer] = field(default_factory=dict)
    """Answers to give once to a page instead of the right one."""

    @property
    def url(self) -> str:
        """The portal's host."""
        return f"http://127.0.0.1:{self.port}"

    def source(self, name: str = "arkiv", **settings: Any) -> str:
        """The source as a town file says it."""
        given = {"type": "acos-innsyn", "url": self.url, "page": f"{self.url}/innsyn/", "portal_id": "100",
                 "menu_item_id": "1631", "page_size": 2, **settings}  # fmt: skip
        return f"  - {{id: {name}, " + ", ".join(f"{k}: {json.dumps(v)}" for k, v in given.items()) + "}\n"

    def add(
        self, number: int, case: int, title: str, day: str, kind: str = "Utgående dokument"
    ) -> dict[str, Any]:
        """Journal a document on a day (DD.MM.YYYY)."""
        item = {
            "identifier": f"d-{ARCHIVE}-{number}!sig",
            "parentIdentifier": f"a-{ARCHIVE}-{case}!sig",
            "title": title,
            "type": kind,
            "status": "J",
            "properties": {"dato": day, "dokumentID": f"26/{number}", "mottaker": "Ola Nordmann"},
        }
        self.documents.insert(0, item)
        self.cases.setdefault(
            f"a-{ARCHIVE}-{case}!sig", {"title": f"Sak {case} - Ola Nordmann", "number": f"26/{case}"}
        )
        return item

    def app(self) -> Starlette:
        """The application to serve."""

        async def page(_request: Request) -> Response:
            answer = HTMLResponse("<html>innsyn</html>")
            answer.set_cookie("session", "open")
            return answer

        async def overview(request: Request) -> Response:
            body = await request.json()
            values = {pair["key"]: pair["value"] for pair in body["keyValues"]}
            self.requests.append(values)
            if refused := _refusal(request):
                return refused
            if values["page"] in self.page_answers:
                self.instead.append(self.page_answers.pop(values["page"]))
            if (other := await self.other_answer()) is not None:
                return other
            found = [one for one in self.documents if values["FromDate"] <= _iso(one) <= values["ToDate"]]
            found.sort(key=_iso, reverse=True)
            size, number = int(values["pageSize"]), int(values["page"])
            items = found[(number - 1) * size : number * size]
            pages = -(-len(found) // size)
            return JSONResponse(
                {
                    "content": {
                        "searchItems": {"items": items, "pageCount": pages, "totalItemCount": len(found)}
                    }
                }
            )

        async def case(request: Request) -> Response:
            known = self.cases.get(request.path_params["id"])
            if refused := _refusal(request):
                return refused
            if known is None:
                return JSONResponse({}, 404)
            number = {"type": "Metadata", "key": "FRIENDLY_ID", "text": known["number"]}
            return JSONResponse({"content": {"body": {"title": known["title"], "props": {}, "b": [number]}}})

        async def document(request: Request) -> Response:
            if refused := _refusal(request):
                return refused
            number = request.path_params["id"].partition("!")[0].rpartition("-")[2]
            files = [
                {
                    "title": "Vedtak - Ola Nordmann",
                    "fileUrl": f"/api/filer/{number}",
                    "visibilityText": "Åpen",
                }
            ]
            return JSONResponse(
                {"content": {"model": {"vedleggGruppe": [{"title": "Hoveddokument", "vedlegg": files}]}}}
            )

        api = "/api/presentation/v2/nye-innsyn"
        return Starlette(
            routes=[
                Route("/innsyn/", page),
                Route(f"{api}/overview", overview, methods=["POST"]),
                Route(f"{api}/sak/{{id}}", case),
                Route(f"{api}/dokument/{{id}}", document),
            ]
        )


def _refusal(request: Request) -> Response | None:
    wanted = {"portalid": "100", "menypunktid": "1631", "sprakid": "1", "x-anti-csrf": "1"}
    right = all(request.headers.get(name) == value for name, value in wanted.items())
    right = right and request.headers.get("referer", "").endswith("/innsyn/") and "origin" in request.headers
    return (
        None if right and request.cookies.get("session") == "open" else JSONResponse({"message": "no"}, 403)
    )


def _iso(item: dict[str, Any]) -> str:
    day, month, year = item["properties"]["dato"].split(".")
    return f"{year}-{month}-{day}"


@dataclass
class FakeSocrata(Upstream):
    """A data set on SODA 2.1: ``$where`` on a watermark, ``$order``, ``$limit``, ``$offset``, app token."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    answers_after: dict[int, Response | Answer] = field(default_factory=dict)
    """Answers to give once instead of the right one to the request of that number."""

    @property
    def url(self) -> str:
        """The data set's address."""
        return f"http://127.0.0.1:{self.port}/resource/abcd-1234.json"

    def app(self) -> Starlette:
        """The application to serve."""

        async def resource(request: Request) -> Response:
            query = dict(request.query_params)
            self.requests.append(query)
            if request.headers.get("x-app-token") != "the-token":
                return JSONResponse({"code": "permission_denied"}, 403)
            if len(self.requests) in self.answers_after:
                self.instead.append(self.answers_after.pop(len(self.requests)))
            if (other := await self.other_answer()) is not None:
                return other
            if query["$select"] != ":*,*" or query["$order"] != ":updated_at,:id":
                return JSONResponse({"code": "query.compiler.malformed"}, 400)
            rows = sorted(self.rows, key=lambda row: (row[":updated_at"], row[":id"]))
            if after := re.search(r":updated_at > '([^']+)' OR .* AND :id > '([^']+)'", query["$where"]):
                rows = [row for row in rows if (row[":updated_at"], row[":id"]) > after.groups()]
            elif since := re.search(r":updated_at >= '([^']+)'", query["$where"]):
                rows = [row for row in rows if row[":updated_at"] >= since[1]]
            start = int(query["$offset"])
            return JSONResponse(rows[start : start + int(query["$limit"])])

        return Starlette(routes=[Route("/resource/abcd-1234.json", resource)])


@pytest.fixture
async def acos() -> AsyncIterator[FakeAcos]:
    """An archive on a port of its own."""
    fake = FakeAcos()
    async with serve_http(fake.app(), "127.0.0.1", 0) as port:
        fake.port = port
        yield fake


@pytest.fixture
async def socrata(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSocrata]:
    """A data set on a port of its own; its token is in the environment."""
    monkeypatch.setenv("KP_TOKEN_PORTAL", "the-token")
    fake = FakeSocrata()
    async with serve_http(fake.app(), "127.0.0.1", 0) as port:
        fake.port = port
        yield fake
