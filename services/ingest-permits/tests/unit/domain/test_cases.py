from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ingest_permits.domain.cases import MOST_DOCUMENTS, Case, Document, File, is_news, says_something_else
from ingest_permits.domain.stages import Stage

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WINDOW = timedelta(days=14)
APPLICATION = Document(
    case="2026001",
    id="2026/100",
    title="Søknad om rammetillatelse - garasje - Kirkevegen 5",
    dated=NOW - timedelta(days=10),
    stage=Stage.RECEIVED,
    interests=("building-permits",),
    properties=("12/34",),
    url="https://arkiv.example/1",
)
DECISION = replace(
    APPLICATION,
    id="2026/200",
    title="Rammetillatelse - garasje - Kirkevegen 5",
    dated=NOW - timedelta(days=1),
    stage=Stage.DECIDED,
)


def case(*documents: Document) -> Case:
    built = Case("2026001")
    for document in documents:
        built = built.with_document(document)
    return built


def test_the_newest_document_says_where_the_case_stands() -> None:
    assert case(DECISION, APPLICATION).milestone is DECISION


def test_of_two_documents_of_one_day_the_decision_is_the_newer() -> None:
    same_day = replace(DECISION, dated=APPLICATION.dated)
    assert case(same_day, APPLICATION).milestone.stage is Stage.DECIDED


def test_a_document_seen_again_keeps_what_is_not_told_any_more() -> None:
    told = replace(
        APPLICATION, case_title="Kirkevegen 5", files=(File("https://arkiv.example/f", "Tegning"),)
    )
    again = case(told, APPLICATION)
    assert again.milestone.case_title == "Kirkevegen 5"
    assert again.milestone.files == told.files
    assert len(again.documents) == 1


def test_a_case_that_is_never_closed_keeps_its_newest_documents() -> None:
    many = [
        replace(APPLICATION, id=f"d{number}", dated=NOW - timedelta(hours=number))
        for number in range(MOST_DOCUMENTS + 20)
    ]
    assert len(case(*many).documents) == MOST_DOCUMENTS
    assert case(*many).milestone.id == "d0"


def test_a_new_case_and_its_decision_are_news() -> None:
    assert is_news(None, case(APPLICATION), NOW, WINDOW)
    assert is_news(case(APPLICATION), case(APPLICATION, DECISION), NOW, WINDOW)


def test_an_older_document_that_comes_late_is_no_news() -> None:
    assert not is_news(case(DECISION), case(DECISION, APPLICATION), NOW, WINDOW)


def test_a_milestone_older_than_the_window_is_no_news() -> None:
    old = replace(APPLICATION, dated=NOW - timedelta(days=60))
    assert not is_news(None, case(old), NOW, WINDOW)


def test_a_document_that_was_there_before_we_looked_is_no_news() -> None:
    assert not is_news(None, case(replace(DECISION, known_before=True)), NOW, WINDOW)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://arkiv.example/2"},
        {"dated": NOW - timedelta(days=2)},
        {"files": (File("https://arkiv.example/f", "Tegning"),)},
        {"title": "Rammetillatelse - garasje - Kirkjevegen 5"},
        {"title": "Rammetillatelse - 12/34 - garasje - Kirkevegen 5"},
    ],
)
def test_a_link_a_date_a_file_or_a_spelling_is_no_news(change: dict) -> None:
    assert not is_news(case(DECISION), case(replace(DECISION, **change)), NOW, WINDOW)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Rammetillatelse - garasje - Kirkevegen 15"},
        {"title": "Rammetillatelse - garasje - Torgvegen 5 og nytt naust"},
        {"stage": Stage.WITHDRAWN},
        {"properties": ("12/35",)},
    ],
)
def test_another_place_stage_or_content_is_news_whatever_its_date(change: dict) -> None:
    old = replace(DECISION, dated=NOW - timedelta(days=90))
    assert is_news(case(old), case(replace(old, **change)), NOW, WINDOW)


def test_a_position_that_becomes_known_is_no_news_but_one_that_moves_is() -> None:
    here, there = replace(DECISION, point=(6.0, 59.0)), replace(DECISION, point=(6.1, 59.0))
    assert not is_news(case(DECISION), case(here), NOW, WINDOW)
    assert is_news(case(here), case(there), NOW, WINDOW)


def test_case_and_punctuation_say_nothing_else() -> None:
    assert not says_something_else("Svar - Søknad om bolig", "Svar - søknad om bolig")


def test_what_is_stored_is_read_back_the_same() -> None:
    full = replace(DECISION, point=(6.0, 59.0), files=(File("https://arkiv.example/f", "Tegning"),))
    assert Document.from_store(full.to_store()) == full
