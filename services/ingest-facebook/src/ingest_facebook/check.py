"""``python -m ingest_facebook.check FILE…``: what would become of saved answers.

Takes files through the same intake as the service, with a store that is thrown away and nothing published, and
prints a row for each file. Posts of one page that were saved at several times show what changed between them.
"""

import argparse
import asyncio
import hmac
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kommunepuls_chassis.errors import OperatorError, RejectedInput
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.logs import configure_logging
from kommunepuls_chassis.store import Index, open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_chassis.town import Town, TownFile
from kommunepuls_events import ContentItemV1, Kind, LifecycleState
from kommunepuls_events.base import utc_now
from kommunepuls_geography import Geography

from ingest_facebook.adapters.rules_file import shipped_rules
from ingest_facebook.adapters.saved_answers import Saved, SavedAnswer, read_saved
from ingest_facebook.adapters.town_places import read_places
from ingest_facebook.domain.configuration import FacebookPageConfig
from ingest_facebook.domain.graph_errors import read_error
from ingest_facebook.domain.page import page_of
from ingest_facebook.domain.places import Places
from ingest_facebook.domain.usage import usage_of
from ingest_facebook.domain.webhooks import Action, read_webhook, signature_of
from ingest_facebook.service.rejects import Rejects
from ingest_facebook.service.takers import EventTaker, PostTaker


@dataclass
class Row:
    """What became of one file."""

    name: str
    kind: str = ""
    read: int = 0
    published: int = 0
    updated: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    ignored: Counter = field(default_factory=Counter)
    rejects: Counter = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    items: list[ContentItemV1] = field(default_factory=list)

    def counts(self) -> list[str]:
        """The row's cells."""
        numbers = (self.read, self.published, self.updated, self.withdrawn, self.unchanged)
        said = (_listed(self.ignored), _listed(self.rejects), "; ".join(self.remarks))
        return [self.name, self.kind, *(str(number) for number in numbers), *said]


class Check:
    """Saved answers, taken one after the other."""

    def __init__(
        self,
        intake: SourceIntake,
        recorder: RecordingProducer,
        rejects: Rejects,
        posts: PostTaker,
        events: EventTaker,
    ) -> None:
        self._intake = intake
        self._recorder = recorder
        self._rejects = rejects
        self._posts = posts
        self._events = events

    async def take(self, name: str, raw: bytes) -> Row:
        """Take one file."""
        row = Row(name)
        try:
            answers = read_saved(raw)
        except RejectedInput as rejected:
            row.rejects[rejected.reason] += 1
            return row
        row.kind = ", ".join(dict.fromkeys(answer.kind.value for answer in answers))
        for answer in answers:
            await self._take_answer(row, answer, raw)
        return row

    async def _take_answer(self, row: Row, answer: SavedAnswer, raw: bytes) -> None:
        usage = usage_of(answer.headers)
        if answer.headers and (usage.percent or answer.kind is Saved.USAGE):
            row.remarks.append(f"{usage.percent:g} % used, pause {usage.pause_seconds:g} s")
        match answer.kind:
            case Saved.POSTS | Saved.POST | Saved.OTHER:
                await self._take_objects(row, answer.objects, is_event=False)
            case Saved.EVENTS | Saved.EVENT:
                await self._take_objects(row, answer.objects, is_event=True)
            case Saved.ERROR:
                error = read_error(answer.status, answer.error)
                row.read += 1
                number = f"{error.code}" + (f"/{error.subcode}" if error.subcode else "")
                row.remarks.append(f"{number}: {error.meaning.value}")
            case Saved.SIGNATURE:
                vector = answer.objects[0]
                expected = signature_of(vector["secret"], vector["payload"].encode())
                same = hmac.compare_digest(expected, vector["X-Hub-Signature-256"])
                row.read += 1
                row.remarks.append("signature agrees" if same else "signature DIFFERS")
            case Saved.WEBHOOK:
                for change in read_webhook(raw):
                    row.read += 1
                    if change.action is Action.REJECT:
                        row.rejects[change.reason] += 1
                    elif change.action is Action.IGNORE or change.by_visitor:
                        row.ignored[change.reason or "visitor"] += 1
                    else:
                        row.remarks.append(f"{change.action.value} {change.post}")

    async def _take_objects(self, row: Row, objects: list, *, is_event: bool) -> None:
        for raw in objects:
            row.read += 1
            before, rejects_before = len(self._recorder.messages), len(self._recorder.rejects)
            seen: list[object] = []

            async def work(raw: object = raw, seen: list = seen) -> None:
                _refuse_other(raw)
                taken = await (self._events.take(raw) if is_event else self._posts.take(raw, listed=True))
                seen.append(taken)

            await self._rejects.guard("event" if is_event else "post", raw, work, again=True)
            items = [one for one in self._recorder.messages[before:] if isinstance(one, ContentItemV1)]
            row.items += items
            states = Counter(item.lifecycle.state for item in items)
            row.published += states[LifecycleState.PUBLISHED]
            row.updated += states[LifecycleState.UPDATED]
            row.withdrawn += states[LifecycleState.WITHDRAWN]
            for letter in self._recorder.rejects[rejects_before:]:
                row.rejects[letter.reason] += 1
            if seen == [None] and not items:
                row.ignored["not shown"] += 1
            elif seen and not items:
                row.unchanged += 1


