"""Pages of content rules: the list in its order, one rule with its trial, every version, what was dropped."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from kommunepuls_events import ContentItemV1, ContentRule, Kind
from kommunepuls_events.interests import INTERESTS
from pydantic import ValidationError

from gateway_api.adapters.http.access import GatewayAccess
from gateway_api.adapters.http.access_staff import EditorStaff, staff_town
from gateway_api.adapters.http.naming import ReaderNames
from gateway_api.adapters.http.staff_rendering import staff_page, staff_words
from gateway_api.domain import rule_form
from gateway_api.domain.content_rules import KeptRule, Version, in_force, new_rule_id
from gateway_api.domain.errors import Invalid, NotFound
from gateway_api.domain.letters import DROPPED
from gateway_api.domain.organisers.publishing import source_of
from gateway_api.domain.rule_form import RuleForm, RuleOffer, form_from, form_of, rule_from
from gateway_api.domain.words import Words
from gateway_api.service.content_rules import inside
from gateway_api.service.gateway import Gateway
from gateway_api.service.operators import LetterFilter
from gateway_api.service.rule_trial import Trial
from gateway_api.service.staff_sign_in import StaffSession
from gateway_api.service.towns import TownView

router = APIRouter(prefix="/staff/rules", include_in_schema=False)

_MOST_SHOWN = 40
_MOST_VERSIONS = 100
_NEW = "new"
_STEPS = {"up": -1, "down": 1}


@router.get("", response_class=HTMLResponse)
async def rules(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """All rules in their order."""
    town = staff_town(request, session)
    dropped = await _dropped(gateway, town)
    return await staff_page(
        request,
        "rules.html",
        session,
        version=await gateway.rules.versions.current(town.code),
        names=await _names(request, session, gateway),
        dropped=sum(one["state"] == "open" for one in dropped),
        said=request.query_params.get("said", ""),
    )


@router.get("/history", response_class=HTMLResponse)
async def history(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Every version, the newest first."""
    town = staff_town(request, session)
    versions = await gateway.rules.versions.history(town.code, limit=_MOST_VERSIONS)
    return await staff_page(
        request,
        "rules_history.html",
        session,
        versions=versions,
        current=versions[0].revision if versions else 0,
        names=await _names(request, session, gateway),
    )


