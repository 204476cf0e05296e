"""Facebook's Graph API as far as a page's posts go.

Source: https://developers.facebook.com/docs/graph-api/reference/page/feed/ and .../overview/rate-limiting
"""

import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kommunepuls_development.upstream.pictures import HEIGHT, WIDTH
from kommunepuls_development.upstream.story import Channel, Happening, Story

PAGES = {"fjordvik-kommune": "9901000000001", "fjordvik-fotball": "9901000000002"}
_USAGE = json.dumps({"call_count": 3, "total_cputime": 1, "total_time": 2})


def graph_routes(story: Story, token: str, now: Callable[[], datetime]) -> list[Route]:
    """``/graph/{version}/{page}/posts`` and ``/graph/{version}/{post}``; a wrong token is code 190."""
    by_number = {number: page for page, number in PAGES.items()}

    def refused(request: Request) -> Response | None:
        given = request.query_params.get("access_token") or request.headers.get(
            "authorization", ""
        ).removeprefix("Bearer ")
        if given == token:
            return None
        error = {
            "message": "Error validating access token: Session has expired.",
            "type": "OAuthException", "code": 190, "error_subcode": 463, "fbtrace_id": "A0demo",
        }  # fmt: skip
        return JSONResponse({"error": error}, 400)

    async def posts(request: Request) -> Response:
        if answer := refused(request):
            return answer
        page = by_number.get(request.path_params["page"])
        if page is None:
            return _missing()
        told = story.told(Channel.FACEBOOK, now(), page=page)
        limit = int(request.query_params.get("limit", "25"))
        first = int(request.query_params.get("after") or 0)
        part = told[first : first + limit]
        body: dict = {"data": [_shown(request, story, one) for one in part]}
        if part:
            body["paging"] = {"cursors": {"before": str(first), "after": str(first + len(part))}}
            if first + len(part) < len(told):
                query = dict(request.query_params) | {"after": str(first + len(part))}
                body["paging"]["next"] = f"{request.url.replace(query='')}?{urlencode(query)}"
        return JSONResponse(body, headers={"x-app-usage": _USAGE})

    async def post(request: Request) -> Response:
        if answer := refused(request):
            return answer
        number, _, key = request.path_params["post"].partition("_")
        for one in story.told(Channel.FACEBOOK, now(), page=by_number.get(number, "")):
            if one.key == key:
                return JSONResponse(_shown(request, story, one), headers={"x-app-usage": _USAGE})
        return _missing()

    return [Route("/graph/{version}/{page}/posts", posts), Route("/graph/{version}/{post}", post)]


def _missing() -> Response:
    message = "(#100) Object does not exist, cannot be loaded due to missing permission"
    return JSONResponse(
        {"error": {"message": message, "type": "OAuthException", "code": 100, "error_subcode": 33}}, 400
    )


def _shown(request: Request, story: Story, one: Happening) -> dict:
    number = PAGES[one.page]
    first = story.history(Channel.FACEBOOK, one.key, story.time_of(one))[0]
    post = {
        "id": f"{number}_{one.key}",
        "message": one.text,
        "created_time": _time(story.time_of(first)),
        "updated_time": _time(story.time_of(one)),
        "permalink_url": f"https://www.facebook.com/{number}/posts/{one.key}",
        "is_published": True,
        "is_hidden": False,
        "is_expired": False,
        "status_type": "mobile_status_update",
        "from": {"id": number, "name": one.page},
    }
    # Most posts come with a picture; that the description repeats the message is as Facebook has it.
    if sum(map(ord, one.key)) % 4:
        source = f"{request.base_url}pictures/{one.key}.jpg"
        post["attachments"] = {
            "data": [
                {
                    "type": "photo",
                    "media_type": "photo",
                    "description": one.text,
                    "url": f"https://www.facebook.com/{number}/photos/{one.key}",
                    "media": {"image": {"src": source, "width": WIDTH, "height": HEIGHT}},
                }
            ]
        }
    fields = request.query_params.get("fields")
    wanted = (
        {field.partition("{")[0] for field in fields.split(",")} if fields else {"message", "created_time"}
    )
    return {name: value for name, value in post.items() if name in wanted | {"id"}}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")
