from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from ingest_permits.domain.cases import Case, Document, File
from ingest_permits.domain.drafts import Located, Publisher, draft_of
from ingest_permits.domain.stages import Stage
from kommunepuls_chassis.errors import RejectedInput
from kommunepuls_events import Kind, Organiser
from kommunepuls_events.geometry import Point

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PUBLISHER = Publisher(
    municipality="NO-9999",
    source="NO-9999/arkiv",
    organiser=Organiser(id="NO-9999/kommune", name="Fjordvik kommune"),
    language="nb",
    zone=ZoneInfo("Europe/Oslo"),
    areas=("NO-9999/nordbygda",),
)
DECISION = Document(
    case="2026001",
    id="2026/200",
    title="Rammetillatelse - garasje - Kirkevegen 5 - [privatperson]",
    dated=datetime(2026, 3, 8, 23, tzinfo=UTC),
    stage=Stage.DECIDED,
    interests=("building-permits",),
    properties=("12/34",),
    case_number="26/100",
    url="https://arkiv.example/2",
    files=(File("https://arkiv.example/f", "Vedtak"),),
)
APPLICATION = replace(
    DECISION,
    id="2026/100",
    title="Søknad <b>om</b> garasje",
    dated=datetime(2026, 2, 1, tzinfo=UTC),
    files=(),
)


def test_a_case_becomes_the_item_of_its_newest_document() -> None:
    case = Case("2026001", (APPLICATION, DECISION))
    item = draft_of(case, PUBLISHER, Located(), NOW, news=True)
    assert (item.id, item.kind, item.stage) == ("NO-9999/arkiv/2026001", Kind.PERMIT, "decided")
    assert item.title == "Rammetillatelse - garasje - Kirkevegen 5"
    assert item.summary == "Avgjort. Sak 26/100."
    assert item.place_name == "Gnr./bnr. 12/34"
    assert item.areas == ("NO-9999/nordbygda",)
    assert [str(link.url) for link in item.links] == ["https://arkiv.example/2", "https://arkiv.example/f"]
    assert item.published_at == DECISION.dated


def test_the_body_lists_the_documents_with_their_local_dates_and_no_markup_of_theirs() -> None:
    item = draft_of(Case("2026001", (APPLICATION, DECISION)), PUBLISHER, Located(), NOW, news=True)
    assert item.body.startswith("<ul><li>09.03.2026: Rammetillatelse")
    assert "<b>" not in item.body


def test_what_was_located_goes_before_what_the_town_file_says() -> None:
    located = Located(Point(coordinates=(6.05, 59.05)), ("NO-9999/sentrum", "NO-9999"), "Kirkevegen 5")
    item = draft_of(Case("2026001", (DECISION,)), PUBLISHER, located, NOW, news=True)
    assert item.areas == ("NO-9999/sentrum", "NO-9999")
    assert item.place_name == "Kirkevegen 5"


def test_the_cases_title_is_added_where_the_document_does_not_tell_it() -> None:
    bare = replace(DECISION, title="Melding om vedtak", case_title="Kirkevegen 5 - garasje")
    assert draft_of(Case("1", (replace(bare, case="1"),)), PUBLISHER, Located(), NOW, news=True).title == (
        "Melding om vedtak: Kirkevegen 5 - garasje"
    )
    told = replace(DECISION, case_title="Kirkevegen 5 - garasje")
    assert ":" not in draft_of(Case("2026001", (told,)), PUBLISHER, Located(), NOW, news=True).title


@pytest.mark.parametrize(
    ("language", "word"), [("nn", "Avgjord."), ("sv", "Beslutad."), ("en", "Decided."), ("se", "Decided.")]
)
def test_our_own_words_are_in_the_sources_language(language: str, word: str) -> None:
    item = draft_of(
        Case("2026001", (DECISION,)), replace(PUBLISHER, language=language), Located(), NOW, news=True
    )
    assert item.summary.startswith(word)


def test_what_the_contract_does_not_take_is_refused_and_not_a_crash() -> None:
    with pytest.raises(RejectedInput) as refused:
        draft_of(
            Case("2026001", (replace(DECISION, interests=("Not A Slug",)),)),
            PUBLISHER,
            Located(),
            NOW,
            news=True,
        )
    assert refused.value.reason == "not-an-item"
