"""``python -m ingest_permits.check --town FILE``: takes a town's permit sources through the intake, once, on paper.

For whoever writes a town file: every source is polled as it would be in service, but what comes of it is
kept in memory and shown as a table. Nothing is published.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kommunepuls_chassis.errors import OperatorError, PermanentError, TransientError
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import configure_logging
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import TownFile, parse_sources
from kommunepuls_chassis.web import open_fetcher
from kommunepuls_events import ContentItemV1
from kommunepuls_events.base import utc_now

from ingest_permits.app import SourceOpener
from ingest_permits.case_intake import Tally
from ingest_permits.sources import SOURCE_TYPES


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one source: its counts, and the newest revision of each item."""

    source: str
    tally: Tally
    items: tuple[ContentItemV1, ...]
    revisions: tuple[ContentItemV1, ...]
    error: str | None


async def check_town(path: Path, *, now: datetime | None = None, only: Collection[str] = ()) -> list[Checked]:
    """Poll each permit source of a town once.

    Args:
        path: of the town file.
        now: the time to pretend, to see what would have been announced then.
        only: ids of the sources to poll; empty for all.

    Raises:
        OperatorError: if the town file is faulty.
    """
    file = TownFile(path)
    checked = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_fetcher() as fetcher:
            for number, config in enumerate(parse_sources(file, SOURCE_TYPES)):
                if only and config.id not in only:
                    continue
                producer = RecordingProducer()
                async with open_store(f"sqlite:///{folder}/check-{number}.db") as store:
                    clock = (lambda: now) if now else utc_now
                    journal = ItemJournal(store, producer, now=clock)
                    await journal.open()
                    opened = await SourceOpener(journal, producer, store, fetcher, clock)(file, config)
                    error = None
                    try:
                        await opened.upstream.poll()
                    except (PermanentError, TransientError) as failed:
                        error = str(failed)
                revisions = tuple(producer.of(ContentItemV1))
                newest = {item.id: item for item in revisions}
                checked.append(
                    Checked(config.id, opened.cases.tally, tuple(newest.values()), revisions, error)
                )
    return checked


def table(checked: list[Checked]) -> str:
    """The counts as a Markdown table."""
    lines = [
        "| source | read | left out | documents | items | revisions | announced | unchanged | rejected "
        "| position | areas | stages |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in checked:
        tally, items = one.tally, one.items
        rejected = ", ".join(f"{reason} {count}" for reason, count in sorted(tally.rejected.items())) or "0"
        stages = Counter(item.stage for item in items)
        cells = [
            one.source,
            tally.read,
            tally.left_out,
            tally.documents,
            len(items),
            tally.revisions,
            tally.announced,
            tally.unchanged,
            rejected,
            _share(sum(item.geometry is not None for item in items), len(items)),
            _share(sum(bool(item.areas) for item in items), len(items)),
            ", ".join(f"{stage} {count}" for stage, count in stages.most_common()),
        ]
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        if one.error:
            lines.append(f"| {one.source} | {one.error} |")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def main() -> None:
    """The command line; ends the process with 2 on a faulty town file."""
    parser = argparse.ArgumentParser(prog="ingest_permits.check", description=__doc__.splitlines()[0])
    parser.add_argument("--town", type=Path, required=True, nargs="+", help="town files (YAML)")
    parser.add_argument("--source", nargs="*", default=(), help="ids of the sources to poll; default: all")
    parser.add_argument("--now", type=datetime.fromisoformat, help="the time to pretend, ISO 8601")
    parser.add_argument("--show", type=int, default=0, help="how many items of each source to show")
    arguments = parser.parse_args()
    configure_logging("ingest-permits", level="ERROR")
    now = arguments.now
    if now is not None and now.tzinfo is None:
        now = now.replace(tzinfo=UTC)
    try:
        for path in arguments.town:
            checked = asyncio.run(check_town(path, now=now, only=arguments.source))
            print(f"\n{path.name}\n\n{table(checked)}")
            for one in checked:
                for item in one.items[:: max(1, len(one.items) // arguments.show)] if arguments.show else ():
                    print(f"{one.source}: [{item.stage}] {item.title} | {item.place_name} | {item.summary}")
    except OperatorError as error:
        print(f"ingest_permits.check: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
