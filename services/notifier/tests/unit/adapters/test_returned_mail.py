"""Returned mails: made-up ones of each kind, and the real ones of many servers."""

import time
from collections import Counter
from pathlib import Path

import pytest
from notifier.adapters.returned_mail import read_returned_mail
from notifier.domain.bounces import Effect

REPORT = """From: MAILER-DAEMON@mx.example
To: puls@fjordvik.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <the-report@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/{kind}

{fields}

--b
Content-Type: message/rfc822

From: puls@fjordvik.example
To: kari@post.example
Message-ID: <kp.{key}@fjordvik.example>
Subject: Hei

Hei
--b--
"""
KEY = "0" * 40
OURS = f"<kp.{KEY}@fjordvik.example>"


def report(fields: str, kind: str = "delivery-status") -> bytes:
    return REPORT.format(kind=kind, fields=fields, key=KEY).encode()


def dsn(status: str, action: str = "failed", diagnostic: str = "smtp; 550 no") -> bytes:
    return report(
        "Reporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; kari@post.example\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: {diagnostic}"
    )


@pytest.mark.parametrize(
    ("raw", "effect", "detail"),
    [
        (dsn("5.1.1"), Effect.HARD, "no-such-address"),
        (dsn("5.2.2"), Effect.SOFT, "mailbox-full"),
        (dsn("5.7.1", diagnostic="smtp; 554 5.7.1 blocked by policy"), Effect.SOFT, "refused"),
        (dsn("4.4.7"), Effect.SOFT, "later"),
        (dsn("4.4.1", action="delayed"), Effect.NONE, "delayed"),
        (dsn("2.0.0", action="delivered"), Effect.NONE, "delivered"),
        (report("Feedback-Type: abuse\nVersion: 1", "feedback-report"), Effect.COMPLAINT, "abuse"),
        (report("Feedback-Type: opt-out\nVersion: 1", "feedback-report"), Effect.COMPLAINT, "opt-out"),
        (report("Feedback-Type: auth-failure\nVersion: 1", "feedback-report"), Effect.NONE, "auth-failure"),
        (report("Feedback-Type: not-spam\nVersion: 1", "feedback-report"), Effect.NONE, "not-spam"),
    ],
)
def test_a_report_in_the_standards_form(raw: bytes, effect: Effect, detail: str) -> None:
    [bounce] = read_returned_mail(raw)
    assert (bounce.effect, bounce.detail) == (effect, detail)
    assert bounce.recipient == "kari@post.example"
    assert bounce.original_message_id == OURS, "of the mail that came back, not of the report"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(line_end: str) -> None:
    raw = dsn("5.1.1").replace(b"\n", line_end.encode())
    [bounce] = read_returned_mail(raw)
    assert (bounce.effect, bounce.original_message_id) == (Effect.HARD, OURS)


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\nSubject: Re: Hei",
        "Return-Path: <>\nSubject: Automatic reply: Hei",
        "Return-Path: <>\nSubject: Fraværsmelding",
        "Return-Path: <>\nSubject: Autosvar: Hei\nPrecedence: auto_reply",
    ],
)
def test_who_is_away_has_not_bounced(headers: str) -> None:
    raw = (
        f"From: Kari <kari@post.example>\n{headers}\n\nUser unknown until May: kari@post.example 550 5.1.1\n"
    )
    [bounce] = read_returned_mail(raw.encode())
    assert bounce.effect is Effect.NONE


def test_somebody_who_writes_to_us_has_not_bounced() -> None:
    raw = b"From: kari@post.example\nSubject: Undelivered\n\nMy mail to x@y.example came back: 550 user unknown\n"
    [bounce] = read_returned_mail(raw)
    assert (bounce.effect, bounce.detail) == (Effect.NONE, "not-a-bounce")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n" * 50_000,
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n" * 3000,
        b"Content-Type: text/plain; charset=no-such\nFrom: mailer-daemon@x.example\n\nundeliverable \xff\xfe",
        b"From: mailer-daemon@x.example\nSubject: failure notice\n\n" + b"a@" * 300_000,
        dsn("5.1.1")[:300],
    ],
)
def test_broken_and_hostile_mails_are_read_in_bounded_time(raw: bytes) -> None:
    began = time.monotonic()
    bounces = read_returned_mail(raw)
    assert time.monotonic() - began < 3
    assert bounces
    assert all(bounce.effect in (Effect.NONE, Effect.SOFT) for bounce in bounces)


def outcomes(folder: Path) -> dict[str, list[tuple[str, str]]]:
    return {
        path.stem: [(str(one.effect), str(one.detail)) for one in read_returned_mail(path.read_bytes())]
        for path in sorted(folder.glob("*.eml"))
    }


def test_every_real_mail_is_understood(shared_data: Path) -> None:
    found = outcomes(shared_data / "push_email" / "mail")
    assert len(found) == 77
    sums = Counter(outcome for listed in found.values() for outcome in listed)
    assert sums == {
        ("hard-bounce", "no-such-address"): 28,
        ("soft-bounce", "refused"): 20,
        ("soft-bounce", "mailbox-full"): 6,
        ("soft-bounce", "later"): 4,
        ("complaint", "abuse"): 9,
        ("complaint", "opt-out"): 1,
        ("none", "delayed"): 5,
        ("none", "auto-reply"): 4,
        ("none", "auth-failure"): 2,
        ("none", "not-a-bounce"): 1,
    }
    assert found["not_is-not-bounce-01"] == [("none", "not-a-bounce")]
    for name in ("mac_arf-01", "dos_arf-01", "arf-01"):
        assert found[name] == [("complaint", "abuse")], "line ends make no difference"
    assert found["rfc3464-35"] == [
        ("hard-bounce", "no-such-address"),
        ("none", "delayed"),
        ("hard-bounce", "no-such-address"),
    ], "each recipient has an outcome of its own"
    assert found["lhost-amazonses-03"] == [("soft-bounce", "mailbox-full")], "5.0.0 says nothing, 5.2.2 does"
