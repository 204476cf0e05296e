"""A journal with ACOS 'nye innsyn' (the shape stands in ingest_permits.adapters.acos_api)."""

import secrets
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kommunepuls_development.town import Address
from kommunepuls_development.upstream.story import Channel, Happening, Story

PORTAL = "9901"
_LOCAL = ZoneInfo("Europe/Oslo")
_COOKIE = "innsyn-session"


def archive_routes(
    story: Story, addresses: dict[tuple[str, str], Address], now: Callable[[], datetime]
) -> list[Route]:
    """The search page and the API below ``/api/presentation/v2/nye-innsyn``."""
    session = secrets.token_urlsafe(8)

    def refused(request: Request) -> Response | None:
        wanted = {"portalid": PORTAL, "x-anti-csrf": "1"}
        if request.cookies.get(_COOKIE) != session or any(
            request.headers.get(name) != v for name, v in wanted.items()
        ):
            return JSONResponse({"message": "Bad request"}, 400)
        return None

    def documents() -> list[tuple[Happening, int]]:
        found = []
        for case in story.told(Channel.CASE, now()):
            found += list(enumerate(story.history(Channel.CASE, case.key, now()), start=1))
        return sorted(((one, number) for number, one in found), key=lambda pair: pair[0].at, reverse=True)

    def title_of(one: Happening) -> str:
        address = addresses.get((one.get("street"), one.get("number")))
        gnr, bnr = (address.gnr, address.bnr) if address else ("", "")
        return one.title.format(gnr=gnr, bnr=bnr)

    async def search_page(_request: Request) -> Response:
        page = HTMLResponse(
            "<!doctype html><title>Innsyn</title><p>Søk i saker og dokumenter i Fjordvik kommune."
        )
        page.set_cookie(_COOKIE, session, httponly=True)
        return page

    async def overview(request: Request) -> Response:
        if answer := refused(request):
            return answer
        asked = {pair["key"]: pair["value"] for pair in (await request.json())["keyValues"]}
        page, size = int(asked.get("page", 1)), int(asked.get("pageSize", 20))
        found = [
            (one, number)
            for one, number in documents()
            if asked.get("FromDate", "") <= _day(story, one).isoformat() <= asked.get("ToDate", "9999")
        ]
        part = found[(page - 1) * size : page * size]
        items = [
            {
                "identifier": f"doc-{one.key.replace('/', '-')}-{number}",
                "parentIdentifier": f"sak-{one.key.replace('/', '-')}",
                "title": title_of(one),
                "type": "Inngående brev" if number == 1 else "Utgående brev",
                "properties": {
                    "dato": _day(story, one).strftime("%d.%m.%Y"),
                    "dokumentID": f"{one.key}-{number}",
                    "saksnummer": one.key,
                },
            }
            for one, number in part
        ]
        pages = (len(found) + size - 1) // size
        answer = {
            "items": items,
            "page": page,
            "pageSize": size,
            "pageCount": pages,
            "totalItemCount": len(found),
        }
        return JSONResponse({"content": {"searchItems": answer}})

    async def case(request: Request) -> Response:
        if answer := refused(request):
            return answer
        key = request.path_params["identifier"].removeprefix("sak-").replace("-", "/")
        history = story.history(Channel.CASE, key, now())
        if not history:
            return JSONResponse({"message": "Not found"}, 404)
        number = {"type": "Metadata", "key": "FRIENDLY_ID", "text": key}
        return JSONResponse(
            {"content": {"body": {"title": title_of(history[0]), "props": {}, "b": [number]}}}
        )

    async def document(request: Request) -> Response:
        if answer := refused(request):
            return answer
        return JSONResponse({"content": {"model": {"vedleggGruppe": []}}})

    api = "/innsyn/api/presentation/v2/nye-innsyn"
    return [
        Route("/innsyn", search_page),
        Route(f"{api}/overview", overview, methods=["POST"]),
        Route(f"{api}/sak/{{identifier}}", case),
        Route(f"{api}/dokument/{{identifier}}", document),
    ]


def _day(story: Story, one: Happening) -> date:
    return story.time_of(one).astimezone(_LOCAL).date()
