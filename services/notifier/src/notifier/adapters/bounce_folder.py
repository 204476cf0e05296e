"""A folder into which the mail server puts returned mails (a Maildir's `new`); read, acted on, deleted."""

import asyncio
from pathlib import Path

from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger

from notifier.adapters.returned_mail import LARGEST_MAIL, read_returned_mail
from notifier.service.bouncing import BounceDesk

_LOOK_SECONDS = 5.0
_MOST_AT_ONCE = 200


class BounceFolder:
    """Reads a folder until cancelled. What it cannot classify goes to the folder `unclassified` in it."""

    def __init__(self, folder: Path, desk: BounceDesk, health: Health) -> None:
        self._folder = folder
        self._desk = desk
        self._health = health.component("returned mails")
        self._log = get_logger()

    async def run(self) -> None:
        """Look, act, delete."""
        while True:
            await self.read_once()
            self._health.beat(ready=True)
            await asyncio.sleep(_LOOK_SECONDS)

    async def read_once(self) -> int:
        """Take what lies there; returns how many mails there were."""
        mails = await asyncio.to_thread(self._waiting)
        for path in mails:
            raw = await asyncio.to_thread(_read, path)
            bounces = await asyncio.to_thread(read_returned_mail, raw)
            await self._desk.take(bounces)
            self._log.info(
                "returned_mail",
                effects=[bounce.effect for bounce in bounces],
                details=[b.detail for b in bounces],
            )
            await asyncio.to_thread(self._put_away, path, any(b.detail == "unclassified" for b in bounces))
        return len(mails)

    def _waiting(self) -> list[Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        # A name that starts with a dot is one that is still being written.
        found = (path for path in sorted(self._folder.iterdir()) if path.is_file() and path.name[0] != ".")
        return [path for path, _ in zip(found, range(_MOST_AT_ONCE), strict=False)]

    def _put_away(self, path: Path, unclassified: bool) -> None:
        if unclassified:
            aside = self._folder / "unclassified"
            aside.mkdir(exist_ok=True)
            path.rename(aside / path.name)
        else:
            path.unlink()


def _read(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(LARGEST_MAIL)
