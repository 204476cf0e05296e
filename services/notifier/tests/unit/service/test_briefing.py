"""What a batch of sendings is decided on, while residents register in the same moment."""

import pytest
from kommunepuls_events import Channel
from notifier.domain.sendings import about
from notifier.service.briefing import brief
from notifier.testing import AREA, NOON, Rig, item


async def test_who_registers_between_two_reads_is_not_taken_for_one_without_an_endpoint(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = rig.notifier.vault
    active = vault.active

    async def registered_right_after(subscribers):
        found = await active(subscribers)
        await rig.mail_to("s-1", endpoint="m-1")
        return found

    monkeypatch.setattr(vault, "active", registered_right_after)
    sending = about(item(), "s-1", Channel.EMAIL, (AREA,), NOON, None)
    briefing = await brief([sending], rig.notifier.dispatcher._desk.knowledge, vault)
    assert "s-1" in briefing.known
    assert [one.id for one in briefing.endpoints_left(sending)] == ["m-1"]
