"""Contact details at rest."""

from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError, PermanentError
from kommunepuls_chassis.store.open import open_store
from kommunepuls_events import Channel
from notifier.domain.contacts import MailAddress
from notifier.records.vault import Endpoint, Vault
from notifier.records.vault_keys import KeyRing, new_vault_key
from notifier.testing import NOON

KARI = Endpoint("m-1", "s-1", Channel.EMAIL, MailAddress("Kari@post.example"))


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_no_address_is_readable_in_the_store_and_none_shows_in_logs(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        vault = await Vault.open(store, KeyRing(new_vault_key()))
        await vault.register(KARI, NOON)
        assert (await vault.active(["s-1"]))["s-1"][0].contact.address == "Kari@post.example"
        assert await vault.at_address("<KARI@POST.example>") == ["m-1"]
    assert b"post.example" not in all_bytes(tmp_path).lower()
    assert "post" not in repr(KARI)
    assert "post" not in f"{KARI.contact!r}"


async def test_an_entry_cannot_be_moved_to_another_subscriber(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        vault = await Vault.open(store, KeyRing(new_vault_key()))
        await vault.register(KARI, NOON)
        await vault._endpoints.patch("m-1", {"subscriber": "s-2"})
        with pytest.raises(PermanentError, match="cannot be read"):
            await vault.active(["s-2"])


async def test_a_new_key_takes_over_and_the_old_one_can_go(tmp_path: Path) -> None:
    old, new = new_vault_key(), new_vault_key()
    async with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        await (await Vault.open(store, KeyRing(old))).register(KARI, NOON)
        both = await Vault.open(store, KeyRing(f"{new},{old}"))
        assert (await both.get("m-1")).contact == KARI.contact
        assert await both.renew_encryption() == 1
        assert await both.renew_encryption() == 0
        alone = await Vault.open(store, KeyRing(new))
        assert (await alone.get("m-1")).contact == KARI.contact
        assert await alone.at_address("kari@post.example") == ["m-1"]


@pytest.mark.parametrize("text", ["", ",", "short", "x" * 43 + "!", "AAAA"])
def test_a_wrong_key_is_told_in_one_line(text: str) -> None:
    with pytest.raises(OperatorError, match="KP_VAULT_KEY"):
        KeyRing(text)