def _refuse_other(raw: object) -> None:
    """A place, a page or a token is no post, though it has an id; the service never asks for one."""
    if isinstance(raw, dict) and not any(
        name in raw
        for name in ("message", "story", "created_time", "attachments", "child_attachments", "start_time")
    ):
        raise RejectedInput("not-a-post", "neither a post nor an event")


async def check_files(
    paths: list[Path], *, town: TownFile | None = None, now: Callable[[], datetime] = utc_now
) -> list[Row]:
    """Take files in the order given, as if they were answers about one page of a town."""
    page_town = town.town if town else Town(code="NO-0000", name="Utprøving")
    places = await asyncio.to_thread(read_places, town) if town else Places(Geography(), page_town.code)
    config = FacebookPageConfig(id="facebook-check", type="facebook-page", page="0")
    recorder = RecordingProducer()
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{folder}/check.db") as store:
            journal = ItemJournal(store, recorder, now=now)
            await journal.open()
            intake = SourceIntake("ingest-facebook", page_town, config, journal, recorder, store)
            await intake.open()
            page = page_of(page_town, config, shipped_rules(), places)
            rejects = Rejects(intake, await store.collection("rejected", indexes=[Index("source")]))
            check = Check(
                intake, recorder, rejects,
                PostTaker(intake, journal, page, now), EventTaker(intake, journal, page, now),
            )  # fmt: skip
            return [await check.take(path.name, await asyncio.to_thread(path.read_bytes)) for path in paths]


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table, with their sum."""
    head = [
        "file",
        "kind",
        "read",
        "published",
        "updated",
        "withdrawn",
        "unchanged",
        "ignored",
        "rejected",
        "remarks",
    ]
    total = Row(f"{len(rows)} files")
    for row in rows:
        for name in ("read", "published", "updated", "withdrawn", "unchanged"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
        total.ignored += row.ignored
        total.rejects += row.rejects
    lines = [head, ["---"] * len(head), *(row.counts() for row in rows), total.counts()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _listed(counts: Counter) -> str:
    return ", ".join(f"{reason} {number}" for reason, number in sorted(counts.items()))


def _shown(item: ContentItemV1) -> str:
    when = f"{item.starts_at:%Y-%m-%d %H:%MZ} " if item.kind is Kind.EVENT and item.starts_at else ""
    where = item.place_name or ", ".join(item.areas)
    facts = ", ".join(
        part for part in (item.kind.value, item.language, " ".join(item.interests), where) if part
    )
    return (
        f"  #{item.revision} {when}{item.title}\n     [{facts}; {len(item.links)} links, "
        f"{len(item.pictures)} pictures]\n     {item.summary[:160]}"
    )


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m ingest_facebook.check", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="saved answers, oldest first")
    parser.add_argument("--town", type=Path, help="town file whose areas and names are looked for")
    parser.add_argument("--items", action="store_true", help="show each revision as well")
    arguments = parser.parse_args()
    configure_logging("ingest-facebook", level="ERROR", text=True)
    try:
        rows = asyncio.run(
            check_files(arguments.files, town=TownFile(arguments.town) if arguments.town else None)
        )
    except (OperatorError, OSError) as error:
        print(f"check: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    if arguments.items:
        for row in rows:
            if row.items:
                print(f"\n{row.name}")
                print("\n".join(_shown(item) for item in row.items))
    return 0


if __name__ == "__main__":
    sys.exit(main())
