"""Polling goes on whatever happens to one poll."""

import asyncio
from datetime import UTC, datetime

from kommunepuls_chassis.errors import PermanentError, ThrottledError, TransientError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.polling import PERMANENT_RETRY_SECONDS, SourcePoller
from kommunepuls_chassis.testing import eventually
from kommunepuls_chassis.town import SourceConfig


class Intake:
    """As much of an intake as a poller uses; its first writes fail if asked."""

    def __init__(self, failures: int = 0) -> None:
        self.id = "NO-9901/test"
        self.config = SourceConfig(id="test", type="rss", poll_seconds=1)
        self.failures = failures
        self.saved: list[dict] = []

    async def save(self, **what: object) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("Kafka does not answer")
        self.saved.append(what)


async def delay_after(error: Exception) -> tuple[float, str]:
    async def poll() -> dict | None:
        raise error

    intake = Intake()
    delay = await SourcePoller(intake, poll, Health()).poll_once()
    assert intake.saved[0]["next_attempt_at"] > datetime.now(UTC)
    return delay, intake.saved[0]["error"]


async def test_an_upstream_that_asks_for_patience_gets_it() -> None:
    assert await delay_after(ThrottledError("later", delay_seconds=77)) == (77, "later")


async def test_what_somebody_must_mend_is_tried_again_now_and_then() -> None:
    assert await delay_after(PermanentError("a dead token")) == (PERMANENT_RETRY_SECONDS, "a dead token")


async def test_a_passing_fault_is_tried_again_soon() -> None:
    delay, error = await delay_after(TransientError("no answer"))
    assert 0.5 <= delay <= 2
    assert error == "no answer"


async def test_polling_goes_on_when_its_state_could_not_be_written() -> None:
    polls = []

    async def poll() -> dict | None:
        polls.append(1)
        return {"at": len(polls)}

    intake = Intake(failures=1)
    running = asyncio.create_task(SourcePoller(intake, poll, Health()).run())
    try:
        await eventually(lambda: intake.saved or running.done())
        assert intake.saved[0]["position"] == {"at": 2}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
