"""Upstreams of our own, over real HTTP: feeds, a Graph API, a journal with ACOS 'nye innsyn'.

They answer what a journey puts into them, in the shape of the real protocols. Without anything put in they
answer empty, so that a source is never in error before its journey begins.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kommunepuls_chassis.http import serve_http
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

EMPTY_FEED = (
    b'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Tomt</title>'
    b"<link>http://127.0.0.1/</link><description>Tomt</description></channel></rss>"
)
EMPTY_CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Strand//Prove//NB\r\nEND:VCALENDAR\r\n"
_SESSION = "session-of-the-search-page"
_API = "/innsyn/{name}/api/presentation/v2/nye-innsyn"


@dataclass
class Upstream:
    """What the upstreams say now; journeys change it while services ask.

    Attributes:
        feeds: bodies of ``/feeds/{name}``; a name with ``ics`` in it is a calendar.
        pages: posts by page id, the newest first, as the Graph API has them.
        archives: items of the overview by archive name, the newest first.
        cases: title and number of a case by its identifier.
    """

    feeds: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, list[dict]] = field(default_factory=dict)
    archives: dict[str, list[dict]] = field(default_factory=dict)
    cases: dict[str, tuple[str, str]] = field(default_factory=dict)
    address: str = ""

    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route("/feeds/{name}", self._feed),
            Route("/graph/{version}/{page}/posts", self._posts),
            Route("/graph/{version}/{post}", self._post),
            Route("/innsyn/{name}", self._search_page),
            Route(f"{_API}/overview", self._overview, methods=["POST"]),
            Route(f"{_API}/sak/{{identifier}}", self._case),
            Route(f"{_API}/dokument/{{identifier}}", self._document),
        ]

    async def _feed(self, request: Request) -> Response:
        name = request.path_params["name"]
        calendar = "ics" in name
        body = self.feeds.get(name, EMPTY_CALENDAR if calendar else EMPTY_FEED)
        return Response(body, media_type="text/calendar" if calendar else "application/xml")

    async def _posts(self, request: Request) -> Response:
        """A page's posts: https://developers.facebook.com/docs/graph-api/reference/page/feed/"""
        posts = self.pages.get(request.path_params["page"], [])
        first, limit = int(request.query_params.get("after") or 0), int(request.query_params["limit"])
        body: dict = {"data": posts[first : first + limit]}
        if first + limit < len(posts):
            body["paging"] = {
                "cursors": {"before": str(first), "after": str(first + limit)},
                "next": f"{request.url}&after={first + limit}",
            }
        return JSONResponse(body)

    async def _post(self, request: Request) -> Response:
        wanted = request.path_params["post"]
        found = [post for posts in self.pages.values() for post in posts if post["id"] == wanted]
        if found:
            return JSONResponse(found[0])
        # What the API says of a deleted post: the same as of one that is not for us to see.
        message = f"Unsupported get request. Object with ID '{wanted}' does not exist"
        error = {"message": message, "type": "GraphMethodException", "code": 100, "error_subcode": 33}
        return JSONResponse({"error": error}, 400)

    async def _search_page(self, _request: Request) -> Response:
        page = HTMLResponse("<!doctype html><title>Innsyn</title>")
        page.set_cookie("innsyn", _SESSION, httponly=True)
        return page

    async def _overview(self, request: Request) -> Response:
        if request.cookies.get("innsyn") != _SESSION or request.headers.get("x-anti-csrf") != "1":
            return JSONResponse({"message": "Bad request"}, 400)
        asked = {pair["key"]: pair["value"] for pair in json.loads(await request.body())["keyValues"]}
        page, size = int(asked["page"]), int(asked["pageSize"])
        items = self.archives.get(request.path_params["name"], [])
        found = {
            "items": items[(page - 1) * size : page * size],
            "page": page,
            "pageSize": size,
            "pageCount": (len(items) + size - 1) // size,
            "totalItemCount": len(items),
        }
        return JSONResponse({"content": {"searchItems": found}})

    async def _case(self, request: Request) -> Response:
        found = self.cases.get(request.path_params["identifier"])
        if found is None:
            return JSONResponse({"message": "Not found"}, 404)
        number = {"type": "Metadata", "key": "FRIENDLY_ID", "text": found[1]}
        return JSONResponse({"content": {"body": {"title": found[0], "props": {}, "b": [number]}}})

    async def _document(self, _request: Request) -> Response:
        return JSONResponse({"content": {"model": {"vedleggGruppe": []}}})


@asynccontextmanager
async def serving_upstream() -> AsyncIterator[Upstream]:
    """The upstreams on a free port while inside."""
    upstream = Upstream()
    async with serve_http(Starlette(routes=upstream.routes()), "127.0.0.1", 0) as port:
        upstream.address = f"http://127.0.0.1:{port}"
        yield upstream
