"""Every route is authenticated or on the public list, and this test would notice if one were not."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from gateway_api.adapters.http.access import PUBLIC, operator, resident
from gateway_api.adapters.http.access_staff import GUARDS, any_staff, writing_staff
from gateway_api.adapters.http.application import routes_app
from gateway_api.domain.staff import Role
from gateway_api.domain.staff_vocabulary import ROOMS
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
    return {name for name, guards in names_of(app).items() if not guards & {resident, operator, any_staff}}


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


def astray(app: FastAPI) -> set[str]:
    """The staff's routes in a room whose role they do not ask for, or that are guarded in another way."""
    found = set()
    for name, guards in names_of(app).items():
        path = name.partition(" ")[2]
        room = next((one for one in ROOMS if path == one.path or path.startswith(one.path + "/")), None)
        wanted = GUARDS[room.role] if room else any_staff
        if (path == "/staff" or path.startswith("/staff/")) and name not in PUBLIC:
            if wanted not in guards or guards & {resident, operator}:
                found.add(name)
        elif any_staff in guards:
            found.add(name)
    return found


def test_every_staff_route_wants_the_role_of_its_room(app: FastAPI) -> None:
    assert astray(app) == set()
    assert len([name for name in names_of(app) if " /staff/people" in name]) >= 5
    assert {room.role for room in ROOMS} <= set(GUARDS)


def test_a_staff_route_with_another_rooms_guard_is_noticed(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/staff/people/everybody", dependencies=[Depends(writing_staff)])
    async def weak() -> None: ...

    @router.get("/staff/log/today", dependencies=[Depends(GUARDS[Role.EDITOR])])
    async def right() -> None: ...

    @router.get("/staff/elsewhere", dependencies=[Depends(resident)])
    async def residents() -> None: ...

    @router.get("/outside", dependencies=[Depends(any_staff)])
    async def outside() -> None: ...

    app.include_router(router)
    assert astray(app) == {"GET /staff/people/everybody", "GET /staff/elsewhere", "GET /outside"}
