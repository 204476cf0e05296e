"""What operators and editors find: sources that need a hand, dead letters, deliveries, rules and what they dropped."""

from datetime import timedelta

import httpx
from browser_staff import TOWN
from browser_stage import Stage
from gateway_api.domain.content_rules import new_rule_id
from gateway_api.domain.letters import letter_document, letter_key
from gateway_api.domain.staff import Role, Staff
from kommunepuls_events import (
    Channel,
    ContentRule,
    DeliveryState,
    DeliveryV1,
    RuleCondition,
    RuleEffect,
    SourceStatusV1,
)
from kommunepuls_events.base import utc_now
from kommunepuls_events.dead_letters import DeadLetter

OPERATOR = "operator"
TOKEN = "operator-token-0001"
LETTER = "content.v1.dead-0-900"
_EDITOR = Staff("Eva Holm", frozenset({Role.EDITOR}), TOWN)


async def with_console(stage: Stage) -> None:
    """An operator who is signed in, and something on every page."""
    async with httpx.AsyncClient(base_url=stage.url, timeout=30) as client:
        assert (await client.post("/staff/token", data={"token": TOKEN})).status_code == 303
        stage.cookies[OPERATOR] = [
            {"name": one.name, "value": one.value or "", "url": stage.url} for one in client.cookies.jar
        ]
    await _with_rules(stage)
    await _with_letters(stage)
    await _with_sources(stage)
    await _with_deliveries(stage)


async def _with_rules(stage: Stage) -> None:
    gateway = stage.running.gateway
    town = gateway.towns.first
    for name, words, then in (
        ("Ingen konkurranser", ("konkurranse*", "vinn en*"), RuleEffect(drop=True)),
        (
            "Strømbrudd er viktige",
            ("strømbrudd*",),
            RuleEffect(add_interests=("power",), severity="moderate"),
        ),
    ):
        rule = ContentRule(id=new_rule_id(), name=name, when=RuleCondition(words=words), then=then)
        current = await gateway.rules.versions.current(town.code)
        await gateway.rules.change(
            town,
            current.revision,
            lambda held, rule=rule: held.with_rule(rule, on=True),
            _EDITOR,
            "rule-added",
            name,
        )


async def _with_letters(stage: Stage) -> None:
    now = utc_now()
    dropped = stage.items["vann"].model_copy(update={"title": "Vinn en ny fotball!"})
    kept = [
        ("content.v1.dead", number, b'{"title": "Bl\xc3\xa5b\xc3\xa6r <b>', DeadLetter(
            "invalid-json", "value: broken off at byte 21", "notifier", topic="content.v1", partition=1, offset=number
        ))
        for number in (900, 901)
    ] + [
        ("rejects.v1", 900, b"<item/>", DeadLetter(
            "no-title", "no title and no text", "ingest-feeds", source=f"{TOWN}/nyheter", entry="item"
        )),
        ("rejects.v1", 901, dropped.to_json(), DeadLetter(
            "dropped-by-rule", "r-1: Ingen konkurranser", "ingest-feeds", source=f"{TOWN}/nyheter", entry="dropped"
        )),
    ]  # fmt: skip
    await stage.running.read_model.take_letters(
        [
            (
                letter_key(topic, 0, offset),
                letter_document(topic=topic, key="k", value=value, headers=letter.headers(), received_at=now),
            )
            for topic, offset, value, letter in kept
        ]
    )


async def _with_sources(stage: Stage) -> None:
    now = utc_now()
    states = {
        "facebook": {"error": "the token is dead: make a new one", "rejects": {"no-text": 3}, "items": 214},
        "nyheter": {"last_success_at": now, "next_attempt_at": now + timedelta(minutes=5), "dropped": 1},
        "innsyn": {"next_attempt_at": now - timedelta(hours=1), "last_success_at": now - timedelta(hours=2)},
    }
    for name, fields in states.items():
        status = SourceStatusV1(
            source=f"{TOWN}/{name}", municipality=TOWN, service="ingest-feeds", type="rss", at=now, **fields
        )
        await stage.running.read_model.take_status(status)


async def _with_deliveries(stage: Stage) -> None:
    now = utc_now()
    told = [
        DeliveryV1(
            subscriber="s-1", item=f"{TOWN}/nyheter/1", revision=1, channel=channel, state=state, cause=cause,
            at=now - timedelta(days=day),
        )
        for day in range(25, -1, -1)
        for channel, state, cause, number in (
            (Channel.EMAIL, DeliveryState.SENT, None, 12 + day % 5),
            (Channel.PUSH, DeliveryState.SENT, None, 7 + day % 3),
            (Channel.EMAIL, DeliveryState.FAILED, "hard-bounce", 1),
        )
        for _ in range(number)
    ]  # fmt: skip
    # A partition that the topic of the stage does not have, so that nothing that comes is taken for known.
    await stage.running.gateway.delivery_counts.take(99, list(enumerate(told)))
