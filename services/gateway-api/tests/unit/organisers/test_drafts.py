"""Who may do what with a draft, and which state follows."""

from datetime import UTC, datetime, timedelta

import pytest
from gateway_api.domain.errors import Conflict, NotAllowed
from gateway_api.domain.organisers import drafts
from gateway_api.domain.organisers.content import Content
from gateway_api.domain.organisers.drafts import Draft, State
from gateway_api.domain.organisers.publishing import item_of, withdrawal_of
from gateway_api.domain.staff import Role, Staff, operator_named
from kommunepuls_events import LifecycleState, Organiser

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
CLUB = Organiser(id="NO-9901/fotball", name="Fjordvik fotball")
MARI = Staff("Mari", frozenset({Role.ORGANISER}), "NO-9901", frozenset({CLUB.id}), "w-1")
OTHER = Staff("Nils", frozenset({Role.ORGANISER}), "NO-9901", frozenset({"NO-9901/korps"}), "w-2")
EDITOR = Staff("Eva", frozenset({Role.EDITOR}), "NO-9901", frozenset(), "w-3")
NEIGHBOUR = Staff("Jens", frozenset({Role.EDITOR}), "NO-9902", frozenset(), "w-4")
OPERATOR = operator_named("drift")
CONTENT = Content(title="Dugnad på banen", text="Ta med rake.", interests=("football",))


def a_draft(content: Content = CONTENT) -> Draft:
    return Draft("d1", "NO-9901", CLUB.id, MARI.name, content, NOW, NOW)


def waiting() -> Draft:
    return drafts.submitted(a_draft(), 1, MARI, NOW, tell=True)


def out(draft: Draft | None = None, *, tell: bool = True) -> Draft:
    draft = draft or a_draft()
    item = item_of(draft, CLUB, (), "https://puls.example", NOW, tell=tell)
    return drafts.published(draft, item, EDITOR, NOW)


def other(title: str = "Dugnad på søndag") -> Content:
    return CONTENT.model_copy(update={"title": title})


def test_a_draft_waits_is_published_changed_and_withdrawn() -> None:
    draft = waiting()
    assert (draft.state, draft.live) == (State.WAITING, False)
    draft = out(draft)
    assert (draft.state, draft.live) == (State.PUBLISHED, True)
    draft = drafts.saved(draft, other(), MARI, NOW)
    assert (draft.state, draft.live) == (State.CHANGED, True)
    draft = out(drafts.submitted(draft, 2, MARI, NOW, tell=False), tell=False)
    assert draft.item is not None
    assert (draft.item.revision, draft.item.lifecycle.news) == (2, False)
    assert [(one.field, one.before, one.after) for one in draft.item.lifecycle.changes] == [
        ("title", "Dugnad på banen", "Dugnad på søndag")
    ]
    draft = drafts.withdrawn(draft, withdrawal_of(draft.item, NOW), MARI, NOW)
    assert draft.item is not None
    assert (draft.state, draft.live, draft.item.revision) == (State.WITHDRAWN, False, 3)
    assert draft.item.lifecycle.state is LifecycleState.WITHDRAWN
    assert [step.state for step in draft.steps] == ["waiting", "published", "changed", "waiting", "published", "withdrawn"]  # fmt: skip
    with pytest.raises(Conflict):
        drafts.saved(draft, CONTENT, MARI, NOW)
    with pytest.raises(Conflict):
        drafts.publishable(draft, draft.edition, EDITOR)


def test_the_editors_word_stands_until_it_is_handed_in_again() -> None:
    draft = drafts.sent_back(waiting(), 1, EDITOR, "Når er det?", NOW)
    assert (draft.state, draft.word) == (State.SENT_BACK, "Når er det?")
    draft = drafts.saved(draft, other(), MARI, NOW)
    assert (draft.state, draft.word) == (State.SENT_BACK, "Når er det?")
    assert drafts.submitted(draft, 2, MARI, NOW, tell=True).word == ""


def test_only_what_was_read_is_approved() -> None:
    draft = waiting()
    with pytest.raises(Conflict):
        drafts.decidable(drafts.saved(draft, other(), MARI, NOW), 1, EDITOR)
    assert drafts.saved(draft, other(), MARI, NOW).state is State.DRAFT
    assert drafts.saved(draft, CONTENT, MARI, NOW).state is State.WAITING
    with pytest.raises(Conflict):
        drafts.decidable(out(draft), 1, EDITOR)


def test_a_change_taken_back_leaves_it_published() -> None:
    draft = drafts.saved(out(), other(), MARI, NOW)
    assert drafts.saved(draft, CONTENT, MARI, NOW).state is State.PUBLISHED


@pytest.mark.parametrize("writer", [OTHER, NEIGHBOUR])
def test_who_does_not_write_for_the_organiser_changes_nothing(writer: Staff) -> None:
    live = out()
    assert live.item is not None
    for attempt in (
        lambda: drafts.saved(a_draft(), other(), writer, NOW),
        lambda: drafts.submitted(a_draft(), 1, writer, NOW, tell=True),
        lambda: drafts.publishable(a_draft(), 1, writer),
        lambda: drafts.withdrawn(live, withdrawal_of(live.item, NOW), writer, NOW),
        lambda: drafts.closed(a_draft(), writer, NOW),
        lambda: drafts.decidable(waiting(), 1, writer),
        lambda: drafts.sent_back(waiting(), 1, writer, "nei", NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_an_organiser_does_not_approve_for_themselves() -> None:
    with pytest.raises(NotAllowed):
        drafts.decidable(waiting(), 1, MARI)
    for decider in (EDITOR, OPERATOR):
        drafts.decidable(waiting(), 1, decider)


def test_what_was_published_is_withdrawn_and_never_deleted() -> None:
    with pytest.raises(Conflict):
        drafts.closed(out(), MARI, NOW)
    assert drafts.closed(waiting(), MARI, NOW).state is State.WITHDRAWN
    with pytest.raises(Conflict):
        drafts.withdrawn(a_draft(), out().item, MARI, NOW)  # type: ignore[arg-type]


def test_a_draft_comes_back_from_its_document_as_it_was() -> None:
    draft = drafts.saved(out(waiting()), other(), MARI, NOW + timedelta(hours=1))
    assert Draft.of(draft.id, draft.fields()) == draft
