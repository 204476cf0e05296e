import pytest
from ingest_facebook.domain.graph_errors import Meaning, read_error

OAUTH = "OAuthException"


@pytest.mark.parametrize(
    ("status", "error", "meaning"),
    [
        (400, {"code": 4}, Meaning.RATE_LIMIT),
        (400, {"code": 17}, Meaning.RATE_LIMIT),
        (400, {"code": 32}, Meaning.RATE_LIMIT),
        (400, {"code": 613}, Meaning.RATE_LIMIT),
        (400, {"code": 80001}, Meaning.RATE_LIMIT),
        (429, {}, Meaning.RATE_LIMIT),
        (400, {"code": 190}, Meaning.DEAD_TOKEN),
        (400, {"code": 190, "error_subcode": 463}, Meaning.DEAD_TOKEN),
        (400, {"code": 102}, Meaning.DEAD_TOKEN),
        (400, {"code": "190", "error_subcode": "460"}, Meaning.DEAD_TOKEN),
        (400, {"code": 10}, Meaning.PERMISSION),
        (403, {"code": 200}, Meaning.PERMISSION),
        (400, {"code": 100}, Meaning.PERMISSION),
        (400, {"code": 100, "error_subcode": 33}, Meaning.GONE),
        (400, {"code": 100, "type": "GraphMethodException"}, Meaning.GONE),
        (500, {"code": 1}, Meaning.TRANSIENT),
        (400, {"code": 2}, Meaning.TRANSIENT),
        (400, {"code": 368, "is_transient": True}, Meaning.TRANSIENT),
        (400, {"code": 1, "error_subcode": 1965014, "is_transient": False}, Meaning.UNKNOWN),
        (502, {}, Meaning.TRANSIENT),
        (400, None, Meaning.UNKNOWN),
        (404, [1], Meaning.UNKNOWN),
        (400, {"code": {"x": 1}}, Meaning.UNKNOWN),
    ],
)
def test_code_and_subcode_say_what_an_error_means(status: int, error: object, meaning: Meaning) -> None:
    if isinstance(error, dict):
        error = {"type": OAUTH, "message": "m"} | error
    assert read_error(status, error).meaning is meaning


def test_the_text_says_why_a_token_is_dead() -> None:
    error = read_error(400, {"type": OAUTH, "code": 190, "error_subcode": 460, "message": "Session"})

    assert "password" in error.text
    assert "Session" in error.text
