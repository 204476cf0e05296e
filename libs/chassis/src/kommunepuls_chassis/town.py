"""Town files: one YAML a town lists its areas, interests and sources; an operator edits it while all runs.

A fault is told with the file, the line and what is expected there.
"""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from kommunepuls_events import Organiser
from kommunepuls_events.base import LanguageTag, MunicipalityCode, Slug
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from kommunepuls_chassis.errors import OperatorError

SourceSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AreasFile(_Part):
    """A GeoJSON file of areas; the properties that hold what we need are named here."""

    file: Path
    id: str = Field(default="id", description="property with the area's id")
    name: str = "name"
    parent: str = "parent"
    kind: str = "kind"
    country: str | None = Field(default=None, description="prefix for national codes: NO, SE")


class GazetteerFile(_Part):
    """Place names with points: GeoJSON or CSV."""

    file: Path
    name: str = "name"
    kind: str = "kind"
    area: str | None = Field(
        default=None, description="property with the area's id, worked out from the point if not given"
    )


class AddressesFile(_Part):
    """Addresses and property numbers with points: CSV."""

    file: Path
    format: str = Field(default="plain", description="plain (lon, lat columns) or matrikkel (UTM 33)")


class InterestNames(_Part):
    """A town's own interest beside the shared taxonomy."""

    nb: str
    nn: str | None = None
    sv: str | None = None
    en: str | None = None


class ContactCosts(_Part):
    """What it costs to tell one resident one thing, in the town's currency; for the gains in the console."""

    digital: float = Field(default=3, ge=0, description="a mail or push message")
    phone: float = Field(default=40, ge=0)
    desk: float = Field(default=80, ge=0, description="a visit to the service desk")
    letter: float = Field(default=110, ge=0)
    currency: str = Field(default="kr", min_length=1, max_length=8)


class SourceConfig(BaseModel):
    """What every source has; its adapter's own settings stand beside these (see :func:`parse_sources`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: SourceSlug
    type: Slug = Field(description="the adapter: facebook-page, acos-innsyn, socrata, rss, ical, cap…")
    enabled: bool = True
    organiser: Organiser | None = Field(default=None, description="default: the municipality itself")
    interests: tuple[Slug, ...] = ()
    areas: tuple[str, ...] = Field(default=(), description="areas of items that name no place")
    language: LanguageTag | None = None
    poll_seconds: float = Field(default=300, ge=1, le=86_400)
    announce_within_hours: float = Field(
        default=72, gt=0, description="an item seen first when older than this is shown but told to nobody"
    )


class Town(_Part):
    """One municipality, as its file says it."""

    code: MunicipalityCode
    name: str
    language: LanguageTag = "nb"
    timezone: str = "Europe/Oslo"
    areas: tuple[AreasFile, ...] = ()
    gazetteer: tuple[GazetteerFile, ...] = ()
    addresses: tuple[AddressesFile, ...] = ()
    interests: dict[Slug, InterestNames] = Field(default_factory=dict)
    roads: Path | None = Field(default=None, description="GeoJSON road segments for plough coverage")
    costs: ContactCosts = ContactCosts()
    sources: tuple[SourceConfig, ...] = ()

    def source_id(self, source: SourceConfig) -> str:
        """The source's id across all municipalities."""
        return f"{self.code}/{source.id}"

    def organiser_of(self, source: SourceConfig) -> Organiser:
        """Who stands behind a source's items."""
        return source.organiser or Organiser(id=f"{self.code}/kommune", name=self.name)


class TownFile:
    """A town file on disk, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[float, int] | None = None
        self._lines: dict[tuple, int] = {}
        self.town = self._read()

    @property
    def folder(self) -> Path:
        """What relative paths in the file count from."""
        return self.path.resolve().parent

    def reload_if_changed(self) -> bool:
        """Read the file again if it changed; True if there is a new town.

        Raises:
            OperatorError: if it is faulty now; the town read before stays in place.
        """
        if self._stamp == self._stat():
            return False
        self.town = self._read()
        return True

    def fault(self, where: tuple, problem: str) -> OperatorError:
        """An error that names the line of a place in the file, such as ``("sources", 2, "url")``."""
        line = next(
            (self._lines[where[:n]] for n in range(len(where), -1, -1) if where[:n] in self._lines), 1
        )
        name = ".".join(str(part) for part in where) or "the file"
        return OperatorError(f"{self.path}:{line}: {name}: {problem}")

    def _stat(self) -> tuple[float, int]:
        try:
            found = self.path.stat()
        except OSError as error:
            raise OperatorError(f"{self.path}: cannot be read: {error.strerror} (KP_TOWN_FILES)") from None
        return found.st_mtime, found.st_size

    def _read(self) -> Town:
        self._stamp = self._stat()
        try:
            text = self.path.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            content = yaml.safe_load(text)
        except UnicodeDecodeError:
            raise OperatorError(f"{self.path}:1: is not UTF-8 text") from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            raise OperatorError(
                f"{self.path}:{line}: is not valid YAML: {getattr(error, 'problem', error)}"
            ) from None
        self._lines = {}
        _note_lines(node, (), self._lines)
        if not isinstance(content, dict):
            raise self.fault((), "a town file is a mapping with code, name, areas, interests and sources")
        try:
            town = Town.model_validate(content)
        except ValidationError as error:
            raise self._explained(error, ()) from None
        seen: dict[str, int] = {}
        for index, source in enumerate(town.sources):
            if source.id in seen:
                raise self.fault(
                    ("sources", index, "id"),
                    f"{source.id!r} is the id of source {seen[source.id] + 1} already",
                )
            seen[source.id] = index
        return town

    def _explained(self, error: ValidationError, prefix: tuple) -> OperatorError:
        problem = error.errors(include_url=False)[0]
        where = (*prefix, *problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] not in ("missing", "extra_forbidden"):
            text += f", is {problem['input']!r:.80}"
        elif problem["type"] == "extra_forbidden":
            text = "is not known here; is it misspelt?"
        return self.fault(where, text)


def _note_lines(node: yaml.Node | None, path: tuple, lines: dict[tuple, int]) -> None:
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*path, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*path, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines)


AdapterConfig = TypeVar("AdapterConfig", bound=SourceConfig)


def parse_sources(file: TownFile, models: dict[str, type[AdapterConfig]]) -> list[AdapterConfig]:
    """The enabled sources of a town whose type is one of ``models``, each validated by its own model.

    Raises:
        OperatorError: naming line and field of the first fault.
    """
    found = []
    for index, source in enumerate(file.town.sources):
        model = models.get(source.type)
        if model is None or not source.enabled:
            continue
        try:
            # Only what the file says: an adapter's model may have other defaults.
            found.append(model.model_validate(source.model_dump(exclude_unset=True)))
        except ValidationError as error:
            raise file._explained(error, ("sources", index)) from None
    return found


def load_towns(paths: list[Path]) -> list[TownFile]:
    """Read all town files.

    Raises:
        OperatorError: if there is none, or one is faulty, or two are for one municipality.
    """
    if not paths:
        raise OperatorError(
            "KP_TOWN_FILES is not set: name at least one town file, for example towns/fjordvik.yaml"
        )
    files = [TownFile(path) for path in paths]
    codes: dict[str, Any] = {}
    for file in files:
        if file.town.code in codes:
            raise OperatorError(
                f"{file.path}: {file.town.code} is the town of {codes[file.town.code]} already"
            )
        codes[file.town.code] = file.path
    return files
