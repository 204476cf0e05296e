"""The files beside a town file: areas, devices, roads. Reading them blocks."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import yaml
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.town import SourceConfig, Town, TownFile
from kommunepuls_geography import GeographyError, geography_of
from pydantic import ValidationError

from sensor_gateway.domain.measurements import Device
from sensor_gateway.domain.places import Places
from sensor_gateway.domain.ploughs.roads import RoadNetwork, network_from_geojson
from sensor_gateway.service import TownKnowledge
from sensor_gateway.sources import DeviceConfig, PloughSource, SensorSource, SensorThingsPoll


def places_of(town: Town, folder: Path) -> Places:
    """Read a town's area files; blocking.

    Raises:
        OperatorError: naming the file and what is wrong.
    """
    try:
        return Places(geography_of((town, folder), areas_only=True).areas)
    except GeographyError as error:
        raise OperatorError(f"areas of {town.name}: {error}") from None


def roads_of(town: Town, folder: Path) -> RoadNetwork | None:
    """The town's road segments (``roads`` in its file), None if it names none; blocking.

    Raises:
        OperatorError: naming file and feature.
    """
    if town.roads is None:
        return None
    path = folder / town.roads
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{path}: is not JSON: {error}") from None
    return network_from_geojson(document, where=str(path))


def devices_of(config: SensorSource | SensorThingsPoll, folder: Path) -> dict[str, Device]:
    """The devices by id; blocking.

    CSV columns: id, type, name, longitude, latitude, areas (several parted by a space). A device in the
    town file wins over one in the file beside it.

    Raises:
        OperatorError: naming file, line and what is expected.
    """
    if isinstance(config, SensorThingsPoll):
        return {one.id: one.device() for one in config.datastreams}
    found = {}
    if config.devices_file is not None:
        path = folder / config.devices_file
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"{path}: cannot be read: {error}") from None
        rows = _csv_rows(text) if path.suffix.lower() == ".csv" else _yaml_rows(path, text)
        for line, row in rows:
            try:
                device = DeviceConfig.model_validate(row)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                raise OperatorError(f"{path}:{line}: {where}: {first['msg']}") from None
            found[device.id] = device.device()
    return found | {one.id: one.device() for one in config.devices}


def _csv_rows(text: str) -> list[tuple[int, dict]]:
    rows = []
    reader = csv.DictReader(io.StringIO(text))
    for row in reader:
        fields = {name: value.strip() for name, value in row.items() if name and value and value.strip()}
        if not fields:
            continue
        longitude, latitude = fields.pop("longitude", None), fields.pop("latitude", None)
        known: dict = {"areas": tuple(fields.pop("areas", "").split()), **fields}
        if longitude and latitude:
            known["position"] = (longitude, latitude)
        rows.append((reader.line_num, known))
    return rows


def _yaml_rows(path: Path, text: str) -> list[tuple[int, dict]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise OperatorError(f"{path}: is not valid YAML: {error}") from None
    if not isinstance(content, list):
        raise OperatorError(f"{path}:1: a devices file is a list of devices")
    return [(part.start_mark.line + 1, row) for part, row in zip(node.value, content, strict=True)]


class TownFiles:
    """Reads what lies beside a town file, and tells when one of the files has changed."""

    def stamp(self, file: TownFile) -> tuple:
        """Times and sizes of all files; a missing one counts as such."""
        town = file.town
        names = [one.file for one in town.areas] + ([town.roads] if town.roads else [])
        names += [
            Path(extra) for one in town.sources if (extra := (one.model_extra or {}).get("devices_file"))
        ]
        found = []
        for name in names:
            try:
                state = (file.folder / name).stat()
            except OSError:
                found.append((str(name), None, None))
            else:
                found.append((str(name), state.st_mtime_ns, state.st_size))
        return tuple(found)

    def read(self, file: TownFile, configs: Sequence[SourceConfig]) -> TownKnowledge:
        """Read all files.

        Raises:
            OperatorError: naming the file and what is wrong.
        """
        stamp = self.stamp(file)
        ploughed = any(isinstance(one, PloughSource) for one in configs)
        return TownKnowledge(
            places=places_of(file.town, file.folder),
            roads=roads_of(file.town, file.folder) if ploughed else None,
            devices={
                one.id: devices_of(one, file.folder)
                for one in configs
                if isinstance(one, SensorSource | SensorThingsPoll)
            },
            stamp=stamp,
        )
