"""Every route is authenticated or on the public list, and this test would notice if one were not."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from gateway_api.adapters.http.access import PUBLIC, operator, resident
from gateway_api.adapters.http.application import routes_app
from kommunepuls_chassis.health import Health
from starlette.routing import Mount


def _routes(app: Any) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in app.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included)
        else:
            yield route


def _guards(dependant: Any) -> set:
    found = {dependant.call}
    for one in dependant.dependencies:
        found |= _guards(one)
    return found


def names_of(app: FastAPI) -> dict[str, set]:
    """Each route as ``METHOD /path`` with the callables that guard it."""
    found: dict[str, set] = {}
    for route in _routes(app):
        if isinstance(route, Mount):
            found[f"MOUNT {route.path}"] = set()
            continue
        for method in sorted((route.methods or set()) - {"HEAD"}):
            dependant = getattr(route, "dependant", None)
            found[f"{method} {route.path}"] = _guards(dependant) if dependant else set()
    return found


def unguarded(app: FastAPI) -> set[str]:
    """The routes that need no authentication."""
    return {name for name, guards in names_of(app).items() if not guards & {resident, operator}}


@pytest.fixture
def app() -> FastAPI:
    return routes_app(None, Health())  # type: ignore[arg-type]


def test_every_route_is_guarded_or_on_the_public_list(app: FastAPI) -> None:
    assert unguarded(app) - PUBLIC == set()


def test_the_public_list_names_nothing_that_is_guarded_or_gone(app: FastAPI) -> None:
    assert unguarded(app) == PUBLIC


def test_the_walk_sees_routes_of_every_sort(app: FastAPI) -> None:
    names = names_of(app)
    assert len(names) > 60
    assert resident in names["PUT /api/v1/profile"]
    assert operator in names["GET /api/v1/operator/{kept}"]
    assert operator in names["GET /api/v1/operator/sources"]


def test_a_route_that_somebody_forgets_to_guard_is_noticed(app: FastAPI) -> None:
    router = APIRouter(prefix="/api/v1")

    @router.get("/everything")
    async def everything() -> None: ...

    @router.get("/guarded", dependencies=[Depends(operator)])
    async def guarded() -> None: ...

    app.include_router(router)
    assert unguarded(app) - PUBLIC == {"GET /api/v1/everything"}


def test_every_operator_route_wants_an_operator_and_no_resident_route_does(app: FastAPI) -> None:
    for name, guards in names_of(app).items():
        assert ("/api/v1/operator/" in name) == (operator in guards), name
