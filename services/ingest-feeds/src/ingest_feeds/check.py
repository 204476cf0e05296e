"""Tries saved answers of upstreams: ``python -m ingest_feeds.check FILE…``.

Takes each file the way the service would (RSS, Atom, iCalendar, CAP by what it holds), publishes nothing, and
prints what would come out: items, and rejects with their reasons.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import configure_logging
from kommunepuls_chassis.store import DocumentStore, open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1

from ingest_feeds.adapters.calendars import CalendarAdapter
from ingest_feeds.adapters.rss import RssAdapter
from ingest_feeds.adapters.warnings import WarningAdapter
from ingest_feeds.domain.alerts import is_alert
from ingest_feeds.domain.sources import CalendarSource, RssSource, WarningSource

YEARS = 24 * 365 * 50


async def check_file(path: Path, store: DocumentStore) -> tuple[str, list[ContentItemV1], Counter]:
    """The kind that a file was taken for, the items that it gives, and rejects by reason."""
    body = await asyncio.to_thread(path.read_bytes)
    producer = RecordingProducer()
    journal = ItemJournal(store, producer)
    await journal.open()
    common = {"id": "check", "url": "https://upstream.example/", "announce_within_hours": YEARS}
    if b"BEGIN:V" in body[:2000] or path.suffix == ".ics":
        source = CalendarSource(type="ical", **common)
        intake = await SourceIntake("ingest-feeds", _TOWN, source, journal, producer, store).open()
        adapter = CalendarAdapter(intake, source, journal, None)
    elif is_alert(body) or ".cap" in path.name:
        source = WarningSource(type="cap", **common)
        intake = await SourceIntake("ingest-feeds", _TOWN, source, journal, producer, store).open()
        adapter = WarningAdapter(intake, source, journal, None, store)
    else:
        source = RssSource(type="rss", **common)
        intake = await SourceIntake("ingest-feeds", _TOWN, source, journal, producer, store).open()
        adapter = RssAdapter(intake, source, journal, None)
    await intake.guard("answer", body, lambda: adapter.take(body))
    return source.type, producer.of(ContentItemV1), Counter(letter.reason for letter in producer.rejects)


_TOWN = Town(code="NO-9901", name="Fjordvik")


async def check(paths: list[Path], *, show: bool) -> None:
    """Print a row a file."""
    print(f"{'file':52} {'taken as':9} {'items':>5}  rejects")
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            async with open_store(f"sqlite:///{folder}/check.db") as store:
                kind, items, rejects = await check_file(path, store)
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(rejects.items()))
        print(f"{path.name:52} {kind:9} {len(items):>5}  {reasons}")
        if show:
            for item in items:
                print(
                    f"    {item.kind} r{item.revision} {item.lifecycle.state} {item.published_at:%Y-%m-%d %H:%M} | {item.title}"
                )
                times = " - ".join(
                    f"{moment:%Y-%m-%d %H:%M}" for moment in (item.starts_at, item.ends_at) if moment
                )
                place = item.place_name or (item.geometry.type if item.geometry else "")
                print(
                    f"      {times} {place} {item.severity} {'EXERCISE' if item.exercise else ''} {item.language}: {item.summary[:160]!r}"
                )


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Try saved answers of feeds, calendars and warnings.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true", help="print the items too")
    arguments = parser.parse_args()
    configure_logging("check", level="ERROR", text=True)
    if missing := [path for path in arguments.files if not path.is_file()]:
        print(f"check: {missing[0]} is not a file", file=sys.stderr)
        return 2
    asyncio.run(check(arguments.files, show=arguments.show))
    return 0


if __name__ == "__main__":
    sys.exit(main())
