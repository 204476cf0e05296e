"""Every recorded answer of Facebook, through the same intake as the service."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from ingest_facebook.check import Row, check_files
from kommunepuls_events import Kind

NOW = datetime(2026, 4, 8, 3, 0, tzinfo=UTC)
RATE_LIMITS = {"error_32_page_rate_limit.json", "error_4_application_limit.json"}


async def rows_of(folder: Path, pattern: str) -> dict[str, Row]:
    files = await asyncio.to_thread(lambda: sorted(folder.glob(pattern)))
    rows = await check_files(files, now=lambda: NOW)
    assert rows, f"no file is like {pattern}"
    return {row.name: row for row in rows}


async def test_three_polls_of_one_page_show_one_new_post_though_every_address_was_signed_anew(
    real_files: Path,
) -> None:
    rows = list((await rows_of(real_files, "graph_page_posts_poll_2026-04-*.json")).values())

    assert [(row.published, row.updated, row.unchanged) for row in rows] == [
        (25, 0, 0),
        (0, 0, 25),
        (1, 0, 24),
    ]


async def test_every_file_is_taken_or_says_why_not(real_files: Path) -> None:
    for row in (await rows_of(real_files, "**/*.json")).values():
        items = row.published + row.updated + row.withdrawn + row.unchanged
        accounted = items + row.ignored.total() + row.rejects.total()
        assert accounted == row.read or row.remarks, row
        assert not {"invalid-post", "invalid-event", "invalid-item", "invalid-json"} & set(row.rejects), row


async def test_posts_of_pictures_alone_are_rejected_for_want_of_text(real_files: Path) -> None:
    rows = await rows_of(real_files, "graph_page_posts_poll_2024*.json")

    assert [(row.published, dict(row.rejects)) for row in rows.values()] == [(22, {"no-text": 3})]


async def test_the_events_of_a_norwegian_page_have_their_times_and_places(real_files: Path) -> None:
    row = (await rows_of(real_files, "graph_page_events_no_2017-05.json"))[
        "graph_page_events_no_2017-05.json"
    ]

    assert {item.kind for item in row.items} == {Kind.EVENT}
    assert len(row.items) == 25
    assert sum(item.ends_at is None for item in row.items) == 1
    assert sum(item.geometry is not None for item in row.items) == 22
    assert all(item.place_name for item in row.items)


async def test_rate_limits_and_dead_tokens_are_told_apart(real_files: Path) -> None:
    meanings = {
        name: row.remarks[-1] for name, row in (await rows_of(real_files / "errors", "error_*.json")).items()
    }

    assert {name for name, remark in meanings.items() if remark.endswith("rate-limit")} == RATE_LIMITS
    assert meanings["error_190_460_session_invalid.json"] == "190/460: dead-token"


async def test_no_name_of_a_webhooks_writer_is_kept(real_files: Path) -> None:
    rows = await rows_of(real_files / "webhooks", "*.json")

    assert rows["_signature_vector.json"].remarks == ["signature agrees"]
    assert sum(row.ignored.total() for row in rows.values()) == 30
    assert not any("Tester" in remark or "Joe" in remark for row in rows.values() for remark in row.remarks)
