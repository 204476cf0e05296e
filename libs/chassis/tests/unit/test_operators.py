"""Who an operator's token belongs to."""

import pytest
from kommunepuls_chassis.operators import operator_of, parse_operator_tokens

TOKENS = parse_operator_tokens("kari:0123456789abcdef, ola:fedcba9876543210")


def test_a_token_names_its_operator() -> None:
    assert operator_of("Bearer fedcba9876543210", TOKENS) == "ola"
    assert operator_of("bearer 0123456789abcdef", TOKENS) == "kari"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic fedcba9876543210", "fedcba9876543210"])
def test_anything_else_is_nobodys(header: str) -> None:
    assert operator_of(header, TOKENS) is None


def test_without_tokens_nobody_is_an_operator() -> None:
    assert operator_of("Bearer ", parse_operator_tokens("")) is None


@pytest.mark.parametrize("text", ["0123456789abcdef", "kari:short", ":0123456789abcdef"])
def test_tokens_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name:token"):
        parse_operator_tokens(text)
