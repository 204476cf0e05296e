"""Sources start, change and stop as an operator edits the town file."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError, PermanentError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.intake import SourceIntake
from kommunepuls_chassis.journal import ItemJournal
from kommunepuls_chassis.sources import SourceRunner
from kommunepuls_chassis.store import open_store
from kommunepuls_chassis.testing import RecordingProducer, eventually
from kommunepuls_chassis.town import SourceConfig, TownFile, load_towns
from kommunepuls_events import SourceStatusV1

pytestmark = pytest.mark.integration
HEAD = "code: NO-9901\nname: Fjordvik\nsources:\n"
ONE = "  - {id: one, type: example, word: first, poll_seconds: 1}\n"
TWO = "  - {id: two, type: example, word: second, poll_seconds: 1}\n"


class ExampleSource(SourceConfig):
    word: str


class Rig:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.polled: list[tuple[str, str]] = []
        self.again: list[tuple[str, bytes]] = []
        self.producer = RecordingProducer()
        self.runner: SourceRunner

    def write(self, text: str) -> None:
        self.path.write_text(text)
        os.utime(self.path, (len(self.polled) + 1_700_000_000, len(self.polled) + 1_700_000_000))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "town.yaml")
    rig.write(HEAD + ONE)

    class ExampleAdapter:
        def __init__(self, intake: SourceIntake, config: ExampleSource, file: TownFile) -> None:
            self._intake, self._config = intake, config

        async def poll(self) -> dict | None:
            rig.polled.append((self._intake.id, self._config.word))
            if self._config.word == "broken":
                raise PermanentError("the token is dead: renew it")
            return {"polls": self._intake.position.get("polls", 0) + 1}

        async def take_again(self, entry: str, raw: bytes) -> None:
            rig.again.append((entry, raw))

    async with open_store(f"sqlite:///{tmp_path / 'sources.db'}") as store:
        journal = ItemJournal(store, rig.producer)
        await journal.open()
        rig.runner = SourceRunner(
            "example", load_towns([rig.path]), {"example": ExampleSource}, ExampleAdapter,
            journal=journal, producer=rig.producer, store=store, health=Health(), watch_seconds=0.05,
        )  # fmt: skip
        task = asyncio.create_task(rig.runner.run())
        yield rig
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_added_source_starts_and_a_changed_one_goes_on_with_its_new_settings(rig: Rig) -> None:
    await eventually(lambda: ("NO-9901/one", "first") in rig.polled)
    rig.write(HEAD + ONE.replace("first", "changed") + TWO)
    await eventually(lambda: {("NO-9901/one", "changed"), ("NO-9901/two", "second")} <= set(rig.polled))


async def test_a_removed_source_is_polled_no_more(rig: Rig) -> None:
    await eventually(lambda: rig.polled)
    rig.write(HEAD + TWO)
    await eventually(lambda: ("NO-9901/two", "second") in rig.polled)
    seen = rig.polled.count(("NO-9901/one", "first"))
    await eventually(lambda: rig.polled.count(("NO-9901/two", "second")) >= 2)
    assert rig.polled.count(("NO-9901/one", "first")) == seen


async def test_a_faulty_file_leaves_the_sources_as_they_were(rig: Rig) -> None:
    await eventually(lambda: rig.polled)
    rig.write(HEAD + ONE + "colour: [\n")
    before = len(rig.polled)
    await eventually(lambda: len(rig.polled) > before)
    assert {word for _, word in rig.polled} == {"first"}


async def test_a_source_that_needs_a_hand_says_so_in_its_state(rig: Rig) -> None:
    rig.write(HEAD + ONE.replace("first", "broken"))
    await eventually(lambda: any(one.error for one in rig.producer.of(SourceStatusV1)))
    assert rig.producer.of(SourceStatusV1)[-1].error == "the token is dead: renew it"


async def test_a_replayed_reject_reaches_its_source_and_one_of_a_gone_source_harms_nobody(rig: Rig) -> None:
    await eventually(lambda: rig.polled)
    await rig.runner.take_again("NO-9901/one", "item", b"{}")
    await rig.runner.take_again("NO-9901/gone", "item", b"{}")
    assert rig.again == [("item", b"{}")]


def test_a_fault_in_a_source_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "town.yaml"
    path.write_text(HEAD + "  - {id: one, type: example}\n")
    runner = SourceRunner(
        "example", load_towns([path]), {"example": ExampleSource}, lambda *_: None,
        journal=None, producer=None, store=None, health=Health(),
    )  # fmt: skip
    with pytest.raises(OperatorError, match=r"town\.yaml:4: sources\.0\.word"):
        runner.check()
