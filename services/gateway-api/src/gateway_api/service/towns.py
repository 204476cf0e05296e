"""The towns served: areas, names, interests and map, read again when an operator edits a town file."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.health import Health
from kommunepuls_chassis.logs import get_logger
from kommunepuls_chassis.town import Town, TownFile
from kommunepuls_events import ContentItemV1, Organiser
from kommunepuls_events.interests import INTERESTS, name_of
from kommunepuls_geography import Area, AreaKind, AreaTree, Geography, GeographyError, geography_of

from gateway_api.domain.choices import TownOffer
from gateway_api.domain.errors import NotFound
from gateway_api.domain.maps import TownMap, town_map
from gateway_api.domain.organisers.organiser import Club

_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class TownView:
    """One town as residents meet it."""

    town: Town
    geography: Geography
    map: TownMap | None
    organisers: tuple[Organiser, ...] = field(default=())

    @property
    def code(self) -> str:
        """The municipality code, which is also the id of its whole area."""
        return self.town.code

    @property
    def tree(self) -> AreaTree:
        """Its areas."""
        return self.geography.areas

    @property
    def offer(self) -> TownOffer:
        """What can be chosen here."""
        return TownOffer(
            areas={self.code, *(area.id for area in self.tree)},
            interests={*INTERESTS, *self.town.interests},
        )

    @property
    def drawn_areas(self) -> list[Area]:
        """The areas that maps show."""
        return _drawn(self.tree, self.code)

    def area_name(self, area: str, language: str) -> str:
        """Name of an area; the last part of its id when the town file does not know it."""
        known = self.tree.get(area)
        if known is not None:
            return known.name_in(language)
        return self.town.name if area == self.code else area.rpartition("/")[2].replace("-", " ")

    def interest_name(self, slug: str, language: str) -> str:
        """Name of an interest, of the town's own too."""
        own = self.town.interests.get(slug)
        if own is not None:
            return getattr(own, language, None) or own.nb
        return name_of(slug, language)

    def ancestors(self, area: str) -> Iterable[str]:
        """Ids of the areas around an area; the municipality is around everything."""
        found = [one.id for one in self.tree.ancestors(area)] if area in self.tree else []
        return found if area == self.code or self.code in found else [*found, self.code]

    def areas_of(self, item: ContentItemV1) -> list[str]:
        """The areas that an item concerns: those it names, else those it lies in, else the municipality.

        Where an area is named together with one around it, the smaller counts: otherwise the municipality,
        which comes along with every place, would make everything concern everybody.
        """
        named = list(item.areas)
        if not named and item.geometry is not None:
            named = self.geography.area_ids_of(item.geometry.model_dump(mode="json"))
        around = {outer for area in named for outer in self.ancestors(area)}
        return [area for area in named if area not in around] or [self.code]

    def locate(self, text: str) -> tuple[str, float, float] | None:
        """The address or place that a resident wrote: its name, longitude and latitude; None if unknown.

        Blocks while it searches: call it in a thread.
        """
        found = self.geography.locate(text, self.code, language=self.town.language)
        for evidence in found.evidence:
            if evidence.point is not None:
                return evidence.name, *evidence.point
        for area in found.area_ids:
            known = self.tree.get(area)
            if known is not None and known.geometry is not None and area != self.code:
                middle = known.geometry.representative_point()
                return known.name, middle.x, middle.y
        return None

    def chosen_areas(self) -> list[tuple[Area, int]]:
        """The areas that can be followed, each before what it holds, with its depth below the municipality."""
        listed: list[tuple[Area, int]] = []
        for root in self.tree.roots():
            for area in (root, *self.tree.descendants(root.id)):
                if area.id != self.code:
                    depth = sum(one.id != self.code for one in self.tree.ancestors(area.id))
                    listed.append((area, depth))
        return listed


def read_town(file: TownFile) -> TownView:
    """Read a town's areas and draw its map. Blocks on files and geometry: call it in a thread.

    Raises:
        OperatorError: naming the area file and what is wrong with it.
    """
    town = file.town
    try:
        geography = geography_of((town, file.folder))
    except GeographyError as error:
        raise OperatorError(f"{file.path}: {error}") from None
    organisers = {
        organiser.id: organiser for organiser in (town.organiser_of(source) for source in town.sources)
    }
    return TownView(
        town=town,
        geography=geography,
        map=town_map(_drawn(geography.areas, town.code)),
        organisers=tuple(sorted(organisers.values(), key=lambda one: one.name)),
    )


def _drawn(tree: AreaTree, code: str) -> list[Area]:
    """The areas on the map: the districts and neighbourhoods, or the municipality when it has none."""
    there = [area for area in tree if area.geometry is not None]
    inside = [area for area in there if area.id != code and area.kind is not AreaKind.MUNICIPALITY]
    return inside or there


class Towns:
    """All towns by their code."""

    def __init__(self, files: list[TownFile], views: dict[str, TownView], health: Health) -> None:
        self._files = files
        self._read = views
        self._views = dict(views)
        self._clubs: Mapping[str, Sequence[Club]] = {}
        self._health = health.component("town files")
        self._health.beat(ready=True)
        self._log = get_logger()

    @classmethod
    async def load(cls, files: list[TownFile], health: Health) -> "Towns":
        """Read all towns.

        Raises:
            OperatorError: if an area file is faulty.
        """
        views = [await asyncio.to_thread(read_town, file) for file in files]
        return cls(files, {view.code: view for view in views}, health)

    def __iter__(self):
        return iter(self._views.values())

    @property
    def first(self) -> TownView:
        """The town of the first file."""
        return self._views[self._files[0].town.code]

    @property
    def single(self) -> TownView | None:
        """The town, if only one is served."""
        return self.first if len(self._views) == 1 else None

    def get(self, code: str) -> TownView | None:
        """The town of a municipality code."""
        return self._views.get(code)

    def of(self, code: str) -> TownView:
        """The town of a municipality code.

        Raises:
            NotFound: if it is not served here.
        """
        view = self._views.get(code)
        if view is None:
            raise NotFound(f"no municipality {code[:20]} is served here")
        return view

    def know(self, clubs: Mapping[str, Sequence[Club]]) -> None:
        """Offer these organisers, by municipality, beside and before those of the town files."""
        self._clubs = clubs
        self._views = {code: self._with_clubs(view) for code, view in self._read.items()}

    def from_file(self, code: str) -> tuple[Organiser, ...]:
        """The organisers that a town's file names."""
        view = self._read.get(code)
        return view.organisers if view else ()

    def _with_clubs(self, view: TownView) -> TownView:
        offered = {one.id: one for one in view.organisers}
        for club in self._clubs.get(view.code, ()):
            offered.pop(club.id, None)
            if club.approved:
                offered[club.id] = club.contract
        return replace(view, organisers=tuple(sorted(offered.values(), key=lambda one: one.name.casefold())))

    async def watch(self) -> None:
        """Read edited files again until cancelled; a faulty one is told of and the old stays."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for file in self._files:
                before = file.town.code
                try:
                    if not await asyncio.to_thread(file.reload_if_changed):
                        continue
                    view = await asyncio.to_thread(read_town, file)
                except OperatorError as error:
                    self._log.error("town_file_faulty", problem=str(error))
                    continue
                if view.code != before:
                    self._read.pop(before, None)
                    self._views.pop(before, None)
                self._read[view.code] = view
                self._views[view.code] = self._with_clubs(view)
                self._log.info("town_file_read", municipality=view.code)
            self._health.beat(ready=True)
