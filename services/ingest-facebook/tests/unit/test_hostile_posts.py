"""A post's text is text: whatever markup somebody writes on a page shows as they wrote it."""

from datetime import UTC, datetime

import pytest
from ingest_facebook.domain.graph_objects import read_post
from ingest_facebook.domain.page import Page
from ingest_facebook.domain.posts import draft_of_post
from kommunepuls_chassis.testing_payloads import PAYLOADS, what_runs

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_a_post_becomes_text(page: Page, payload: str) -> None:
    post = {
        "id": "100_1",
        "created_time": "2026-11-22T07:00:00+0000",
        "message": f"Hei alle sammen.\n\n{payload}",
        "attachments": {
            "data": [
                {
                    "title": payload,
                    "description": payload,
                    "unshimmed_url": f"https://example.no/?{payload}",
                    "media": {"image": {"src": f"https://example.no/{payload}.jpg"}},
                },
                {"title": payload, "unshimmed_url": payload, "media": {"image": {"src": payload}}},
            ]
        },
    }
    item = draft_of_post(read_post(post), page, now=NOW).item
    assert what_runs(item.body) == []
    for address in [str(one.url) for one in (*item.links, *item.pictures)]:
        assert address.startswith(("https://", "http://"))
        assert not set(address) & set(' "<>\n\t\r'), address
