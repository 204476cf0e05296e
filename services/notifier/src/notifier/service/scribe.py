"""Writing down and telling what became of waves, together for all messages of the last moments."""

import asyncio
from collections.abc import Callable, Mapping

from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.store.errors import StoreError

from notifier.domain.waves import LEFT, SENT, TOLD, Wave
from notifier.records.waves import Waves
from notifier.service.crowd_reports import CrowdReporter, Sent

_LINGER_SECONDS = 0.02
_STORE_DOWN_SECONDS = 1.0


class Scribe:
    """Keeps what was sent apart from what was told of, as the ledger does: written, told, written.

    Who has sent a message keeps their place before the provider until it is written down: that bounds what is sent
    again after `kill -9`.
    """

    def __init__(self, waves: Waves, reporter: CrowdReporter) -> None:
        self._waves = waves
        self._reporter = reporter
        self._changed: dict[Wave, list[tuple[int, str | None]]] = {}
        self._releases: list[Callable[[], None]] = []
        self._woken = asyncio.Event()
        self._written: dict[Wave, asyncio.Event] = {}
        self._log = get_logger()

    def sent(self, wave: Wave, place: int, endpoint: str | None, release: Callable[[], None]) -> None:
        """A message was taken by a provider; `release` is called when that is written down."""
        wave.states[place] = SENT
        if (sent := self._changed.get(wave)) is None:
            sent = self._changed[wave] = []
            self._woken.set()
        sent.append((place, endpoint))
        self._releases.append(release)

    def left(self, wave: Wave, place: int) -> None:
        """A message is no part of the wave any more."""
        wave.states[place] = LEFT
        self._changed.setdefault(wave, [])
        self._woken.set()

    async def until_told(self, wave: Wave) -> None:
        """Return when all that was sent of a wave is told, and where it stands is written down."""
        self._changed.setdefault(wave, [])
        self._woken.set()
        await self._written.setdefault(wave, asyncio.Event()).wait()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(_LINGER_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write down and tell what there is."""
        self._woken.clear()
        changed, self._changed = self._changed, {}
        releases, self._releases = self._releases, []
        try:
            await self._waves.keep(list(changed))
            for release in releases:
                release()
            releases = []
            if sent := {wave: places for wave, places in changed.items() if places}:
                await self._reporter.tell(sent)
                self._told(sent)
                for wave in sent:
                    del changed[wave]
        except StoreError as error:
            self._log.warning("store_unavailable", error=str(error))
            self._again(changed, releases)
            await asyncio.sleep(_STORE_DOWN_SECONDS)
        except Exception as error:
            self._log.warning("not_told", error=type(error).__name__)
            self._again(changed, releases)
            await asyncio.sleep(_STORE_DOWN_SECONDS)
        for wave in changed:
            if (
                SENT not in wave.states
                and wave not in self._changed
                and (written := self._written.pop(wave, None))
            ):
                written.set()

    def _told(self, sent: Mapping[Wave, Sent]) -> None:
        for wave, places in sent.items():
            for place, _ in places:
                wave.states[place] = TOLD
            # That it was told is written with what comes next, or with the end of the wave.
            self._changed.setdefault(wave, [])
        self._woken.set()

    def _again(
        self, changed: dict[Wave, list[tuple[int, str | None]]], releases: list[Callable[[], None]]
    ) -> None:
        for wave, sent in changed.items():
            self._changed.setdefault(wave, []).extend(sent)
        self._releases += releases
        self._woken.set()
