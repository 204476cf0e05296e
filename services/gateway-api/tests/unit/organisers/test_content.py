"""What an organiser writes: read from the form, checked, and made into the item that residents get."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway_api.domain.errors import Invalid
from gateway_api.domain.organisers.content import Content, DraftPicture, Position, missing, presentable
from gateway_api.domain.organisers.drafts import Draft
from gateway_api.domain.organisers.form import content_from, local_time, wants_looking_up
from gateway_api.domain.organisers.organiser import Club, checked, is_link, new_id
from gateway_api.domain.organisers.publishing import changes_between, is_news, item_of
from gateway_api.domain.organisers.texts import body_of, summary_of
from kommunepuls_events import Kind, Organiser

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
TOWN = "Europe/Oslo"
WHOLE: dict[str, Any] = {
    "kind": Kind.EVENT,
    "title": "Julekonsert",
    "text": "Velkommen!",
    "interests": ("music",),
    "starts_at": NOW + timedelta(days=20),
    "ends_at": NOW + timedelta(days=20, hours=2),
}


def faults_of(**changes: Any) -> set[str]:
    content = Content.model_validate(WHOLE | changes)
    return {fault.pointer for fault in missing(content, {"music", "culture"}, NOW)}


def test_a_whole_event_lacks_nothing() -> None:
    assert faults_of() == set()


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"title": "", "text": "", "interests": ()}, {"/title", "/text", "/interests"}),
        ({"title": "x" * 121}, {"/title"}),
        ({"starts_at": None, "ends_at": None}, {"/starts_at"}),
        ({"ends_at": NOW + timedelta(days=19)}, {"/ends_at"}),
        ({"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=1)}, {"/starts_at"}),
        ({"starts_at": NOW + timedelta(days=900), "ends_at": None}, {"/starts_at"}),
        ({"kind": Kind.NOTICE, "starts_at": None, "ends_at": NOW}, {"/ends_at"}),
        ({"kind": Kind.ALERT}, {"/kind"}),
        ({"interests": ("music", "chess")}, {"/interests"}),
        ({"link": "javascript:alert(1)"}, {"/link"}),
        ({"picture": {"address": "/pictures/a", "width": 2, "height": 2}}, {"/picture_text"}),
    ],
)
def test_what_is_missing_is_told_by_its_field(changes: dict, pointers: set[str]) -> None:
    assert faults_of(**changes) == pointers


@pytest.mark.parametrize("link", ["https://www.example.no", "http://example.no:8080/a?b=c#d"])
def test_addresses_of_pages_can_be_linked(link: str) -> None:
    assert is_link(link)


@pytest.mark.parametrize(
    "link", ["", "www.example.no", "javascript:alert(1)", "https://", "https://a b", 'https://a"b', "https://me@host/"]
)  # fmt: skip
def test_what_is_no_address_of_a_page_cannot(link: str) -> None:
    assert not is_link(link)


def test_a_form_is_read_in_the_towns_own_time() -> None:
    content, faults = content_from(
        {
            "kind": ["event"], "title": [" Julekonsert "], "text": ["En\r\nTo"], "interests": ["music", "music"],
            "starts_at": ["2026-12-20T18:00"], "place_name": ["Storgata 1"], "longitude": ["10,05"],
            "latitude": ["59.07"], "language": ["nn"],
        },
        Content(),
        TOWN,
    )  # fmt: skip
    assert faults == []
    assert content.starts_at == datetime(2026, 12, 20, 17, tzinfo=UTC)
    assert local_time(content.starts_at, TOWN) == "2026-12-20T18:00"
    assert (content.title, content.text, content.interests) == ("Julekonsert", "En\nTo", ("music",))
    assert content.position == Position(longitude=10.05, latitude=59.07)


def test_what_cannot_be_read_is_told_and_the_rest_is_kept() -> None:
    content, faults = content_from(
        {"title": ["Konsert"], "starts_at": ["i morgen"], "longitude": ["200"], "latitude": ["59"], "language": ["!"]},
        Content(language="nn"),
        TOWN,
    )  # fmt: skip
    assert {fault.pointer for fault in faults} == {"/starts_at", "/position", "/language"}
    assert (content.title, content.language, content.position) == ("Konsert", "nn", None)


def test_a_place_is_looked_up_when_it_is_new_or_another_than_was_found() -> None:
    here = Content(place_name="Storgata 1", position=Position(longitude=10, latitude=59))
    assert wants_looking_up({}, Content(place_name="Storgata 1"))
    assert wants_looking_up({"place_found": ["Havna"]}, here)
    assert not wants_looking_up({"place_found": ["Storgata 1"]}, here)
    assert not wants_looking_up({}, Content(position=here.position))


def _item(content: Content, before: Any = None, **given: Any):
    draft = Draft("d1", "NO-9901", "NO-9901/korps", "w-1", content, NOW, NOW, item=before)
    organiser = Organiser(id="NO-9901/korps", name="Fjordvik korps")
    return item_of(
        draft, organiser, ("NO-9901/havna",), "https://puls.example", NOW, **({"tell": True} | given)
    )


def test_an_event_becomes_an_item_with_place_time_and_picture() -> None:
    content = Content.model_validate(
        WHOLE
        | {
            "position": {"longitude": 10.05, "latitude": 59.07},
            "place_name": "Kulturhuset",
            "link": "https://korps.example/billetter",
            "picture": DraftPicture(address="/pictures/a.webp", alternative_text="Korpset", width=800, height=600),
        }
    )  # fmt: skip
    item = _item(content)
    assert item.id == "NO-9901/organisers/d1"
    assert (item.revision, item.kind, item.areas) == (1, Kind.EVENT, ("NO-9901/havna",))
    assert (item.starts_at, item.ends_at, item.valid_until) == (content.starts_at, content.ends_at, None)
    assert str(item.pictures[0].url) == "https://puls.example/pictures/a.webp"
    assert item.announced


def test_the_end_of_a_notice_is_until_when_it_holds() -> None:
    item = _item(Content.model_validate(WHOLE | {"kind": Kind.NOTICE}))
    assert (item.starts_at, item.ends_at, item.valid_until) == (None, None, WHOLE["ends_at"])


def test_another_time_is_news_by_itself_and_another_word_is_not() -> None:
    before = Content.model_validate(WHOLE)
    assert is_news(None, before)
    assert is_news(before, before.model_copy(update={"starts_at": NOW}))
    assert not is_news(before, before.model_copy(update={"text": "Hjertelig velkommen!"}))


def test_a_change_says_what_was_and_what_is() -> None:
    first = _item(Content.model_validate(WHOLE | {"place_name": "Kulturhuset"}))
    later = {"place_name": "Kirken", "starts_at": WHOLE["starts_at"] + timedelta(minutes=30)}
    second = _item(Content.model_validate(WHOLE | later), first, tell=False)
    assert (second.revision, second.published_at, second.announced) == (2, first.published_at, False)
    assert {one.field for one in second.lifecycle.changes} == {"starts_at", "place_name"}
    assert changes_between(second, second) == ()


def test_an_unfinished_draft_can_be_looked_at() -> None:
    item = _item(presentable(Content(link="not a link", starts_at=NOW, ends_at=NOW - timedelta(hours=1))))
    assert item.title == "…"
    assert item.links == ()


def test_a_text_gets_paragraphs_lists_and_links_and_its_own_markup_shows_as_text() -> None:
    body = body_of("Hei **alle**\nher\n\n- en\n- to\n\nSe www.example.no <script>alert(1)</script> <b>x</b>")
    assert "<strong>alle</strong><br>" in body
    assert "<li>en</li>" in body
    assert '<a href="http://www.example.no" rel="noopener noreferrer nofollow">www.example.no</a>' in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;x&lt;/b&gt;" in body
    assert summary_of("Hei **alle**") == "Hei alle"


@pytest.mark.parametrize(
    "text",
    ["[x](javascript:alert(1))", "![x](https://elsewhere.example/a.png)", "<img src=x onerror=alert(1)>",
     "[x](data:text/html,<script>alert(1)</script>)", "# Overskrift", '<a href="javascript:alert(1)">x</a>'],
)  # fmt: skip
def test_nothing_of_it_runs_or_loads(text: str) -> None:
    body = body_of(text)
    for forbidden in ("<script", "<img", "<h1", '<a href="javascript', '<a href="data'):
        assert forbidden not in body


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Fjordvik Fotball", "fjordvik-fotball"), ("Ærlig Øy & Å", "aerlig-oy-a"), ("Ström IF", "strom-if")],
)
def test_an_id_is_made_of_the_name(name: str, slug: str) -> None:
    assert new_id("NO-9901", name) == f"NO-9901/{slug}"


def test_an_organiser_that_cannot_be_is_refused() -> None:
    with pytest.raises(Invalid):
        new_id("NO-9901", "!!!")
    with pytest.raises(Invalid) as refused:
        checked(Club("NO-9901/x", "NO-9901", "x", link="ftp://x"))
    assert {fault.pointer for fault in refused.value.faults} == {"/name", "/link"}
