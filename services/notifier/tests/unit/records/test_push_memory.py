"""What stays open in memory: used while the vault says that it is the same, and by nobody else."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from kommunepuls_chassis.store.open import open_store
from kommunepuls_chassis.testing import RecordingProducer
from kommunepuls_events import Channel
from notifier.adapters.key_stock import KeyStock
from notifier.domain.contacts import MailAddress, PushSubscription
from notifier.records.knowledge import Knowledge
from notifier.records.vault import Endpoint, Vault
from notifier.records.vault_keys import KeyRing, new_vault_key
from notifier.service.clock import Clock
from notifier.service.stocking import Stocking
from notifier.testing import NOON


class CountingKeys(KeyRing):
    """Counts what is decrypted."""

    opened = 0

    def decrypt(self, *given: object, **named: object) -> dict:
        self.opened += 1
        return super().decrypt(*given, **named)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        yield store


@pytest.fixture
def keys() -> CountingKeys:
    return CountingKeys(new_vault_key())


@pytest.fixture
async def vault(store, keys: CountingKeys) -> Vault:
    return await Vault.open(store, keys, most_in_memory=100)


def phone(subscriber: str = "s-1", endpoint: str = "p-1", *, at: str = "one") -> Endpoint:
    contact = PushSubscription(f"https://push.example/{at}", b"\x04" + os.urandom(64), os.urandom(16))
    return Endpoint(endpoint, subscriber, Channel.PUSH, contact)


async def test_it_is_opened_once_and_found_with_the_others_of_its_resident(vault: Vault, keys) -> None:
    here, there = phone(), phone(endpoint="p-0")
    mail = Endpoint("m-1", "s-1", Channel.EMAIL, MailAddress("kari@post.example"))
    await vault.register_many([here, mail, phone("s-2", "p-2")], NOON)
    assert await vault.active_push(["s-1"]) == {"s-1": [here]}
    await vault.register(there, NOON)
    for _ in range(3):
        assert await vault.active_push(["s-1", "s-9"]) == {"s-1": [there, here]}
    assert keys.opened == 2


async def test_what_was_retired_by_another_process_is_not_used(store, vault: Vault, keys) -> None:
    await vault.register(phone(), NOON)
    await vault.active_push(["s-1"])
    await (await Vault.open(store, keys)).retire("p-1", "endpoint-gone", NOON)
    assert await vault.active_push(["s-1"]) == {}
    assert len(vault._memory) == 0


async def test_what_was_erased_and_registered_anew_under_the_same_id_is_the_new_one(
    store, vault: Vault, keys
) -> None:
    other = await Vault.open(store, keys)
    for renewed in (phone(), phone(at="two"), phone("s-2")):
        await other.erase("s-1")
        await other.register(renewed, NOON)
        assert await vault.active_push(["s-1", "s-2"]) == {renewed.subscriber: [renewed]}


async def test_what_moves_between_two_reads_is_not_used(vault: Vault) -> None:
    await vault.register(phone(), NOON)
    get_many = vault._endpoints.get_many

    async def meanwhile(keys):
        await vault.retire("p-1", "asked", NOON)
        return await get_many(keys)

    vault._endpoints.get_many = meanwhile
    assert await vault.active_push(["s-1"]) == {}


async def test_who_is_erased_is_forgotten_without_being_told_of_anything(store, vault: Vault) -> None:
    knowledge = await Knowledge.open(store)
    stocking = Stocking(
        vault, knowledge, KeyStock(), RecordingProducer(), Clock(lambda: NOON), range(4), lambda: False
    )
    await vault.register_many([phone(), phone("s-2", "p-2")], NOON)
    await stocking.offer_all()
    assert len(vault._memory) == 2
    await vault.erase("s-1")
    await knowledge.erase_profile("s-1", NOON - timedelta(seconds=9))
    await stocking.forget_erased()
    assert list(vault._memory._ids) == ["s-2"]
    assert list(vault._memory._kept) == ["p-2"]


async def test_no_more_are_kept_than_was_said_and_all_are_found(store, keys) -> None:
    vault = await Vault.open(store, keys, most_in_memory=2)
    phones = [phone(f"s-{number}", f"p-{number}") for number in range(5)]
    await vault.register_many(phones, NOON)
    for _ in range(2):
        found = await vault.active_push([one.subscriber for one in phones])
        assert found == {one.subscriber: [one] for one in phones}
    assert len(vault._memory) == 2
    assert keys.opened == 5 + 3


async def test_what_an_older_version_kept_without_a_stamp_is_read_each_time_until_it_is_renewed(
    vault: Vault, keys
) -> None:
    await vault.register(phone(), NOON)
    await vault._endpoints.patch("p-1", {"stamp": None})
    for _ in range(2):
        assert list(await vault.active_push(["s-1"])) == ["s-1"]
    assert keys.opened == 2
    assert await vault.renew_encryption() == 1
    for _ in range(2):
        await vault.active_push(["s-1"])
    assert keys.opened == 2 + 1 + 1
