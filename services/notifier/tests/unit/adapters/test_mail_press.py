"""A filled-in copy says what a mail composed for one resident says."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import MailPress
from notifier.domain.messages import Message
from notifier.testing import ALERT, AREA, INTEREST, NOON
from notifier.testing import item_message as message

CATALOGUE = PoCatalogue()
COMPOSER = MailComposer(CATALOGUE, "puls@fjordvik.example")


def copy(press: MailPress, one: Message, address: str) -> bytes:
    """A filled-in copy as a reader gets it (RFC 5321 section 4.5.2)."""
    wire = press.pressed(one, address, NOON).wire
    assert wire.endswith(b"\r\n.\r\n")
    assert wire.count(b"\r\n.\r\n") == 1
    return wire.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")


def read(raw: bytes) -> tuple[dict[str, str], list[str]]:
    mail: EmailMessage = message_from_bytes(raw, policy=default)
    assert not mail.defects
    headers = {name: str(value) for name, value in mail.items() if name != "Content-Type"}
    return headers, [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]


@pytest.mark.parametrize("length", [1, 43, 71, 72, 73, 150, 400])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        ALERT,
        {"title": "Æ" * 140, "summary": ".\n..\n= =3D " + "ø " * 290},
        {"summary": "key to url date folded\n" * 20, "links": [{"url": "https://kilde.example/?a=1&b=2"}]},
    ],
)
def test_a_copy_says_the_same_as_a_mail_composed_for_one(length: int, fields: dict) -> None:
    press = MailPress(COMPOSER)
    for number in range(3):
        one = message(f"s-{number}", token=("tok.en_-" * 60)[number : number + length], **fields)
        raw = copy(press, one, f"kari.{number}@post.example")
        assert read(raw) == read(COMPOSER.compose(one, f"kari.{number}@post.example", NOON).as_bytes())
        assert b"\0" not in raw
        body = raw.partition(b"\r\n\r\n")[2]
        assert max(len(line) for line in body.split(b"\r\n")) <= 78
    assert len(press._kept) == 1


def test_no_copy_holds_anything_of_another_resident() -> None:
    press = MailPress(COMPOSER)
    first = copy(press, message("s-1", "first-token"), "kari@post.example")
    second = copy(press, message("s-2", "second-token"), "ola@post.example")
    assert b"kari" not in second
    assert b"first-token" not in second
    assert message("s-1").key.encode() not in second
    assert b"second-token" not in first


def test_who_reads_other_reasons_gets_another_mail() -> None:
    press = MailPress(COMPOSER)
    one = copy(press, message(reasons=(AREA,)), "kari@post.example")
    two = copy(press, message(reasons=(INTEREST,)), "kari@post.example")
    assert read(one)[1] != read(two)[1]


@pytest.mark.parametrize(
    "address", ["kåri@post.example", "kari@pøst.example", "a..b@post.example", "k{x}@post.example"]
)
def test_an_unusual_address_is_left_to_the_composer(address: str) -> None:
    assert MailPress(COMPOSER).pressed(message(), address, NOON) is None


def test_an_address_to_unsubscribe_that_needs_quoting_is_left_to_the_composer() -> None:
    one = replace(message(), unsubscribe_url="https://puls.example/?a=1&b=2")
    assert MailPress(COMPOSER).pressed(one, "kari@post.example", NOON) is None
