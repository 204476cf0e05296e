"""Texts of strangers in a mail or a push: text or nothing, and never a header or a link of their own."""

import json
from email import message_from_bytes
from email.policy import default

import pytest
from kommunepuls_chassis.testing_payloads import EVALUATED, PAYLOADS, what_runs
from kommunepuls_events import Channel, Organiser
from notifier.adapters.catalogue import PoCatalogue
from notifier.adapters.mail_composer import MailComposer
from notifier.domain.composing import Reader, compose_item, compose_story
from notifier.domain.labels import Labels
from notifier.domain.push_payload import push_payload
from notifier.domain.sendings import about
from notifier.testing import AREA, NOON, item, profile

CATALOGUE = PoCatalogue()
LABELS = Labels(municipalities={"NO-9901": "Fjordvik kommune"})
WORDS = CATALOGUE.words("nb")


def told(payload: str):
    """The message about an item that has the payload in each of its texts."""
    given = item(
        title=f"T {payload}"[:300], summary=payload, body=f"<p>text</p>{payload}", place_name=payload,
        organiser=Organiser(id="NO-9901/klubb", name=payload[:200]),
    )  # fmt: skip
    reader = Reader(
        profile(), WORDS, LABELS, "https://puls.example", "https://puls.example/unsubscribe/token"
    )
    sending = about(given, "s-1", Channel.EMAIL, (AREA,), NOON, None)
    return compose_item(sending, given, compose_story(given, (AREA,), False, reader), reader, NOON)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_of_it_runs_loads_or_adds_to_a_mail(payload: str) -> None:
    composed = MailComposer(CATALOGUE, "puls@fjordvik.example").compose(
        told(payload), "kari@post.example", NOON
    )
    mail = message_from_bytes(composed.as_bytes(), policy=default)
    html = mail.get_body(("html",)).get_content()
    assert what_runs(html, own="https://puls.example", styles=True) == []
    assert EVALUATED not in html + mail.get_body(("plain",)).get_content()
    assert mail["Subject"].startswith("T")
    assert "\n" not in mail["Subject"]
    assert mail["To"] == "kari@post.example"
    assert mail["Bcc"] is None


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_push_carries_it_as_text_and_leads_to_our_own_page(payload: str) -> None:
    content = json.loads(push_payload(told(payload), WORDS))
    assert content["url"].startswith("https://puls.example/items/")
    assert EVALUATED not in content["title"] + content["body"]
