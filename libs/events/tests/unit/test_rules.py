"""What content rules do with items, and what they cannot do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kommunepuls_events import (
    ContentItemV1,
    ContentRule,
    ContentRulesV1,
    Event,
    Kind,
    MalformedEvent,
    RuleCondition,
    RuleEffect,
    Severity,
    as_sent,
    event_for,
    item_id,
    judge,
)
from kommunepuls_events.phrases import found
from kommunepuls_events.rules import text_of
from pydantic import ValidationError

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOURCE = "NO-9901/nyheter"
CHANGED = {"interests", "areas", "severity", "changed_by"}


def an_item(title: str = "Strømbrudd i Havna", **fields: Any) -> ContentItemV1:
    given_fields: dict[str, Any] = {
        "kind": Kind.NOTICE, "areas": ("NO-9901/havna",), "interests": ("municipal-news",),
        "published_at": NOON, "observed_at": NOON,
    }  # fmt: skip
    return ContentItemV1(
        id=item_id(SOURCE, "1"), revision=1, municipality="NO-9901", source=SOURCE, native_id="1",
        title=title, **(given_fields | fields),
    )  # fmt: skip


def a_rule(name: str = "r", *, when: dict | None = None, **then: Any) -> ContentRule:
    return ContentRule(
        id=name,
        name=name,
        when=RuleCondition(**(when or {"kinds": tuple(Kind)})),
        then=RuleEffect(**(then or {"add_interests": ("power",)})),
    )


@pytest.mark.parametrize(
    ("phrase", "text", "wanted"),
    [
        ("strømbrudd", "STRØMBRUDD i Havna", True),
        ("strømbrudd", "Strømbruddet er over", False),
        ("strømbrudd*", "Strømbruddene er over", True),
        ("brudd", "strømbrudd", False),
        ("*brudd", "strømbrudd", True),
        ("øvelse", "Øvelse i kveld", True),
        ("ål", "mål i siste minutt", False),
        ("frivillig*", "Frivilligsentralen trenger deg", True),
        ("vannet er borte", "Vannet\ner  borte i dag", True),
        ("vannet er borte", "Vannet, sier de, er borte", False),
        ("vannet * borte", "Vannet kan bli helt borte", True),
        ("vannet * borte", "Vannet kan bli helt og holdent nesten borte", False),
        ("17. mai", "Toget 17. mai går kl. 12", True),
        ("c++", "kurs i C++ for unge", True),
        ("skole", "Skole-nytt", True),
        ("skole", "skole_nytt", False),
        ("Bø", "Bø kommune", True),
        ("café", "Cafe\u0301 i parken", True),
    ],
)
def test_words_are_found_whole_in_any_case_and_inflected_where_a_star_allows_it(phrase, text, wanted) -> None:
    assert found((phrase,), text) is wanted


def test_words_are_looked_for_in_title_summary_and_text_without_its_markup() -> None:
    item = an_item(
        "Nytt", summary="Vei stengt", body='<p class="brudd">Rør&oslash;r <b>lek</b>ker</p><p>i dag</p>'
    )
    text = text_of(item)
    assert found(("vei stengt",), text)
    assert found(("rørør lekker",), text)
    assert not found(("brudd",), text)
    assert not found(("lekkeri",), text)
    assert len(text_of(an_item(body="ord " * 10_000))) <= 4000


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"sources": (SOURCE,)}, True),
        ({"sources": ("NO-9901/facebook",)}, False),
        ({"kinds": (Kind.NOTICE, Kind.EVENT)}, True),
        ({"kinds": (Kind.EVENT,)}, False),
        ({"areas": ("NO-9901/havna", "NO-9901/vestlia")}, True),
        ({"areas": ("NO-9901/vestlia",)}, False),
        ({"words": ("strømbrudd",)}, True),
        ({"words": ("strømbrudd",), "without_words": ("havna",)}, False),
        ({"words": ("strømbrudd",), "kinds": (Kind.EVENT,)}, False),
    ],
)
def test_everything_a_rule_names_must_fit_and_one_of_each_is_enough(when, fits) -> None:
    assert (judge(an_item(), [a_rule(when=when)]).item != an_item()) is fits


def test_rules_add_replace_and_the_later_of_two_counts() -> None:
    rules = [
        a_rule("one", add_interests=("power",), severity=Severity.MODERATE, set_areas=("NO-9901/vestlia",)),
        a_rule("two", add_areas=("NO-9901/nord",), severity=Severity.MINOR),
    ]
    item = judge(an_item(), rules).item
    assert item.interests == ("municipal-news", "power")
    assert item.areas == ("NO-9901/vestlia", "NO-9901/nord")
    assert item.severity is Severity.MINOR
    assert item.changed_by.rules == ("one", "two")
    assert as_sent(item) == an_item()


def test_a_rule_looks_at_the_item_as_it_was_sent_not_at_what_another_made_of_it() -> None:
    moves = a_rule("moves", set_areas=("NO-9901/vestlia",))
    drops = a_rule("drops", when={"areas": ("NO-9901/vestlia",)}, drop=True)
    assert judge(an_item(), [moves, drops]).dropped_by is None


def test_what_is_dropped_names_the_first_rule_that_does_it() -> None:
    judged = judge(an_item(), [a_rule("adds"), a_rule("drops", drop=True), a_rule("too", drop=True)])
    assert judged.dropped_by.id == "drops"
    assert judged.item == an_item()


@pytest.mark.parametrize("severity", [Severity.SEVERE, Severity.EXTREME])
def test_no_rule_touches_an_emergency(severity) -> None:
    warning = an_item("Fare for skred", kind=Kind.ALERT, severity=severity)
    for rule in (a_rule(drop=True), a_rule(severity=Severity.MINOR), a_rule(set_areas=("NO-9901/nord",))):
        judged = judge(warning, [rule])
        assert (judged.item, judged.dropped_by) == (warning, None)
    exercise = warning.model_copy(update={"exercise": True})
    assert judge(exercise, [a_rule(drop=True)]).dropped_by is not None


@pytest.mark.parametrize(
    "then",
    [
        {},
        {"drop": True, "severity": "minor"},
        {"severity": "severe"},
        {"severity": "extreme"},
        {"add_interests": ("power",), "set_interests": ("power",)},
        {"add_areas": ("a",), "set_areas": ("b",)},
        {"add_interests": ("Strøm",)},
    ],
)
def test_an_effect_that_makes_no_sense_or_would_wake_everybody_is_refused(then) -> None:
    with pytest.raises(ValidationError):
        RuleEffect(**then)


@pytest.mark.parametrize("when", [{}, {"without_words": ("x y",)}, {"words": ("*",)}, {"words": ("* *",)}])
def test_a_condition_that_says_nothing_is_refused(when) -> None:
    with pytest.raises(ValidationError):
        RuleCondition(**when)


def test_a_rule_of_a_newer_version_is_refused_rather_than_read_too_widely() -> None:
    rules = ContentRulesV1(municipality="NO-9901", revision=1, rules=(a_rule(),), changed_at=NOON)
    event = event_for(rules, producer="gateway-api")
    assert Event.decode(event.value(), event.headers()).data == rules
    newer = event.value().replace(b'"when":{', b'"when":{"organisers":["NO-9901/fotball"],')
    with pytest.raises(MalformedEvent, match="organisers"):
        Event.decode(newer, event.headers())


_SLUGS = st.lists(st.sampled_from(["power", "football", "nature", "parking"]), max_size=3, unique=True).map(
    tuple
)
_AREAS = st.lists(st.sampled_from([f"NO-9901/{name}" for name in ("havna", "nord", "sor")]), max_size=2).map(
    lambda some: tuple(dict.fromkeys(some))
)
_WORDS = st.sampled_from(["Strømbrudd", "kamp", "ØVELSE", "Vei stengt", "café", "på ål", "skolen"])


@st.composite
def _effects(draw) -> RuleEffect:
    if draw(st.integers(0, 4)) == 0:
        return RuleEffect(drop=True)
    severity = draw(st.sampled_from([None, Severity.MINOR, Severity.MODERATE]))
    interests, areas = draw(_SLUGS), draw(_AREAS)
    names = draw(st.tuples(st.sampled_from(["add", "set"]), st.sampled_from(["add", "set"])))
    then = {f"{names[0]}_interests": interests, f"{names[1]}_areas": areas, "severity": severity}
    return RuleEffect(**(then if any(then.values()) else {"severity": Severity.MINOR}))


_CONDITIONS = st.builds(
    RuleCondition,
    words=st.lists(_WORDS, max_size=2).map(tuple),
    without_words=st.lists(_WORDS, max_size=1).map(tuple),
    kinds=st.just(tuple(Kind)),
)
_RULES = st.lists(
    st.builds(
        ContentRule, id=st.sampled_from(["a", "b", "c"]), name=st.just("n"), when=_CONDITIONS, then=_effects()
    ),
    max_size=5,
)
_ITEMS = st.builds(
    an_item,
    st.lists(_WORDS, min_size=1, max_size=4).map(", ".join),
    kind=st.sampled_from(list(Kind)),
    severity=st.sampled_from(list(Severity)),
    exercise=st.booleans(),
    interests=_SLUGS,
    areas=_AREAS,
)


@given(_ITEMS, _RULES)
def test_rules_change_three_fields_keep_what_they_were_and_leave_emergencies_alone(item, rules) -> None:
    judged = judge(item, rules)
    after = judged.item
    different = {name for name in ContentItemV1.model_fields if getattr(after, name) != getattr(item, name)}
    assert different <= CHANGED
    assert as_sent(after) == item
    assert after.emergency == item.emergency
    if item.emergency:
        assert (after, judged.dropped_by) == (item, None)
    # Judged again from what was sent, it comes out the same: a repeat is no change.
    assert judge(as_sent(after), rules) == judged
    # What was made is what a reader of the topic would accept.
    assert ContentItemV1.model_validate_json(after.to_json()) == after


@given(_ITEMS, _RULES)
def test_the_case_of_letters_makes_no_difference(item, rules) -> None:
    shouted = item.model_copy(update={"title": item.title.upper()})
    one, other = judge(item, rules), judge(shouted, rules)
    assert one.dropped_by == other.dropped_by
    assert one.item.interests == other.item.interests


@given(_ITEMS, _RULES, st.randoms())
def test_whether_an_item_is_dropped_does_not_depend_on_the_order(item, rules, random) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert (judge(item, rules).dropped_by is None) == (judge(item, shuffled).dropped_by is None)
