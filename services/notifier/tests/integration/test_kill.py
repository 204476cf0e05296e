"""kill -9 in the middle of 200 deliveries, and a start: nobody is left out, nobody reads it twice."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from kommunepuls_chassis.producer import open_producer
from kommunepuls_chassis.sealing import seal
from kommunepuls_chassis.settings import ServiceSettings
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import ContactAction, ContactCommandV1
from notifier.testing import NOON, item, match, profile

pytestmark = pytest.mark.integration
RESIDENTS = 200


async def start(environment: dict[str, str], log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "notifier", env={**os.environ, **environment}, stderr=errors
        )


@pytest.mark.timeout(150)
async def test_kill_9_among_two_hundred_deliveries_loses_nothing_and_doubles_nothing(
    broker, environment, mail_sink, tmp_path, record_property
) -> None:
    environment |= {
        "KP_KAFKA_BOOTSTRAP": broker,
        "KP_KAFKA_SESSION_SECONDS": "6",
        "KP_SMTP_PORT": str(mail_sink.port),
        "KP_LEASE_SECONDS": "4",
        "KP_SMTP_TIMEOUT_SECONDS": "3",
        "KP_SMTP_AT_ONCE": "16",
    }
    mail_sink.seconds = 0.05
    everybody = [f"s-{number}" for number in range(RESIDENTS)]
    async with open_producer("test", ServiceSettings(kafka_bootstrap=broker)) as publish:
        await publish.publish(
            *(
                ContactCommandV1(
                    id=f"c-{one}",
                    subscriber=one,
                    action=ContactAction.REGISTER,
                    channel="email",
                    endpoint=f"m-{one}",
                    sealed=seal(
                        {"address": f"{one}@post.example"},
                        environment["KP_CONTACT_PUBLIC_KEY"],
                        subscriber=one,
                    ),
                    at=NOON,
                )
                for one in everybody
            ),
            *(profile(one) for one in everybody),
        )
        await publish.publish(match(item(), *everybody))
    kills = 0
    process = await start(environment, tmp_path / "log")
    try:
        for share in (0.2, 0.5, 0.8):
            await eventually(
                lambda share=share: len(mail_sink.mails) >= share * RESIDENTS,
                within=120,
                what=f"{share} of the mails",
            )
            process.send_signal(signal.SIGKILL)
            await process.wait()
            kills += 1
            process = await start(environment, tmp_path / "log")
        await eventually(
            lambda: len({recipient for recipient, _ in mail_sink.mails}) == RESIDENTS,
            within=120,
            what="everybody",
        )
    finally:
        process.terminate()
        await process.wait()
    by_person: dict[str, Counter[str]] = {}
    for recipient, mail in mail_sink.mails:
        by_person.setdefault(recipient, Counter())[mail["Message-ID"]] += 1
    assert len(by_person) == RESIDENTS
    assert all(len(ids) == 1 for ids in by_person.values()), "who gets it again gets the same Message-ID"
    assert len({next(iter(ids)) for ids in by_person.values()}) == RESIDENTS
    resent = len(mail_sink.mails) - RESIDENTS
    record_property("ambiguous_resends", resent)
    print(f"{kills} kills, {RESIDENTS} residents, {resent} ambiguous resends")
    assert resent <= kills * 16, "at most what was under way"
    assert process.returncode == 0
    log = (tmp_path / "log").read_text()
    assert log.count("service_started") == kills + 1
    assert "post.example" not in log, "no address in the logs"
