"""A gateway for each file of browser tests, and one Chromium for all."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "journeys" / "making"))
sys.path.insert(0, str(Path(__file__).parent / "making"))

from browser_console import with_console
from browser_staff import with_staff
from browser_stage import CHROMIUM, Stage, browser_stage, open_browser
from journey_world import World, journey_world

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium, and lives in one event loop with the gateway."""
    missing = pytest.mark.skip(reason=f"{CHROMIUM} is not installed: pages are not looked at in a browser")
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if not Path(CHROMIUM).exists():
                item.add_marker(missing)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway with its town; what one file's residents read and choose is not there for the next."""
    async with browser_stage(tmp_path_factory.mktemp("browser")) as made:
        await with_staff(made)
        await with_console(made)
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with async_playwright() as playwright:
        opened = await open_browser(playwright)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """What tells residents, each service its own process: what is published really arrives."""
    folder = tmp_path_factory.mktemp("told")
    async with journey_world(folder, services=("gateway-api", "personaliser", "notifier")) as made:
        yield made
