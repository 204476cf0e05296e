"""Signed tokens in mailed links."""

from datetime import UTC, datetime, timedelta

import pytest
from kommunepuls_chassis.errors import OperatorError, PermanentError
from kommunepuls_chassis.links import UNSUBSCRIBE, sign, verify

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = "a key that nobody else has"
CLAIMS = {"subscriber": "s-ærlig", "purpose": UNSUBSCRIBE, "scope": "email"}


def refused(token: str, *, key: str = KEY, purpose: str = UNSUBSCRIBE, now: datetime = NOW) -> str:
    with pytest.raises(PermanentError) as error:
        verify(token, key, purpose=purpose, now=now)
    return error.value.reason


def test_a_token_says_what_was_signed() -> None:
    assert verify(sign(CLAIMS, KEY), KEY, purpose=UNSUBSCRIBE, now=NOW) == CLAIMS


def test_a_token_can_stand_in_an_address() -> None:
    assert set(sign(CLAIMS, KEY)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_a_token_for_one_purpose_serves_no_other() -> None:
    assert refused(sign(CLAIMS, KEY), purpose="sign-in") == "bad-token"


def test_a_token_of_another_key_is_refused() -> None:
    assert refused(sign(CLAIMS, "another key of some length")) == "bad-token"


def test_no_changed_character_of_a_token_is_overlooked() -> None:
    token = sign(CLAIMS, KEY)
    for place, letter in enumerate(token[:-1]):  # the last one holds padding bits that mean nothing
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert refused(changed) == "bad-token", place


@pytest.mark.parametrize("token", ["", ".", "a.b", "é.é", "%%%.***", "x" * 5000, "\ud800.a", "a." + "=" * 40])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refused(token) == "bad-token"


def test_a_token_ends_when_it_says() -> None:
    token = sign(CLAIMS | {"expires": int((NOW + timedelta(hours=1)).timestamp())}, KEY)
    assert verify(token, KEY, purpose=UNSUBSCRIBE, now=NOW + timedelta(minutes=59))["scope"] == "email"
    assert refused(token, now=NOW + timedelta(hours=1)) == "expired-token"


def test_links_mailed_before_a_key_was_changed_go_on_working() -> None:
    before = sign(CLAIMS, KEY)
    both = f"a newer key that nobody has,{KEY}"
    assert verify(before, both, purpose=UNSUBSCRIBE, now=NOW) == CLAIMS
    assert refused(sign(CLAIMS, both)) == "bad-token", "the first key signs"


@pytest.mark.parametrize("key", ["", "short", "long enough for this,short"])
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    with pytest.raises(OperatorError, match="KP_LINK_KEY"):
        sign(CLAIMS, key)


def test_a_token_is_signed_for_a_purpose() -> None:
    with pytest.raises(ValueError, match="purpose"):
        sign({"subscriber": "s-1"}, KEY)
