import pytest
from ingest_facebook.adapters.rules_file import shipped_rules
from ingest_facebook.domain.rules import Rule, content_of
from kommunepuls_events import Kind, Severity
from kommunepuls_events.interests import INTERESTS
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Vi søker trener til G12", Kind.VOLUNTEER_NEED),
        ("Laget trenger en ny og god trener", Kind.VOLUNTEER_NEED),
        ("Me treng trenarar til hausten", Kind.VOLUNTEER_NEED),
        ("Vi söker en tränare", Kind.VOLUNTEER_NEED),
        ("We need a new coach", Kind.VOLUNTEER_NEED),
        ("Bli frivillig hos oss", Kind.VOLUNTEER_NEED),
        ("Laget har fått ny trener", Kind.NOTICE),
        ("Treneren vår fyller år", Kind.NOTICE),
        ("KOKEVARSEL for Havna", Kind.ALERT),
        ("Strömavbrott i Munkedal", Kind.ALERT),
        ("Stem på årets ildsjel", Kind.POLL),
        ("Spørreundersøkelse om skolevei", Kind.POLL),
    ],
)
def test_words_decide_what_sort_of_thing_a_post_tells(text: str, kind: Kind) -> None:
    assert content_of(text, shipped_rules()).kind is kind


@pytest.mark.parametrize(
    ("text", "interest"),
    [
        ("Brøytebilene er ute", "winter-maintenance"),
        ("Nye bøker på biblioteket", "library"),
        ("Barnehagane held stengt", "kindergartens"),
        ("Storgata er stengt, omkjøring er skiltet", "roads-and-traffic"),
        ("Fotbollsträning för flickor", "football"),
    ],
)
def test_words_tell_whom_it_interests(text: str, interest: str) -> None:
    assert interest in content_of(text, shipped_rules()).interests


def test_the_interests_of_the_source_come_last() -> None:
    assert content_of("Fotballkamp", shipped_rules(), ("municipal-news", "football")).interests == (
        "football", "sports", "municipal-news",
    )  # fmt: skip


def test_a_sources_own_rules_go_first() -> None:
    own = Rule(words=("kokevarsel",), kind=Kind.NOTICE)

    assert content_of("Kokevarsel", (own, *shipped_rules())).kind is Kind.NOTICE


def test_shipped_rules_use_the_shared_taxonomy_and_wake_nobody() -> None:
    for rule in shipped_rules():
        assert set(rule.interests) <= set(INTERESTS)
        assert rule.severity is None or rule.severity.rank <= Severity.MODERATE.rank


def test_a_word_is_found_whole_unless_a_star_says_otherwise() -> None:
    rule = Rule(words=("kor", "*trener", "brøyt*", "trenger * hjelp"), kind=Kind.POLL)

    for text in ("Kor!", "fotballtrener", "brøyting", "trenger din hjelp", "trenger hjelp"):
        assert content_of(text, [rule]).kind is Kind.POLL, text
    for text in ("korps", "trenerløype", "snøbrøyting", "trenger en to tre fire fem hjelp"):
        assert content_of(text, [rule]).kind is Kind.NOTICE, text


def test_a_misspelt_rule_is_refused() -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"words": ["x y"], "intrests": ["football"]})
