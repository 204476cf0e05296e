import json

import pytest
from ingest_facebook.domain.webhooks import Action, is_signed, read_webhook, signature_of
from kommunepuls_chassis.errors import RejectedInput


def change(value: object, field: str = "feed") -> list:
    body = {
        "object": "page",
        "entry": [{"id": 100, "time": 1, "changes": [{"field": field, "value": value}]}],
    }
    return read_webhook(json.dumps(body).encode())


def test_the_signature_is_the_published_vectors() -> None:
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    assert signature_of("It's a Secret to Everybody", b"Hello, World!") == expected
    assert is_signed("It's a Secret to Everybody", b"Hello, World!", expected)


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "757107ea", "sha1=abc", "sha256=æøå", "sha256=" + "0" * 64]
)
def test_any_other_header_is_no_signature(header: str | None) -> None:
    assert not is_signed("It's a Secret to Everybody", b"Hello, World!", header)


def test_it_is_the_bytes_that_are_signed() -> None:
    sent = rb'{"message":"Br\u00f8yting i Storgata","link":"https:\/\/fjordvik.example"}'
    again = json.dumps(json.loads(sent), ensure_ascii=False).encode()

    assert is_signed("s", sent, signature_of("s", sent))
    assert not is_signed("s", again, signature_of("s", sent))


def test_a_post_is_fetched_and_its_id_may_be_a_number() -> None:
    assert [
        (one.page, one.action, one.post) for one in change({"item": "status", "verb": "add", "post_id": 17})
    ] == [("100", Action.FETCH, "17")]


def test_a_removal_withdraws() -> None:
    assert change({"item": "post", "verb": "remove", "post_id": "100_1"})[0].action is Action.WITHDRAW


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"item": "comment", "verb": "add", "post_id": "100_1", "comment_id": "1_2"}, "comment"),
        ({"item": "reaction", "verb": "add", "post_id": "100_1"}, "reaction"),
        ({"item": "like", "verb": "add", "post_id": "100_1"}, "reaction"),
        ({"item": "album", "verb": "add", "album_id": 5}, "no-post-id"),
        ({"item": "something-new", "post_id": "100_1"}, "other-item"),
    ],
)
def test_what_names_no_post_of_the_page_is_ignored_with_its_reason(value: dict, reason: str) -> None:
    assert [(one.action, one.reason) for one in change(value)] == [(Action.IGNORE, reason)]


def test_who_is_not_the_page_is_told() -> None:
    assert change({"item": "post", "verb": "add", "post_id": "100_1", "from": {"id": 999, "name": "X"}})[
        0
    ].by_visitor
    assert not change({"item": "post", "verb": "add", "post_id": "100_1", "sender_id": 100})[0].by_visitor


@pytest.mark.parametrize("post_id", ["../../me/accounts", "1?fields=x", {"a": 1}, "", True])
def test_an_id_that_could_not_be_a_post_is_rejected(post_id: object) -> None:
    found = change(
        {"item": "post", "verb": "add", "post_id": post_id, "from": {"name": "Ola"}, "message": "Hei"}
    )

    assert [(one.action, one.reason) for one in found] == [(Action.REJECT, "bad-post-id")]
    assert b"Ola" not in found[0].raw
    assert b"Hei" not in found[0].raw


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "invalid-json"), (b'{"entry": [', "invalid-json"), (b"[" * 100_000, "invalid-json"), (b"\xff\xfe", "invalid-json"),
     (b"[]", "not-a-webhook"), (b'{"entry": 7}', "not-a-webhook")],
)  # fmt: skip
def test_what_is_no_webhook_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(RejectedInput) as rejected:
        read_webhook(body)
    assert rejected.value.reason == reason


@pytest.mark.parametrize(
    "entry", [None, 7, {}, {"id": "1"}, {"id": "1", "changes": 5}, {"id": "1", "changes": [5]}]
)
def test_an_odd_entry_costs_no_other(entry: object) -> None:
    good = {
        "id": "100",
        "changes": [{"field": "feed", "value": {"item": "post", "post_id": "100_1", "verb": "add"}}],
    }
    found = read_webhook(json.dumps({"object": "page", "entry": [entry, good]}).encode())

    assert [one.post for one in found if one.action is Action.FETCH] == ["100_1"]
