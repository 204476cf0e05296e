"""The form of a content rule, read into a rule, each fault with its field."""

from collections.abc import Set
from dataclasses import dataclass, field

from kommunepuls_events import ContentRule, Kind, RuleCondition, RuleEffect, Severity
from kommunepuls_events.phrases import Phrase
from kommunepuls_events.rules import HIGHEST_SEVERITY
from pydantic import TypeAdapter, ValidationError

from gateway_api.domain.errors import Fault, Invalid
from gateway_api.domain.forms import Fields, one

DROP, CHANGE = "drop", "change"
ADD, SET = "add", "set"
SEVERITIES = tuple(severity for severity in Severity if severity.rank <= HIGHEST_SEVERITY.rank)
MOST_PHRASES = 100
_PHRASE = TypeAdapter(Phrase)


@dataclass(frozen=True, slots=True)
class RuleForm:
    """What stands in the form, right or wrong, to be shown again as it was written."""

    name: str = ""
    sources: tuple[str, ...] = ()
    words: str = ""
    without_words: str = ""
    areas: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    effect: str = CHANGE
    severity: str = ""
    interests: tuple[str, ...] = ()
    interests_mode: str = ADD
    new_areas: tuple[str, ...] = ()
    areas_mode: str = ADD
    sure: bool = False


@dataclass(frozen=True, slots=True)
class RuleOffer:
    """What can be named in a town's rules."""

    sources: Set[str]
    areas: Set[str]
    interests: Set[str] = field(default_factory=set)


def form_from(fields: Fields) -> RuleForm:
    """The form as it was sent."""
    return RuleForm(
        name=one(fields, "name")[:200],
        sources=tuple(fields.get("sources", ())),
        words=one(fields, "words")[:12_000],
        without_words=one(fields, "without_words")[:12_000],
        areas=tuple(fields.get("areas", ())),
        kinds=tuple(fields.get("kinds", ())),
        effect=one(fields, "effect", CHANGE),
        severity=one(fields, "severity"),
        interests=tuple(fields.get("interests", ())),
        interests_mode=one(fields, "interests_mode", ADD),
        new_areas=tuple(fields.get("new_areas", ())),
        areas_mode=one(fields, "areas_mode", ADD),
        sure=bool(one(fields, "sure")),
    )


def form_of(rule: ContentRule) -> RuleForm:
    """The form that shows a rule."""
    when, then = rule.when, rule.then
    return RuleForm(
        name=rule.name,
        sources=when.sources,
        words="\n".join(when.words),
        without_words="\n".join(when.without_words),
        areas=when.areas,
        kinds=tuple(when.kinds),
        effect=DROP if then.drop else CHANGE,
        severity=then.severity or "",
        interests=then.set_interests or then.add_interests,
        interests_mode=SET if then.set_interests else ADD,
        new_areas=then.set_areas or then.add_areas,
        areas_mode=SET if then.set_areas else ADD,
        # Whoever saved it had been asked.
        sure=then.drop and Kind.ALERT in when.kinds,
    )


def rule_from(form: RuleForm, rule: str, offer: RuleOffer) -> ContentRule:
    """The rule that a form says.

    Raises:
        Invalid: with each fault; the details are slugs that the page has words for.
    """
    faults: list[Fault] = []
    if not form.name or len(form.name) > 120:
        faults.append(Fault("/name", "no-name"))
    words = _phrases(form.words, "words", faults)
    without = _phrases(form.without_words, "without_words", faults)
    for name, given, known in (
        ("sources", form.sources, offer.sources),
        ("areas", form.areas, offer.areas),
        ("new_areas", form.new_areas, offer.areas),
        ("interests", form.interests, offer.interests),
        ("kinds", form.kinds, set(Kind)),
        ("severity", (form.severity,) if form.severity else (), set(SEVERITIES)),
    ):
        if set(given) - known:
            faults.append(Fault(f"/{name}", "unknown"))
    if not (form.sources or words or form.areas or form.kinds) and not any(
        fault.pointer == "/words" for fault in faults
    ):
        faults.append(Fault("/when", "says-nothing"))
    drop = form.effect == DROP
    if not drop and not (form.severity or form.interests or form.new_areas):
        faults.append(Fault("/then", "does-nothing"))
    if drop and Kind.ALERT in form.kinds and not form.sure:
        faults.append(Fault("/sure", "drops-warnings"))
    if faults:
        raise Invalid(faults)
    when = RuleCondition(
        sources=form.sources,
        words=words,
        without_words=without,
        areas=form.areas,
        kinds=tuple(Kind(kind) for kind in form.kinds),
    )
    return ContentRule(id=rule, name=form.name, when=when, then=_effect(form, drop=drop))


def _effect(form: RuleForm, *, drop: bool) -> RuleEffect:
    if drop:
        return RuleEffect(drop=True)
    interests = {f"{SET if form.interests_mode == SET else ADD}_interests": form.interests}
    areas = {f"{SET if form.areas_mode == SET else ADD}_areas": form.new_areas}
    return RuleEffect(severity=Severity(form.severity) if form.severity else None, **interests, **areas)


def _phrases(text: str, name: str, faults: list[Fault]) -> tuple[str, ...]:
    """One phrase a line; commas part them too."""
    found: dict[str, None] = {}
    for line in text.replace(",", "\n").splitlines():
        if not line.strip():
            continue
        try:
            found[_PHRASE.validate_python(line)] = None
        except ValidationError:
            faults.append(Fault(f"/{name}", "no-phrase"))
            return ()
    if len(found) > MOST_PHRASES:
        faults.append(Fault(f"/{name}", "too-many"))
    return tuple(found)
