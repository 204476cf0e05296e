"""The API's own description: the OpenAPI document, and a page of it without anything from elsewhere."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from gateway_api.adapters.http.rendering import page

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/api/v1/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> Response:
    """The document as a page to read."""
    document = request.app.openapi()
    return await page(
        request,
        "docs.html",
        document=document,
        groups=operations_by_tag(document),
        schemas=document.get("components", {}).get("schemas", {}),
        type_of=type_of,
    )


def operations_by_tag(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The operations of an OpenAPI document by their first tag, in the order of the document."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is None:
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "description": operation.get("description", ""),
                    "parameters": operation.get("parameters", []),
                    "body": type_of(body.get("schema", {})) if body else "",
                    "answers": {
                        status: type_of(
                            answer.get("content", {}).get("application/json", {}).get("schema", {})
                        )
                        for status, answer in operation.get("responses", {}).items()
                    },
                    "protected": bool(operation.get("security")),
                }
            )
    return groups


def type_of(schema: dict[str, Any]) -> str:
    """A JSON Schema as a short word: a schema's name, a type, a list of one, a choice of several."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " | ".join(repr(one) for one in schema["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " | ".join(type_of(one) for one in schema[several])
    if schema.get("type") == "array":
        return f"[{type_of(schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("type") or "")
