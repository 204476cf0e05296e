"""Names of municipalities, areas and interests from the town files, read again when a file changes."""

import asyncio
from collections.abc import Sequence

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.town import TownFile
from kommunepuls_geography import AreaTree, GeographyError, geography_of

from notifier.domain.labels import Labels

_LOOK_SECONDS = 5.0


class TownLabels:
    """Labels of all towns; a faulty file is logged with its line and the old names stay."""

    def __init__(self, files: Sequence[TownFile]) -> None:
        self._files = files
        self._labels = Labels()
        self._log = get_logger()

    @property
    def current(self) -> Labels:
        """The labels as they are now."""
        return self._labels

    async def load(self) -> None:
        """Read all files; OperatorError names the file that is faulty."""
        self._labels = await asyncio.to_thread(_read, self._files)

    async def run(self) -> None:
        """Look for changed files until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if any([file.reload_if_changed() for file in self._files]):  # noqa: C419 - each is to be looked at
                    await self.load()
                    self._log.info("towns_reloaded")
            except OperatorError as error:
                self._log.error("town_file_faulty", error=str(error))


def _read(files: Sequence[TownFile]) -> Labels:
    municipalities, areas, interests = {}, {}, {}
    for file in files:
        town = file.town
        municipalities[town.code] = town.name
        for area in _areas(file):
            areas[area.id] = {"": area.name, **area.names}
        for slug, names in town.interests.items():
            interests[town.code, slug] = names.model_dump(exclude_none=True)
    return Labels(municipalities, areas, interests)


def _areas(file: TownFile) -> AreaTree:
    try:
        return geography_of((file.town, file.folder), areas_only=True).areas
    except GeographyError as error:
        raise OperatorError(f"{file.path}: {error}") from None
