"""Mails signed by processes of their own, as a mail server gets them."""

import asyncio
import os
import signal

import dkim
import pytest
from kommunepuls_chassis.testing import eventually
from notifier.adapters.dkim_keys import new_ed25519_key, new_rsa_key
from notifier.adapters.dkim_signers import DkimSigners, open_signers
from notifier.testing import item_message, mail_carrier, mail_endpoint, mail_message

pytestmark = pytest.mark.integration
KEYS = (new_rsa_key("fjordvik.example", "puls"), new_ed25519_key("fjordvik.example", "puls-ed"))
RECORDS = {f"{key.selector}._domainkey.{key.domain}.".encode(): key.record.encode() for key in KEYS}


def processes(signers: DkimSigners) -> list[int]:
    """The processes that sign, by what the system says of our children."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        pids = [int(pid) for pid in children.read().split()]
    lines = {pid: open(f"/proc/{pid}/cmdline", "rb").read() for pid in pids}  # noqa: SIM115
    return [pid for pid, line in lines.items() if b"dkim_worker" in line]


async def test_every_mail_carries_signatures_that_verify(mail_sink) -> None:
    async with open_signers(KEYS, processes=2) as signers:
        carrying = mail_carrier(mail_sink.port, at_once=20, connections=2, keys=KEYS, signers=signers)
        messages = [item_message(f"s-{number}", token=f"token-{number}") for number in range(18)]
        await asyncio.gather(
            *(
                carrying.carry(one, mail_endpoint(f"r{number}@post.example"), first=False)
                for number, one in enumerate([*messages, mail_message(1), mail_message(2)])
            )
        )
        await carrying.close()
    assert len({mail["Message-ID"] for _, mail in mail_sink.mails}) == 20
    for raw in mail_sink.raw:
        for which in (0, 1):
            assert dkim.DKIM(raw).verify(which, dnsfunc=lambda name, timeout=5: RECORDS.get(name))


async def test_a_signing_process_that_was_killed_is_replaced_and_no_mail_goes_unsigned(mail_sink) -> None:
    async with open_signers(KEYS, processes=1) as signers:
        carrying = mail_carrier(mail_sink.port, keys=KEYS, signers=signers)
        await carrying.carry(mail_message(1), mail_endpoint(), first=False)
        [killed] = processes(signers)
        os.kill(killed, signal.SIGKILL)
        await carrying.carry(mail_message(2), mail_endpoint(), first=False)
        assert killed not in processes(signers)
        await carrying.close()
    assert [mail["DKIM-Signature"] is not None for _, mail in mail_sink.mails] == [True, True]
    await eventually(lambda: not processes(signers), within=10, what="no process left behind")
