"""Recorded answers of real upstreams: nothing crashes, and what comes out is what stands in them."""

import os
from collections import Counter
from pathlib import Path

import pytest
from ingest_feeds.check import check_file
from kommunepuls_chassis.store import open_store
from kommunepuls_events import ContentItemV1, Severity

DATA = (
    Path(os.environ.get("KP_SHARED_DATA", Path(__file__).resolve().parents[4].parent / "shared/data"))
    / "content"
)
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="recorded answers of upstreams are not at KP_SHARED_DATA"
)
FILES = sorted(path for folder in ("rss", "ics", "cap") for path in (DATA / folder).glob("*")) + sorted(
    DATA.glob("se_vma*")
)


async def checked(path: Path, folder: Path) -> tuple[str, list[ContentItemV1], Counter]:
    async with open_store(f"sqlite:///{folder / 'check.db'}") as store:
        return await check_file(path, store)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_no_file_crashes_and_nothing_is_dropped_without_a_reason(path: Path, tmp_path: Path) -> None:
    kind, items, rejects = await checked(path, tmp_path)
    assert kind in ("rss", "ical", "cap")
    assert all(item.title and "<" not in item.title for item in items)
    if path.name == "broken_ical.ics":
        assert rejects["no-start"] == 1


async def test_the_warning_feed_of_the_weather_service_is_read_with_its_own_dates(tmp_path: Path) -> None:
    _, items, rejects = await checked(DATA / "rss/no_met_farevarsel_2019-05.xml", tmp_path)
    assert len(items) == 5
    assert not rejects
    assert items[-1].published_at.day == 21, "the title says 19 May, the entry itself the 21st"


async def test_the_exercise_of_the_public_warning_system_is_marked(tmp_path: Path) -> None:
    _, (item,), _ = await checked(DATA / "se_vma_2025-12-01T130351Z_alert_f96a4f8.json", tmp_path)
    assert item.exercise
    assert item.severity is Severity.SEVERE


async def test_an_update_names_the_alert_that_it_goes_on_with(tmp_path: Path) -> None:
    _, (item,), _ = await checked(DATA / "cap/no_met_forestfire_2019.cap.xml", tmp_path)
    assert item.geometry is not None
    assert 4 < item.geometry.coordinates[0][0][0] < 8, "longitude first, in the west of Norway"