@router.post("/history/{version}", response_class=HTMLResponse)
async def restore(request: Request, version: int, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Go back to a version."""
    town = staff_town(request, session)
    await gateway.rules.restore(town, _revision(await request.form()), version, session.staff)
    return RedirectResponse("/staff/rules?said=restored", 303)


@router.get("/dropped", response_class=HTMLResponse)
async def dropped(request: Request, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """What rules have kept from being published."""
    town = staff_town(request, session)
    return await staff_page(
        request,
        "rules_dropped.html",
        session,
        items=await _dropped(gateway, town),
        keep_days=gateway.settings.keep_days,
        said=request.query_params.get("said", ""),
    )


@router.post("/dropped/{letter}", response_class=HTMLResponse)
async def let_through(
    request: Request, letter: str, session: EditorStaff, gateway: GatewayAccess
) -> Response:
    """Have a dropped item published, past the rule."""
    town = staff_town(request, session)
    stored = await gateway.letters.get(DROPPED, letter)
    if not stored.document["source"].startswith(f"{town.code}/"):
        raise NotFound("there is no such record")
    title = _title(stored.document["value"])
    await gateway.audit.note(session.staff, "item-let-through", town.code, title)
    await gateway.letters.replay_one(DROPPED, letter)
    return RedirectResponse("/staff/rules/dropped?said=through", 303)


@router.get("/{rule}", response_class=HTMLResponse)
async def one_rule(request: Request, rule: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """The form of a rule, empty for a new one."""
    town = staff_town(request, session)
    version = await gateway.rules.versions.current(town.code)
    kept = None if rule == _NEW else version.rule(rule)
    return await _show(request, session, gateway, version, kept, form_of(kept.rule) if kept else RuleForm())


@router.post("/{rule}", response_class=HTMLResponse)
async def write(request: Request, rule: str, session: EditorStaff, gateway: GatewayAccess) -> Response:
    """Try, save or delete the rule, whatever the pressed button says."""
    sent = await request.form()
    fields = {name: [str(value) for value in sent.getlist(name)] for name in sent}
    action = rule_form.one(fields, "action", "try")
    town = staff_town(request, session)
    version = await gateway.rules.versions.current(town.code)
    kept = None if rule == _NEW else version.rule(rule)
    revision = _revision(sent)
    if action in _SIMPLE and kept is not None:
        deed, decide = _SIMPLE[action]
        await gateway.rules.change(
            town, revision, lambda held: decide(held, rule), session.staff, deed, kept.rule.name
        )
        return RedirectResponse(f"/staff/rules?said={deed}#{rule}", 303)
    form = form_from(fields)
    try:
        written = rule_from(form, kept.id if kept else new_rule_id(), _offer(town, gateway, version))
        if action == "try":
            trial = await _try(gateway, town, version, written)
            return await _show(request, session, gateway, version, kept, form, trial=trial)
        on = action == "save-on" or (action == "save" and kept is not None and kept.on)
        await gateway.rules.change(
            town,
            revision,
            lambda held: held.with_rule(written, on=on),
            session.staff,
            "rule-changed" if kept else "rule-added",
            written.name,
        )
    except Invalid as error:
        return await _show(request, session, gateway, version, kept, form, error=error)
    return RedirectResponse(f"/staff/rules?said=saved#{written.id}", 303)


_Simple = Callable[[Version, str], tuple[KeptRule, ...]]
_SIMPLE: dict[str, tuple[str, _Simple]] = {
    "on": ("rule-on", lambda held, rule: held.switched(rule, on=True)),
    "off": ("rule-off", lambda held, rule: held.switched(rule, on=False)),
    "up": ("rules-ordered", lambda held, rule: held.moved(rule, _STEPS["up"])),
    "down": ("rules-ordered", lambda held, rule: held.moved(rule, _STEPS["down"])),
    "delete": ("rule-deleted", lambda held, rule: held.without(rule)),
}


def _revision(form: Any) -> int:
    text = str(form.get("revision", ""))
    return int(text) if text.isdigit() and len(text) < 12 else -1


async def _try(gateway: Gateway, town: TownView, version: Version, written: ContentRule) -> Trial:
    """What the rule would do if it were on, beside the rules that are."""
    around = inside(town)
    proposed = version.with_rule(written, on=True)
    return await gateway.trials.compare(town, in_force(version.rules, around), in_force(proposed, around))


def _sources(town: TownView) -> dict[str, str]:
    """The sources that a rule can name, with what they are called."""
    named = {
        town.town.source_id(source): f"{town.town.organiser_of(source).name}: {source.id}"
        for source in town.town.sources
    }
    return named | {source_of(town.code): ""}


def _offer(town: TownView, gateway: Gateway, version: Version) -> RuleOffer:
    """What can be named; what a rule names already stays allowed when the town has it no longer."""
    held = [one.rule for one in version.rules]
    return RuleOffer(
        sources={*_sources(town), *(source for rule in held for source in rule.when.sources)},
        areas={
            town.code,
            *(area.id for area in town.tree),
            *(
                area
                for rule in held
                for area in (*rule.when.areas, *rule.then.add_areas, *rule.then.set_areas)
            ),
        },
        interests={
            *INTERESTS,
            *town.town.interests,
            *(slug for rule in held for slug in (*rule.then.add_interests, *rule.then.set_interests)),
        },
    )


class RuleNames(ReaderNames):
    """What rules name, as editors call it."""

    def __init__(self, gateway: Gateway, words: Words, town: TownView) -> None:
        super().__init__(gateway, words, municipality=town.code)
        self._sources = _sources(town)

    def source(self, source: str) -> str:
        """Name of a source."""
        if source in self._sources and not self._sources[source]:
            return self._words.say("What organisers write here")
        return self._sources.get(source) or source.rpartition("/")[2]


async def _names(request: Request, session: StaffSession, gateway: Gateway) -> RuleNames:
    return RuleNames(gateway, staff_words(request, session), staff_town(request, session))


async def _dropped(gateway: Gateway, town: TownView) -> list[dict[str, Any]]:
    page = await gateway.letters.list(LetterFilter(DROPPED), limit=200, cursor=None)
    return [
        {
            "id": stored.key,
            "title": _title(stored.document["value"]),
            "source": stored.document["source"],
            "rule": stored.document["detail"].partition(": ")[2],
            "at": stored.document["at"],
            "state": stored.document["state"],
        }
        for stored in page.documents
        if stored.document["source"].startswith(f"{town.code}/")
    ]


def _title(value: bytes | None) -> str:
    try:
        return ContentItemV1.model_validate_json(value or b"").title
    except ValidationError:
        return ""


async def _show(
    request: Request,
    session: StaffSession,
    gateway: Gateway,
    version: Version,
    kept: KeptRule | None,
    form: RuleForm,
    *,
    error: Invalid | None = None,
    trial: Trial | None = None,
) -> Response:
    town = staff_town(request, session)
    names = await _names(request, session, gateway)
    offer = _offer(town, gateway, version)
    language = names.language
    interests = [(slug, town.interest_name(slug, language)) for slug in offer.interests]
    faults = {fault.pointer.lstrip("/"): fault.detail for fault in error.faults} if error else {}
    return await staff_page(
        request,
        "rule.html",
        session,
        status=422 if error else 200,
        version=version,
        kept=kept,
        form=form,
        faults=faults,
        trial=trial,
        shown=trial.changed[:_MOST_SHOWN] if trial else (),
        names=names,
        sources=[(source, names.source(source)) for source in sorted(offer.sources)],
        areas=town.chosen_areas(),
        interests=sorted(interests, key=lambda pair: pair[1].casefold()),
        kinds=list(Kind),
        severities=rule_form.SEVERITIES,
    )
