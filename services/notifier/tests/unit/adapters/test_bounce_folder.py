"""The folder of returned mails."""

from pathlib import Path

from kommunepuls_chassis.health import Health
from notifier.adapters.bounce_folder import BounceFolder
from notifier.domain.identity import message_id
from notifier.testing import Rig, item, match

DSN = """From: MAILER-DAEMON@mx.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; s-1@post.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {original}

--b--
"""


async def test_a_returned_mail_is_acted_on_and_deleted(rig: Rig, tmp_path: Path) -> None:
    await rig.resident()
    await rig.matches(match(item()))
    await rig.until_told(1)
    original = message_id(rig.email.carried[0][0].key, "fjordvik.example")
    inbox = tmp_path / "new"
    folder = BounceFolder(inbox, rig.notifier.bounces, Health())
    assert await folder.read_once() == 0
    write(inbox / "1", DSN.format(original=original))
    write(inbox / ".half-written", DSN.format(original=original))
    write(inbox / "2", "From: mailer-daemon@mx.example\nSubject: failure notice\n\nSorry.\n")
    assert await folder.read_once() == 2
    assert names(inbox) == [".half-written", "unclassified", "unclassified/2"]
    assert await rig.notifier.vault.get("m-s-1") is None


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
