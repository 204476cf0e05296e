import pytest
from ingest_facebook.domain.answers import continuation_of, objects_of, scrubbed
from kommunepuls_chassis.errors import RejectedInput

NEXT = (
    "https://graph.facebook.com/v10.0/4/posts?access_token=EAASECRET&until=162&__paging_token=enc_x&limit=25"
)


def test_the_next_request_is_built_from_the_cursor() -> None:
    assert continuation_of({"paging": {"next": NEXT, "cursors": {"after": "abc", "before": "x"}}}) == {
        "after": "abc"
    }


def test_a_list_paged_by_time_gives_its_paging_values_and_never_the_token() -> None:
    assert continuation_of({"paging": {"next": NEXT}}) == {"until": "162", "__paging_token": "enc_x"}


@pytest.mark.parametrize(
    "body", [{}, {"paging": None}, {"paging": {"cursors": {"after": "abc"}}}, {"paging": {"next": 5}}]
)
def test_without_a_next_address_the_list_ends(body: dict) -> None:
    assert continuation_of(body) is None


def test_tokens_are_taken_out_of_what_is_kept() -> None:
    raw = b'{"paging":{"next":"https:\\/\\/x?access_token=EAASECRET&limit=5"},"t":"EAASECRET"}'

    assert (
        scrubbed(raw, "EAASECRET")
        == b'{"paging":{"next":"https:\\/\\/x?access_token=REDACTED&limit=5"},"t":"REDACTED"}'
    )
    assert b"EAASECRET" not in scrubbed(raw[:60])


@pytest.mark.parametrize("raw", [b"", b'{"data": [', b'{"data": 5}', b"7", b"[" * 100_000])
def test_an_answer_that_is_no_list_is_rejected(raw: bytes) -> None:
    with pytest.raises(RejectedInput):
        objects_of(raw)
