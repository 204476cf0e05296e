"""Polling a page over real HTTP."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from ingest_facebook.domain.usage import PAUSE_SECONDS
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Kind, SourceStatusV1
from starlette.requests import Request
from starlette.responses import Response

pytestmark = pytest.mark.integration


async def polled(graph, times: int = 1) -> None:
    """Wait until the page's posts were asked for so many times more."""
    before = graph.fetched("/posts")
    await eventually(lambda: graph.fetched("/posts") >= before + times, what="the page is polled")


async def test_new_posts_are_published_once_and_edits_are_revisions(graph, run_service) -> None:
    graph.post(1, "Brøytebilene er ute i Storgata.")
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1") == [(1, "published")])
        graph.post(2, "Biblioteket har nye bøker.")
        graph.post(1, "Brøytebilene er ute i Skolegata.")
        await eventually(lambda: rig.told("100_1") == [(1, "published"), (2, "updated")])
        await eventually(lambda: rig.told("100_2") == [(1, "published")])
        await polled(graph, 2)

        assert len(rig.items) == 3
        assert rig.error == ""


async def test_a_re_signed_picture_is_no_news(graph, run_service) -> None:
    def signed(number: int) -> dict:
        src = f"https://scontent-{number}.xx.fbcdn.net/v/t39/a_n.jpg?_nc_ohc={number}&oh={number}&oe=FF"
        return {
            "full_picture": src,
            "attachments": {"data": [{"type": "photo", "media": {"image": {"src": src}}}]},
        }

    graph.post(1, "Ny lekeplass i Vestlia.", **signed(1))
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1"))
        graph.post(1, "Ny lekeplass i Vestlia.", **signed(2))
        await polled(graph, 2)

        assert rig.told("100_1") == [(1, "published")]


async def test_a_deleted_post_is_withdrawn_and_one_that_leaves_the_window_is_not(graph, run_service) -> None:
    for number in range(1, 7):
        graph.post(number, f"Melding nummer {number} fra kommunen.")
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_6"))
        graph.delete(4)
        await eventually(lambda: rig.told("100_4") == [(1, "published"), (2, "withdrawn")])
        for number in (7, 8, 9, 10):
            graph.post(number, f"Melding nummer {number} fra kommunen.")
        await eventually(lambda: rig.told("100_10"))
        await polled(graph, 2)

        withdrawn = [one.native_id for one in rig.items if one.withdrawn]
        assert withdrawn == ["100_4"]


@pytest.mark.parametrize("fields", [{"is_hidden": True}, {"is_published": False}, {"is_expired": True}])
async def test_a_post_that_readers_no_longer_see_is_withdrawn(graph, run_service, fields: dict) -> None:
    graph.post(1, "Dugnad på lørdag.")
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1"))
        graph.post(1, "Dugnad på lørdag.", **fields)
        await eventually(lambda: rig.told("100_1") == [(1, "published"), (2, "withdrawn")])


async def test_a_scheduled_post_comes_at_its_time_and_not_before(graph, run_service) -> None:
    later = int((datetime.now(UTC) + timedelta(days=1)).timestamp())
    graph.post(1, "Avduking i morgen.", is_published=False, scheduled_publish_time=later)
    async with run_service() as rig:
        await polled(graph, 2)
        assert rig.told("100_1") == []
        graph.post(1, "Avduking i morgen.", is_published=True)
        await eventually(lambda: rig.told("100_1") == [(1, "published")])


