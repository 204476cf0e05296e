from datetime import UTC, datetime, timedelta

import pytest
from ingest_facebook.domain.graph_objects import read_post
from ingest_facebook.domain.page import Page
from ingest_facebook.domain.posts import draft_of_post, is_own, not_shown
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_events import ContentItemV1, Kind
from kommunepuls_events.geometry import MultiPoint, Point

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def item(page: Page, **fields: object) -> ContentItemV1:
    post = {"id": "100_1", "created_time": "2026-11-22T07:00:00+0000"} | fields
    return draft_of_post(read_post(post), page, now=NOW).item


def test_a_post_becomes_a_notice_with_title_summary_and_body(page: Page) -> None:
    made = item(
        page, message="🚧 Skolegata er stengt i dag. Følg skiltene.\n\nHilsen oss", from_={"name": "X"}
    )

    assert made.id == "NO-9901/facebook-kommune/100_1"
    assert (made.kind, made.title) == (Kind.NOTICE, "Skolegata er stengt i dag.")
    assert made.summary == "Følg skiltene. Hilsen oss"
    assert made.body == "<p>🚧 Skolegata er stengt i dag. Følg skiltene.</p><p>Hilsen oss</p>"
    assert made.published_at == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def test_a_club_that_looks_for_a_coach_is_a_volunteer_need(page: Page) -> None:
    made = item(page, message="Vi trenger en ny trener til fotballjentene. Trening på Vestlia stadion.")

    assert made.kind is Kind.VOLUNTEER_NEED
    assert made.interests[:2] == ("volunteering", "football")
    assert made.areas == ("NO-9901/vestlia",), "the municipality around it would concern everybody"
    assert made.geometry == Point(coordinates=(10.15, 59.15))
    assert made.place_name == "Vestlia stadion"


def test_two_streets_are_two_points_and_the_first_names_the_place(page: Page) -> None:
    made = item(page, message="Skolegata er stengt. Kjør over Storgata.")

    assert isinstance(made.geometry, MultiPoint)
    assert made.place_name == "Skolegata"


def test_an_area_that_is_named_gives_no_point(page: Page) -> None:
    made = item(page, message="Vannet er borte i Havna til klokka 14.")

    assert (made.areas, made.geometry) == (("NO-9901/havna",), None)
    assert made.kind is Kind.ALERT


def test_an_exercise_is_marked(page: Page) -> None:
    assert item(page, message="Evakueringsøvelse i Havna i morgen").exercise
    assert not item(page, message="Evakuering av Havna nå").exercise
    assert not item(page, message="Korpsøvelse i kveld").exercise, "it is no alert"


def test_no_post_ever_is_an_emergency(page: Page) -> None:
    words = " ".join(word.strip("*") for rule in page.rules for word in rule.words)[:900]

    assert not item(page, message=words).emergency


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"is_published": False}, "unpublished"),
        ({"is_hidden": True}, "hidden"),
        ({"is_expired": True}, "expired"),
        ({"scheduled_publish_time": int((NOW + timedelta(hours=1)).timestamp())}, "scheduled"),
        ({"scheduled_publish_time": 1459416660}, "scheduled"),
        ({"is_published": True, "scheduled_publish_time": 1459416660}, None),
        ({"is_published": True, "is_hidden": False, "is_expired": False}, None),
        ({}, None),
    ],
)
def test_only_what_readers_see_is_taken(fields: dict, why: str | None) -> None:
    assert not_shown(read_post({"id": "100_1", "message": "Hei"} | fields), NOW) == why


def test_a_story_without_words_of_its_own_is_rejected(page: Page) -> None:
    with pytest.raises(RejectedInput) as rejected:
        item(page, story="Fjordvik kommune updated their cover photo.")
    assert rejected.value.reason == "no-text"


