import pytest
from gateway_api.settings import Settings
from pydantic import ValidationError

GOOD = {
    "public_url": "https://puls.example.no/",
    "link_key": "a-link-key-of-the-tests",
    "pepper": "a-pepper-of-the-tests",
    "contact_public_key": "k",
    "vapid_public_key": "v",
    "operator_tokens": "kari:0123456789abcdef, ola:fedcba9876543210",
}


def test_operators_are_known_by_their_tokens() -> None:
    settings = Settings(**GOOD)
    assert settings.operators() == {"kari": "0123456789abcdef", "ola": "fedcba9876543210"}
    assert settings.public_url == "https://puls.example.no"
    assert settings.secure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("public_url", "puls.example.no"),
        ("public_url", "https://puls.example.no/?x=1"),
        ("pepper", "short"),
        ("operator_tokens", "kari"),
        ("operator_tokens", "kari:short"),
    ],
)
def test_a_wrong_setting_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**(GOOD | {name: value}))
