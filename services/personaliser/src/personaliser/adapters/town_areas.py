"""The areas of all towns, read again when a town file or an area file has changed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Component
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.town import TownFile, load_towns
from kommunepuls_geography import Geography, GeographyError, geography_of

OnChange = Callable[[Geography], Awaitable[None]]


class TownAreas:
    """Area knowledge as of now. Faulty files are logged, and what was known before stays."""

    def __init__(self, paths: list[Path]) -> None:
        """Read everything.

        Raises:
            OperatorError: naming the file and what is wrong with it.
        """
        self._towns = load_towns(paths)
        self._stamps = _stamps(self._towns)
        self._geography = _geography(self._towns)

    def geography(self) -> Geography:
        """What is known now; a new object after a change."""
        return self._geography

    async def watch(self, every_seconds: float, on_change: OnChange, health: Component) -> None:
        """Look for changes until cancelled, and tell of each."""
        log = get_logger()
        while True:
            health.beat(ready=True)
            await asyncio.sleep(every_seconds)
            try:
                changed = await asyncio.to_thread(self._reload)
            except OperatorError as error:
                log.warning("areas_not_reloaded", error=str(error))
                continue
            if changed:
                log.info("areas_reloaded", areas=len(self._geography.areas))
                await on_change(self._geography)

    def _reload(self) -> bool:
        for town in self._towns:
            town.reload_if_changed()
        stamps = _stamps(self._towns)
        if stamps == self._stamps:
            return False
        # Noted even if it is faulty, so that a fault is told once and not with every look.
        self._stamps = stamps
        self._geography = _geography(self._towns)
        return True


def _area_paths(town: TownFile) -> list[Path]:
    return [town.folder / areas.file for areas in town.town.areas]


def _stamps(towns: list[TownFile]) -> dict[Path, tuple[float, int] | None]:
    paths = [path for town in towns for path in (town.path, *_area_paths(town))]
    return {path: (at.st_mtime, at.st_size) if (at := _stat(path)) else None for path in paths}


def _stat(path: Path):
    try:
        return path.stat()
    except OSError:
        return None


def _geography(towns: list[TownFile]) -> Geography:
    try:
        return geography_of(*((town.town, town.folder) for town in towns), areas_only=True)
    except GeographyError as error:
        raise OperatorError(f"the areas of the towns cannot be read: {error}") from None