def test_a_story_post_with_a_link_is_read_by_the_link(page: Page) -> None:
    made = item(
        page,
        story="Somebody shared a link.",
        attachments={"data": [{"title": "Høringsfrist 1. mars", "description": "Ny kommuneplan",
                               "type": "share", "unshimmed_url": "https://fjordvik.example/plan"}]},
    )  # fmt: skip

    assert made.title == "Høringsfrist 1. mars"
    assert "Ny kommuneplan" in made.body
    assert "Somebody" not in made.to_json().decode()
    assert str(made.links[0].url) == "https://fjordvik.example/plan"


def test_names_of_visitors_are_not_in_the_item(page: Page) -> None:
    made = item(
        page,
        message="Hei på deg",
        comments={"data": [{"from": {"name": "Ola Besøkende"}, "message": "Fint!"}]},
        message_tags=[{"id": "77", "name": "Kari Person", "type": "user", "offset": 0, "length": 3}],
        **{"from": {"id": "100", "name": "Ola Besøkende"}},
    )

    text = made.to_json().decode()
    assert "Besøkende" not in text
    assert "Kari" not in text


def test_pages_named_in_the_message_are_links(page: Page) -> None:
    tag = {"id": "55", "name": "Vestlia skole", "type": "page", "offset": 0, "length": 13}
    for tags in ([tag], {"0": [tag]}):
        assert [
            link.title for link in item(page, message="Vestlia skole inviterer", message_tags=tags).links
        ] == ["Vestlia skole"]


def test_a_visitors_post_is_not_the_pages_own() -> None:
    assert is_own(read_post({"id": "100_1", "from": {"id": "100"}}), "100")
    assert is_own(read_post({"id": "100_1", "from": {"id": 100, "name": "x"}}), "fjordvik")
    assert not is_own(read_post({"id": "100_1", "from": {"id": "999"}}), "100")
    assert is_own(read_post({"id": "100_1"}), "100")


def test_scripts_and_tricks_of_letters_are_taken_out(page: Page) -> None:
    made = item(page, message="<script>alert(1)</script><b>𝗗𝘂𝗴𝗻𝗮𝗱</b> \u202elørdag & søndag <3")

    assert made.title == "Dugnad lørdag & søndag <3"
    assert "<script" not in made.body
    assert "&lt;3" in made.body


def test_a_message_longer_than_an_item_may_be_is_cut(page: Page) -> None:
    made = item(page, message="<3 & " * 20_000)

    assert len(made.body) <= 100_000


def test_a_post_of_unknown_age_is_shown_and_told_to_nobody(page: Page) -> None:
    made = draft_of_post(read_post({"id": "100_1", "message": "Hei alle"}), page, now=NOW).item

    assert not made.lifecycle.news


@pytest.mark.parametrize(
    "raw",
    [
        None, [], "post", 7, {}, {"id": None}, {"id": "../etc"}, {"id": "1", "message": 5},
        {"id": "1", "created_time": "2026-11-22T07:00:00"}, {"id": "1", "created_time": True}, {"id": "1", "created_time": 1e300},
        {"id": "1", "is_hidden": "perhaps"},
    ],
)  # fmt: skip
def test_what_is_no_post_is_rejected_with_its_reason(raw: object) -> None:
    with pytest.raises(RejectedInput) as rejected:
        read_post(raw)
    assert rejected.value.reason == "invalid-post"


def test_a_part_of_the_wrong_type_does_not_cost_the_post(page: Page) -> None:
    odd = [{"media": 5}, {"media": {"image": {"src": 7}}}, 3, {"title": "Kart", "url": "javascript:alert(1)"}]
    made = item(page, message="Nytt kart", attachments={"data": odd}, message_tags="x", place=[1])

    assert (made.title, made.links, made.pictures) == ("Nytt kart", (), ())


def test_half_a_character_is_mended_and_the_post_is_taken(page: Page) -> None:
    made = item(
        page, message="Hei alle \ud83d", attachments=[{"title": "\udc00 Kart", "url": "https://x.example"}]
    )

    assert made.title == "Hei alle \ufffd"
    assert made.to_json()


def test_a_post_nested_too_deep_is_rejected() -> None:
    deep: object = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(RejectedInput):
        read_post({"id": "1", "message": deep})
