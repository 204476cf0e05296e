"""The real files of the shared data, with the town files beside these tests; skipped where there are none.

What is published of them is looked at, never kept: there are names of persons in the files.
"""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ingest_permits.check import Checked, check_town, table
from ingest_permits.domain.privacy import MASK, without_names

pytestmark = pytest.mark.integration
TOWNS = Path(__file__).resolve().parents[1] / "towns"
NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
# Given and family names that are in no list of ours alone, put where the collector masked a name.
MADE_UP = (
    "Oddlaug Fjellanger",
    "Ziad Haddadi",
    "Jon-Terje Kvamsdal",
    "Wenda B. Sjøblom",
    "Xerxa og Ola Tveitaneset",
)


async def checked(
    shared_data: Path, folder: Path, town: str, *, now: datetime | None = None, only: tuple[str, ...] = ()
) -> dict[str, Checked]:
    text = (TOWNS / f"{town}.yaml").read_text(encoding="utf-8").replace("DATA", str(shared_data))
    path = folder / f"{town}.yaml"
    path.write_text(text, encoding="utf-8")
    found = {one.source: one for one in await check_town(path, now=now, only=only)}
    assert all(one.error is None for one in found.values()), table(list(found.values()))
    for one in found.values():
        tally = one.tally
        # Nothing is dropped in silence: what was read was left out by a rule, rejected or became a document.
        assert tally.read == tally.left_out + sum(tally.rejected.values()) + tally.documents
        assert all(item.title and item.stage and item.interests for item in one.items)
    return found


async def test_the_journal_of_strand(shared_data: Path, tmp_path: Path) -> None:
    found = await checked(shared_data, tmp_path, "strand", now=NOW)
    journal, archive, changes = found["journal"], found["archive"], found["changes"]
    assert journal.tally.read == 2400
    assert journal.tally.rejected == {}
    assert 120 < len(journal.items) < 200
    assert {item.stage for item in journal.items} == {"received", "amended", "decided"}
    assert archive.tally.read == 1519
    assert len(archive.items) > 1000
    assert changes.tally.read == 4772
    assert set(changes.tally.rejected) <= {"unknown-document"}
    assert sum(item.announced for item in changes.revisions) < 0.05 * len(changes.revisions)
    both = found["journal-with-changes"]
    assert any(item.revision > 1 and not item.announced for item in both.revisions)
    for one in found.values():
        assert not any("avsender:" in item.to_json().decode().casefold() for item in one.items)
        # Titles read on: a mask at the end is taken off, and few are left inside.
        assert sum(MASK in item.title for item in one.items) < 0.05 * len(one.items)


async def test_surrey_chicago_and_new_york(shared_data: Path, tmp_path: Path) -> None:
    surrey = (await checked(shared_data, tmp_path, "surrey"))["planning"]
    assert (surrey.tally.read, len(surrey.items), surrey.tally.rejected) == (341, 341, {})
    assert all(item.geometry is not None for item in surrey.items)
    assert all(
        -0.9 < item.geometry.longitude < -0.5 and 51.2 < item.geometry.latitude < 51.5
        for item in surrey.items
    )
    chicago = await checked(shared_data, tmp_path, "chicago", only=("permits-2026-03",))
    assert sum(one.tally.read for one in chicago.values()) == 2569
    for one in chicago.values():
        assert one.tally.rejected == {}
        # The long dash of one status and the hyphens of the others are all recognised.
        assert all(not item.title.startswith("PERMIT") for item in one.items)
        assert not any("SIGNS" in item.title for item in one.items)
    new_york = await checked(shared_data, tmp_path, "nyc")
    jobs, complaints = new_york["jobs"], new_york["complaints"]
    assert (len(jobs.items), jobs.tally.rejected) == (100, {})
    assert sum(item.geometry is None for item in jobs.items) == 1
    assert (len(complaints.items), complaints.tally.rejected) == (100, {})
    assert not any("  " in item.title or item.title.endswith(" ") for item in complaints.items)


async def test_names_put_where_the_collector_masked_one_are_masked_again(shared_data: Path) -> None:
    text = (shared_data / "permits" / "no_strand_journal_2025.json").read_text(encoding="utf-8")
    titles = [
        title
        for title in re.findall(r'"tittel": "([^"]*)"', text)
        if title.count(MASK) == 1 and title.endswith(MASK)
    ]
    assert len(titles) > 50

    def missed() -> list[str]:
        return [
            name
            for title in titles
            for name in MADE_UP
            if name.split()[-1] in without_names(title.replace(MASK, name))
        ]

    left = await asyncio.to_thread(missed)
    assert len(left) <= 0.03 * len(titles) * len(MADE_UP)