async def test_after_a_stop_it_goes_on_where_it_was_through_several_answers(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    graph.post(2, "Melding nummer 2 fra kommunen.")
    async with run_service() as rig:
        await eventually(lambda: len(rig.items) == 2)
        await polled(graph, 2)
    for number in range(3, 20):
        graph.post(number, f"Melding nummer {number} fra kommunen.")
    graph.delete(2)
    async with run_service() as rig:
        await eventually(lambda: len(rig.items) == 18)
        await polled(graph, 2)

        assert {one.native_id for one in rig.items if not one.withdrawn} == {f"100_{n}" for n in range(3, 20)}
        assert rig.told("100_2") == [(2, "withdrawn")]
    assert not any(request.url.path.startswith("/trap") for request in graph.asked), "next is never followed"


async def test_a_dead_token_is_told_in_words_and_a_rate_limit_is_waited_for(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    graph.instead = lambda request: graph.error(190, 460)
    async with run_service() as rig:
        await eventually(lambda: "KP_TOKEN_FACEBOOK_KOMMUNE is dead" in rig.error)
        assert "password" in rig.error
    graph.instead = lambda request: graph.error(32)
    async with run_service() as rig:
        await eventually(lambda: "code 32" in rig.error)
        asked = len(graph.asked)
        status = rig.source.intake.status
        assert (status.next_attempt_at - status.at).total_seconds() == pytest.approx(PAUSE_SECONDS, abs=5)
        await rig.source.intake.save(attempted=False)
        assert len(graph.asked) == asked


async def test_a_missing_token_is_told_by_the_name_of_its_variable(graph, run_service) -> None:
    async with run_service(environment={}) as rig:
        await eventually(lambda: "KP_TOKEN_FACEBOOK_KOMMUNE is not set" in rig.error)
    assert graph.asked == []


async def test_when_the_allowance_is_used_up_nothing_more_is_asked(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    graph.usage = {"call_count": 99}
    async with run_service() as rig:
        await eventually(lambda: "allowance" in rig.error)

        assert rig.told("100_1") == [(1, "published")], "what was answered before is taken"
        assert len(graph.asked) == 1


async def test_a_server_error_is_tried_again(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    failures = iter(
        [Response(b"<html>oops", 502), graph.error(2, status=500), graph.error(1, is_transient=True)]
    )
    graph.instead = lambda request: next(failures, None)
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1") == [(1, "published")], within=30)
        await eventually(lambda: rig.error == "")


async def test_an_answer_that_breaks_off_is_kept_without_the_token(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    whole = json.dumps(
        {"data": [{"id": "100_9"}], "paging": {"next": f"https://x/?access_token={graph.token}&a=1"}}
    )
    broken = iter([Response(whole[:-3].encode())])
    graph.instead = lambda request: next(broken, None)
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1") == [(1, "published")], within=30)
        (letter,) = rig.producer.rejects
        (raw,) = (value for topic, _, value, _ in rig.producer.raw if topic == "rejects.v1")

    assert (letter.reason, letter.entry) == ("invalid-json", "answer")
    assert b"100_9" in raw
    assert graph.token.encode() not in raw


async def test_a_bad_post_in_a_list_costs_no_other_and_is_rejected_once(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    graph.post(2, 5)
    graph.post(3, "", comments={"data": [{"message": "Privat"}]})
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1"))
        await polled(graph, 3)

        assert sorted(letter.reason for letter in rig.producer.rejects) == ["invalid-post", "no-text"]
        assert not any(b"Privat" in (value or b"") for _, _, value, _ in rig.producer.raw)


async def test_a_page_that_may_not_be_read_any_more_withdraws_nothing(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    graph.post(2, "Melding nummer 2 fra kommunen.")

    def lost(request: Request) -> Response | None:
        return (
            graph.error(100, 33)
            if "100_1" in request.url.path or request.query_params.get("limit") == "1"
            else None
        )

    async with run_service() as rig:
        await eventually(lambda: len(rig.items) == 2)
        graph.instead = lost
        graph.delete(1)
        await eventually(lambda: "subcode 33" in rig.error)

        assert rig.told("100_1") == [(1, "published")]


async def test_events_are_taken_too_and_a_cancelled_or_deleted_one_is_withdrawn(graph, run_service) -> None:
    when = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    graph.events = [
        {"id": str(number), "name": f"Konsert {number}", "start_time": when} for number in (501, 502, 503)
    ]
    async with run_service(extra="    events: true\n") as rig:
        await eventually(lambda: len(rig.items) == 3)
        assert {one.kind for one in rig.items} == {Kind.EVENT}
        graph.events[0]["is_canceled"] = True
        del graph.events[1]
        await eventually(lambda: {one.native_id for one in rig.items if one.withdrawn} == {"501", "502"})
        await polled(graph, 2)

        assert len(rig.items) == 5


async def test_a_town_file_that_changes_is_followed_and_a_faulty_one_is_not(graph, run_service) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    async with run_service() as rig:
        await eventually(lambda: rig.told("100_1"))
        text = rig.town_file.read_text(encoding="utf-8")
        rig.town_file.write_text(text.replace("limit: 5", "limit: many"), encoding="utf-8")
        await polled(graph, 2)
        more = text + text.split("sources:\n")[1].replace("facebook-kommune", "kulturhus")
        rig.town_file.write_text(more, encoding="utf-8")
        await eventually(lambda: len(list(rig.service.sources)) == 2)
        await eventually(lambda: len(rig.told("100_1")) == 2, what="the second source publishes it too")
        rig.town_file.write_text(text.replace("facebook-page", "rss"), encoding="utf-8")
        await eventually(lambda: not list(rig.service.sources))


async def test_the_token_is_in_nothing_that_leaves_the_service(graph, run_service, capfd) -> None:
    graph.post(1, "Melding nummer 1 fra kommunen.")
    answers = iter([None, graph.error(190, 463, message=f"Token {graph.token} is dead")])
    graph.instead = lambda request: next(answers, None)
    async with run_service() as rig:
        await eventually(lambda: "is dead" in rig.error)
        published = b"".join(one.to_json() for one in rig.producer.messages)
        assert rig.producer.of(SourceStatusV1)

    assert graph.token.encode() not in published
    assert graph.token not in "".join(capfd.readouterr())
    assert all(graph.token not in str(request.url) for request in graph.asked)
    assert all("appsecret_proof" in request.query_params for request in graph.asked)
