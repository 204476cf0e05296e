"""Logs hold no contact detail, token or address."""

import pytest
from kommunepuls_chassis.logs import redact


@pytest.mark.parametrize(
    "key", ["address", "email", "push_endpoint", "token", "access_token", "p256dh", "authorization"]
)
def test_values_of_telling_keys_are_hidden(key: str) -> None:
    assert redact(None, "", {key: "something"})[key] == "<hidden>"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("mail to kari.nordmann@eksempel.no failed", "kari.nordmann"),
        ("GET https://graph.example/1/posts?access_token=EAAB123&limit=5", "EAAB123"),
        ("paging EAAGm0PX4ZCpsBAKZCabcdefghijklmnop", "EAAGm0PX4ZCpsBAKZC"),
        ("Authorization: Bearer abc.def-ghi", "abc.def"),
        ("410 from https://fcm.googleapis.com/fcm/send/dQw4w9WgXcQ:APA91b", "dQw4w9WgXcQ"),
        ("410 from https://updates.push.services.mozilla.com/wpush/v2/gAAAA", "gAAAA"),
    ],
)
def test_secrets_inside_texts_are_hidden(text: str, secret: str) -> None:
    entry = redact(None, "", {"event": "x", "error": text, "nested": {"more": [text]}})
    assert secret not in str(entry)


def test_what_is_not_secret_stays() -> None:
    entry = {"event": "record_retried", "topic": "content.v1", "offset": 12, "source": "NO-3907/innsyn"}
    assert redact(None, "", dict(entry)) == entry
