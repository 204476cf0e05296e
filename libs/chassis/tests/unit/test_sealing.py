"""Sealed contact details open for the notifier and the right subscriber alone."""

import pytest
from kommunepuls_chassis.errors import OperatorError, PermanentError
from kommunepuls_chassis.sealing import new_key_pair, public_key_of, seal, unseal

PRIVATE, PUBLIC = new_key_pair()


def test_what_was_sealed_opens_and_shows_nothing_on_the_way() -> None:
    sealed = seal({"address": "kari@eksempel.no"}, PUBLIC, subscriber="s-1")
    assert "kari" not in sealed
    assert unseal(sealed, PRIVATE, subscriber="s-1") == {"address": "kari@eksempel.no"}
    assert sealed != seal({"address": "kari@eksempel.no"}, PUBLIC, subscriber="s-1")


@pytest.mark.parametrize("fault", ["subscriber", "key", "changed", "short"])
def test_it_does_not_open_otherwise(fault: str) -> None:
    sealed = seal({"address": "a"}, PUBLIC, subscriber="s-1")
    key = new_key_pair()[0] if fault == "key" else PRIVATE
    if fault == "changed":
        sealed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    if fault == "short":
        sealed = "abc"
    with pytest.raises(PermanentError):
        unseal(sealed, key, subscriber="s-2" if fault == "subscriber" else "s-1")


def test_a_wrong_key_is_one_line_for_the_operator() -> None:
    with pytest.raises(OperatorError):
        seal({}, "not a key", subscriber="s-1")
    with pytest.raises(OperatorError):
        public_key_of("AAAA")
