"""What is known of residents, as many are told by it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from kommunepuls_chassis.store.open import open_store
from kommunepuls_events import Channel
from notifier.records.knowledge import Gist, Knowledge
from notifier.testing import NOON, profile


@pytest.fixture
async def knowledge(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        yield await Knowledge.open(store)


async def test_a_gist_says_what_the_newest_profile_says(knowledge: Knowledge) -> None:
    await knowledge.keep_profiles([profile("s-1"), profile("s-2", channels=("push", "email"), language="se")])
    await knowledge.keep_profile(profile("s-1", revision=2, channels=("push",), timezone="Europe/Helsinki"))
    known, erased = await knowledge.gists(["s-1", "s-2", "s-3"])
    assert known == {
        "s-1": Gist((Channel.PUSH,), "nb", "Europe/Helsinki"),
        "s-2": Gist((Channel.PUSH, Channel.EMAIL), "se", "Europe/Oslo"),
    }
    assert erased == set()


async def test_who_was_erased_has_none_and_is_named_with_the_time(knowledge: Knowledge) -> None:
    await knowledge.keep_profiles([profile("s-1")])
    await knowledge.erase_profile("s-1", NOON)
    assert await knowledge.gists(["s-1"]) == ({}, {"s-1"})
    assert await knowledge.erased_since(NOON - timedelta(minutes=1)) == {"s-1"}
    assert await knowledge.erased_since(NOON + timedelta(minutes=1)) == set()


async def test_a_profile_that_an_older_version_kept_has_a_gist_too(knowledge: Knowledge) -> None:
    await knowledge.keep_profiles([profile("s-1", channels=("push",))])
    await knowledge._profiles.patch("s-1", {"gist": None})
    known, _ = await knowledge.gists(["s-1"])
    assert known == {"s-1": Gist((Channel.PUSH,), "nb", "Europe/Oslo")}
