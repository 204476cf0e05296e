"""Signatures that a library which is not ours verifies, and that nothing in the mail can be changed under."""

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO

import dkim
import pytest
from kommunepuls_chassis.errors import OperatorError
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.dkim import DkimSealer, relaxed_body, relaxed_field, signed_at, with_signature
from notifier.adapters.dkim_keys import DkimKey, new_ed25519_key, new_rsa_key, read_keys
from notifier.adapters.dkim_worker import COUNT, DIGEST, main
from notifier.adapters.mail_composer import MailComposer
from notifier.adapters.mail_press import Letter, MailPress
from notifier.testing import ALERT, NOON
from notifier.testing import item_message as message

RSA = new_rsa_key("fjordvik.example", "puls")
ED25519 = new_ed25519_key("fjordvik.example", "puls-ed")
ADDRESS = "kari@post.example"


def signed(letter: Letter, keys: Sequence[DkimKey]) -> bytes:
    """The mail as a reader gets it, signed as the process that signs does it."""
    asked = COUNT.pack(len(keys)) + b"".join(COUNT.pack(len(key.der)) + key.der for key in keys)
    asked += COUNT.pack(len(letter.seals))
    asked += b"".join(DIGEST.pack(seal.key, seal.digest) for seal in letter.seals)
    made = BytesIO()
    main(BytesIO(asked), made)
    made.seek(0)
    fields = b"".join(with_signature(seal.field, made.read(keys[seal.key].octets)) for seal in letter.seals)
    assert not made.read()
    return fields + letter.wire.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")


def press(*keys: DkimKey) -> MailPress:
    return MailPress(MailComposer(PoCatalogue(), "puls@fjordvik.example"), DkimSealer(keys))


def verified(mail: bytes, *keys: DkimKey, which: int = 0) -> bool:
    records = {f"{key.selector}._domainkey.{key.domain}.".encode(): key.record.encode() for key in keys}
    try:
        return dkim.DKIM(mail).verify(which, dnsfunc=lambda name, timeout=5: records.get(name))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize(
    "fields",
    [
        {},
        ALERT,
        {"title": "Æ" * 140, "summary": ".\n..\n= =3D  \t to mellomrom  \n\n\n" + "ø " * 290},
    ],
)
def test_each_copy_of_a_mail_verifies_with_its_own_link_and_address(fields: dict) -> None:
    pressing = press(RSA)
    mails = []
    for number in range(3):
        letter = pressing.pressed(
            message(f"s-{number}", token=("tok.en_-" * 20)[number : 100 + number], **fields),
            f"kari.{number}@post.example",
            NOON,
        )
        mails.append(signed(letter, [RSA]))
        assert verified(mails[-1], RSA)
        field = mails[-1].partition(b"\r\nFrom:")[0]
        assert max(len(line) for line in field.split(b"\r\n")) <= 78
    assert len(set(mails)) == 3


def test_a_mail_that_the_composer_alone_can_write_verifies_too() -> None:
    letter = press(RSA).letter(message(), "k{x}@post.example", NOON)
    assert verified(signed(letter, [RSA]), RSA)


def test_a_second_signature_in_ed25519_verifies_beside_the_first() -> None:
    letter = press(RSA, ED25519).letter(message(), ADDRESS, NOON)
    mail = signed(letter, [RSA, ED25519])
    assert verified(mail, RSA, ED25519, which=0)
    assert verified(mail, RSA, ED25519, which=1)
    assert {bytes(name) for name in re.findall(rb"a=([\w-]+);", mail)} == {b"rsa-sha256", b"ed25519-sha256"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Breidablikk er", b"Breidablikk var"),
        (b"/unsubscribe/abc", b"/unsubscribe/abd"),
        (b"To: kari@", b"To: ola@"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"\r\nFrom: ", b"\r\nFrom: Someone <else@evil.example>\r\nFrom: "),
        (b"\r\nSubject: ", b"\r\nSubject: Something else\r\nSubject: "),
        (b"\r\nDate: ", b"\r\nReply-To: else@evil.example\r\nDate: "),
    ],
)
def test_nothing_that_a_reader_sees_can_be_changed_or_added(before: bytes, after: bytes) -> None:
    mail = signed(press(RSA).letter(message(), ADDRESS, NOON), [RSA])
    assert before in mail
    assert not verified(mail.replace(before, after, 1), RSA)


def test_what_servers_on_the_way_do_to_white_space_breaks_nothing() -> None:
    mail = signed(press(RSA).letter(message(), ADDRESS, NOON), [RSA])
    assert verified(mail + b"\r\n\r\n", RSA)
    head, _, body = mail.partition(b"\r\n\r\n")
    assert verified(head.replace(b"\r\nTo: ", b"\r\nTO:  \t") + b"\r\n\r\n" + body, RSA)


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", " \t", " \n \n"])
def test_a_body_of_any_end_and_folded_headers_verify(end: str) -> None:
    mail = EmailMessage(policy=SMTP.clone(max_line_length=40))
    mail["From"] = "puls@fjordvik.example"
    mail["Subject"] = "Blåbærtur på Høgås og en svært lang overskrift som må brettes " * 3
    mail["To"] = ", ".join(f"en.ganske.lang.adresse.{number}@post.example" for number in range(4))
    mail.set_content("Hei  på\tdeg" + end, cte="8bit")
    raw = mail.as_bytes()
    letter = Letter(raw + b".\r\n", DkimSealer([RSA]).prepared(raw).seals(signed_at(NOON)))
    assert verified(signed(letter, [RSA]), RSA)


def test_canonical_forms_are_those_of_the_standard() -> None:
    # RFC 6376 section 3.4.5
    assert relaxed_field(b"A: X") == b"a:X"
    assert relaxed_field(b"B : Y\t\r\n\tZ  ") == b"b:Y Z"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"\r\n\r\n") == relaxed_body(b"") == b""


def test_keys_are_read_as_they_are_printed() -> None:
    read = read_keys(
        "fjordvik.example", "puls, puls-ed", f"{RSA.text},{ED25519.text}", "puls@post.fjordvik.example"
    )
    assert [(key.selector, key.record) for key in read] == [
        (key.selector, key.record) for key in (RSA, ED25519)
    ]


SHORT = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQ"


@pytest.mark.parametrize(
    ("domain", "selectors", "keys", "sender", "told"),
    [
        ("fjord vik", "a", RSA.text, "x@fjordvik.example", "KP_DKIM_DOMAIN"),
        ("fjordvik.example", "a_b", RSA.text, "x@fjordvik.example", "KP_DKIM_SELECTOR"),
        ("annen.example", "a", RSA.text, "x@fjordvik.example", "KP_MAIL_FROM"),
        ("fjordvik.example", "a,b", RSA.text, "x@fjordvik.example", "names 2 keys"),
        ("fjordvik.example", "", "", "x@fjordvik.example", "names 0 keys"),
        ("fjordvik.example", "a", SHORT, "x@fjordvik.example", "notifier.keys dkim"),
        ("fjordvik.example", "a", "tull", "x@fjordvik.example", "KP_DKIM_PRIVATE_KEY"),
    ],
)
def test_a_wrong_key_or_name_is_told_in_one_line_without_the_key(
    domain: str, selectors: str, keys: str, sender: str, told: str
) -> None:
    with pytest.raises(OperatorError) as error:
        read_keys(domain, selectors, keys, sender)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert not keys or keys not in str(error.value)
