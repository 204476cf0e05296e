"""Pictures of items, served from our own address."""

from fastapi import APIRouter, Response

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.domain.errors import NotFound
from gateway_api.domain.pictures import picture_named

router = APIRouter(include_in_schema=False)

_YEAR_SECONDS = 31_536_000


@router.get("/pictures/{name}")
async def picture(name: str, gateway: GatewayAccess) -> Response:
    """A picture in one of its widths; what lies at an address never changes."""
    named = picture_named(name)
    content = await gateway.pictures.file(*named) if named else None
    if content is None:
        raise NotFound("there is no such picture, or no longer")
    return Response(
        content,
        media_type="image/webp",
        headers={
            "Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )
