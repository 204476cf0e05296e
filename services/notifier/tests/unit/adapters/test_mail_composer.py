"""The mail: headers nobody can add to, text and HTML that say the same."""

from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtplib.email import flatten_message
from kommunepuls_events import Channel
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.mail_composer import MailComposer, one_line
from notifier.domain.composing import STAFF_INVITATION, Reader, compose_item, compose_link, compose_story
from notifier.domain.identity import key_of_message_id
from notifier.domain.labels import Labels
from notifier.domain.sendings import Kind, Lane, Sending, about
from notifier.testing import AREA, NOON, item, profile

CATALOGUE = PoCatalogue()
LABELS = Labels(
    municipalities={"NO-9901": "Fjordvik kommune"}, areas={"NO-9901/breidablikk": {"": "Breidablikk"}}
)


def composed(language: str = "nb", sender: str | None = None, unsubscribe: str = "token", **fields: object):
    labels = LABELS if sender is None else Labels(municipalities={"NO-9901": sender})
    reader = Reader(
        profile(language=language), CATALOGUE.words(language), labels, "https://puls.example",
        f"https://puls.example/unsubscribe/{unsubscribe}",
    )  # fmt: skip
    given = item(**fields)
    sending = about(given, "s-1", Channel.EMAIL, (AREA,), NOON, None)
    message = compose_item(sending, given, compose_story(given, (AREA,), False, reader), reader, NOON)
    return message, MailComposer(CATALOGUE, "puls@fjordvik.example").compose(
        message, "kari@post.example", NOON
    )


def mail_about(language: str = "nb", sender: str | None = None, **fields: object):
    message, mail = composed(language, sender, **fields)
    return message, message_from_bytes(mail.as_bytes(), policy=default)


def body(mail: object, kind: str) -> str:
    return mail.get_body((kind,)).get_content()


def test_a_mail_has_text_and_html_that_say_why_and_where_to_stop_it() -> None:
    _, mail = mail_about()
    for kind in ("plain", "html"):
        text = body(mail, kind)
        for part in (
            "Fjordvik kommune",
            "Breidablikk er brøytet",
            "Alle veier i Breidablikk er brøytet og strødd.",
            "Du får dette fordi",
            "du følger området Breidablikk",
            "https://puls.example/items/NO-9901%2Faktuelt%2F1",
            "https://puls.example/settings",
            "https://puls.example/unsubscribe/token",
        ):
            assert part in text, (kind, part)


def test_one_click_stops_it() -> None:
    _, mail = mail_about()
    assert mail["List-Unsubscribe"] == "<https://puls.example/unsubscribe/token>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_long_unsubscribe_address_stays_readable_on_the_wire() -> None:
    token = "eyJ" + "x" * 300
    _, mail = composed(unsubscribe=token)
    for raw in (mail.as_bytes(), flatten_message(mail)):
        assert f"List-Unsubscribe: <https://puls.example/unsubscribe/{token}>\r\n".encode() in raw


@pytest.mark.parametrize(
    "title",
    [
        "Nytt i saken: Tillatelse - Storgata 4 - gnr 14 bnr 301 - oppføring av garasje - tillatelse",
        "Skolegata er stengt mellom nr. 4 og 18 fra i dag til fredag på grunn av arbeid med fjernvarme.",
        "Road works on Main Street between number four and number eighteen, from today until Friday evening",
        "Ææ øø åå " * 16,
        "⚽" * 60,
    ],
)
def test_a_subject_comes_back_as_it_was_written_in_short_lines(title: str) -> None:
    message, mail = composed(title=title)
    for raw in (mail.as_bytes(), flatten_message(mail)):
        assert all(len(line) <= 78 for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))
        assert message_from_bytes(raw, policy=default)["Subject"] == one_line(message.title, 160)


def test_the_same_message_has_the_same_id_and_the_id_leads_back_to_it() -> None:
    message, first = mail_about()
    _, second = mail_about()
    assert first["Message-ID"] == second["Message-ID"]
    assert key_of_message_id(first["Message-ID"]) == message.key
    assert mail_about(revision=2)[1]["Message-ID"] != first["Message-ID"]


@pytest.mark.parametrize(
    "evil", ["\r\nBcc: all@post.example", "\nX-Evil: 1", "\r\n\r\nbody", "\x00\x0b\x85\u2028Bcc: x"]
)
def test_nobody_adds_headers_through_a_title_or_a_name(evil: str) -> None:
    _, mail = mail_about(title=f"Hei{evil}", sender=f"Fjordvik{evil}")
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert "\n" not in str(mail["Subject"])
    assert str(mail["Subject"]).startswith("Hei")
    assert mail["From"].addresses[0].addr_spec == "puls@fjordvik.example"
    assert [one.addr_spec for one in mail["To"].addresses] == ["kari@post.example"]


def test_scripts_and_markup_of_a_source_do_not_reach_the_html() -> None:
    _, mail = mail_about(
        title="<script>alert(1)</script>Hei & <img src=x onerror=alert(1)>",
        summary='<a href="javascript:alert(1)">klikk</a>',
        links=[{"url": 'https://kilde.example/?a=1&b="<b>', "title": "<b>Kilde</b>"}],
    )
    html = body(mail, "html")
    for evil in ("<script", "<img", "onerror", "javascript:", "<b>"):
        assert evil not in html
    assert "Hei &amp;" in html


def test_no_picture_or_anything_else_is_fetched_when_the_mail_is_read() -> None:
    _, mail = mail_about(pictures=[{"url": "https://kilde.example/bilde.jpg"}])
    html = body(mail, "html")
    for tag in ("<img", "url(", "<link", "@import", "<iframe", "src="):
        assert tag not in html


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nb", "Du får dette fordi"),
        ("nn", "Les meir"),
        ("sv", "Du får detta eftersom"),
        ("en", "You get this because"),
    ],
)
def test_our_own_words_are_in_the_residents_language(language: str, words: str) -> None:
    _, mail = mail_about(language)
    assert words in body(mail, "plain")
    assert mail["Content-Language"] == language
    assert f'<html lang="{language}">' in body(mail, "html")


def test_a_mail_is_small_and_its_lines_are_short() -> None:
    _, mail = mail_about(summary="ø" * 1000)
    raw = mail.as_bytes()
    assert len(raw) < 30_000
    assert max(len(line) for line in raw.splitlines()) <= 998


def test_a_link_mail_holds_the_link_and_nothing_to_unsubscribe_from() -> None:
    sending = Sending("a" * 40, Kind.LINK, "s-1", Channel.EMAIL, Lane.FIRST, NOON, NOON)
    link = "https://puls.example/login/abc?x=1&y=2"
    message = compose_link(sending, link, "Fjordvik kommune", CATALOGUE.words("nb"), "https://puls.example")
    mail = MailComposer(CATALOGUE, "puls@fjordvik.example").compose(message, "kari@post.example", NOON)
    assert link in mail.get_body(("plain",)).get_content()
    assert 'href="https://puls.example/login/abc?x=1&amp;y=2"' in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe"] is None
    invited = compose_link(
        sending,
        link,
        "Fjordvik kommune",
        CATALOGUE.words("nb"),
        "https://puls.example",
        letter=STAFF_INVITATION,
    )
    letter = MailComposer(CATALOGUE, "puls@fjordvik.example").compose(invited, "kari@post.example", NOON)
    for form in ("plain", "html"):
        assert "drifte Kommunepuls" in letter.get_body((form,)).get_content()
        assert "drifte Kommunepuls" not in mail.get_body((form,)).get_content()
