"""What SMTP replies mean."""

import pytest
from notifier.domain.smtp_replies import Verdict, read_reply, verdict_on


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (550, "5.1.1 <x@y.example>: Recipient address rejected: User unknown", Verdict.NO_SUCH_ADDRESS),
        (550, "5.2.1 The email account that you tried to reach is disabled", Verdict.NO_SUCH_ADDRESS),
        (550, "No such user here", Verdict.NO_SUCH_ADDRESS),
        (550, "5.7.1 Message rejected due to DMARC policy", Verdict.REFUSED),
        (550, "Rejected because 192.0.2.1 is in a block list", Verdict.REFUSED),
        (553, "5.1.8 sender address rejected", Verdict.REFUSED),
        (552, "5.3.4 message too large", Verdict.REFUSED),
        (554, "Transaction failed", Verdict.REFUSED),
        (552, "5.2.2 mailbox full", Verdict.MAILBOX_FULL),
        (452, "4.2.2 over quota", Verdict.MAILBOX_FULL),
        (550, "5.0.0 Quota exceeded for this mailbox", Verdict.MAILBOX_FULL),
        (451, "4.7.1 Greylisting in action, please come back later", Verdict.SLOW_DOWN),
        (421, "4.7.0 Too many connections", Verdict.SLOW_DOWN),
        (450, "4.2.1 mailbox busy", Verdict.LATER),
        (451, "4.3.0 local error", Verdict.LATER),
        (535, "5.7.8 authentication failed", Verdict.OUR_FAULT),
        (530, "5.7.0 must issue a STARTTLS command first", Verdict.OUR_FAULT),
        (503, "5.5.1 bad sequence of commands", Verdict.OUR_FAULT),
    ],
)
def test_a_reply_means(code: int, text: str, verdict: Verdict) -> None:
    assert verdict_on(read_reply(text, code=code)) is verdict


def test_a_status_that_says_nothing_gives_way_to_one_that_does() -> None:
    assert read_reply("smtp; 550 5.1.1 user unknown", status="5.0.0").status == "5.1.1"


def test_an_ip_address_is_no_status() -> None:
    assert read_reply("host 5.1.1.4 said no", code=550).status is None
