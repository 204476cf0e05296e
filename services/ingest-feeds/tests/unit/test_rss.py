"""Feeds of strangers as items."""

from datetime import UTC, datetime

import pytest
from ingest_feeds.domain.rss import item_of, parse_feed
from ingest_feeds.domain.sources import RssSource
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_chassis.town import Town
from kommunepuls_events import ContentItemV1

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOWN = Town(code="NO-9901", name="Fjordvik")
SOURCE = RssSource(
    id="nyheter", type="rss", url="https://fjordvik.example/rss", interests=("municipal-news",),
    areas=("NO-9901",), area_words={"Havna": "NO-9901/havna"}, categories={"VA": ("water-and-sewage",)},
)  # fmt: skip


def feed(item: str) -> bytes:
    return (
        '<rss version="2.0" xmlns:georss="http://www.georss.org/georss" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Nytt</title><item>{item}</item></channel></rss>"
    ).encode()


def only(body: bytes, **changes: object) -> ContentItemV1:
    (entry,) = parse_feed(body)
    return item_of(entry, TOWN, SOURCE.model_copy(update=changes), now=NOW, first_seen=None)


def test_an_entry_becomes_an_item_with_its_areas_and_interests() -> None:
    item = only(
        feed(
            "<guid>a1</guid><title>Vannet er stengt i Havna</title><link>https://fjordvik.example/a1</link>"
            "<category>VA</category><category>Skole</category><pubDate>Fri, 20 Nov 2026 08:00:00 +0100</pubDate>"
            "<description>&lt;p&gt;Til kl. 14.&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</description>"
        )
    )
    assert (item.id, item.title) == ("NO-9901/nyheter/a1", "Vannet er stengt i Havna")
    assert item.interests == ("municipal-news", "water-and-sewage", "schools")
    assert item.areas == ("NO-9901/havna",)
    assert item.published_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    assert (item.summary, item.body) == ("Til kl. 14.", "<p>Til kl. 14.</p>")


def test_an_area_word_counts_as_a_whole_word_only() -> None:
    assert only(feed("<guid>a</guid><title>Havnasjefen slutter</title>")).areas == ("NO-9901",)


def test_a_title_with_markup_or_none_becomes_plain_words() -> None:
    assert (
        only(feed("<guid>a</guid><title>&lt;b&gt;Nytt&lt;/b&gt; &amp;amp; godt</title>")).title
        == "Nytt & godt"
    )
    assert (
        only(feed("<guid>a</guid><description>Brua stenger. Omkjøring er skiltet.</description>")).title
        == "Brua stenger."
    )


def test_an_entry_without_date_keeps_the_date_of_its_first_sight() -> None:
    (entry,) = parse_feed(feed("<guid>a</guid><title>Nytt</title>"))
    first = datetime(2026, 11, 1, tzinfo=UTC)
    assert item_of(entry, TOWN, SOURCE, now=NOW, first_seen=first).published_at == first


def test_an_atom_entry_is_taken_too() -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>x</id><updated>2026-11-20T08:00:00Z</updated><entry>'
        '<id>urn:a</id><title>Nytt</title><link href="https://fjordvik.example/a"/><updated>2026-11-20T08:00:00Z</updated>'
        "<summary>Kort</summary></entry></feed>"
    )
    item = only(body.encode())
    assert (item.native_id, str(item.links[0].url)) == ("urn:a", "https://fjordvik.example/a")


def test_a_georss_point_is_a_position_and_one_in_a_projection_is_refused() -> None:
    item = only(feed("<guid>a</guid><title>t</title><georss:point>59.13 10.21</georss:point>"))
    assert item.geometry.coordinates == (10.21, 59.13)
    with pytest.raises(RejectedInput) as refused:
        only(feed("<guid>a</guid><title>t</title><georss:point>6557120 569832</georss:point>"))
    assert refused.value.reason == "bad-coordinates"


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("<title>t</title>", "no-id"),
        ("<guid>a</guid>", "no-text"),
        ("<guid>a</guid><title>&lt;script&gt;x&lt;/script&gt;</title>", "no-text"),
    ],
)
def test_an_entry_that_says_nothing_is_refused_alone(item: str, reason: str) -> None:
    with pytest.raises(RejectedInput) as refused:
        only(feed(item))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502</body></html>",
        feed("<guid>a</guid><title>t</title>")[:-40],
        b"{}",
        b"\x00\xff" * 50,
    ],
)
def test_what_is_no_whole_feed_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedInput) as refused:
        list(parse_feed(body))
    assert refused.value.reason == "not-a-feed"
