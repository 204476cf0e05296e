"""The demo town's files: its template becomes a town file for the ports of this run; its registers are read here."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

FJORDVIK = Path(__file__).resolve().parents[2] / "towns/fjordvik"


@dataclass(frozen=True, slots=True)
class Address:
    """One address with its property number and position (WGS84 degrees)."""

    street: str
    number: str
    gnr: str
    bnr: str
    longitude: float
    latitude: float
    area: str


@dataclass(frozen=True, slots=True)
class Road:
    """One road segment: positions as (longitude, latitude)."""

    id: str
    area: str
    line: tuple[tuple[float, float], ...]


def read_addresses() -> list[Address]:
    """All addresses of the demo town."""
    with (FJORDVIK / "addresses.csv").open(encoding="utf-8") as file:
        return [
            Address(
                row["street"],
                row["number"],
                row["gnr"],
                row["bnr"],
                float(row["lon"]),
                float(row["lat"]),
                row["area"],
            )
            for row in csv.DictReader(file)
        ]


def read_roads() -> list[Road]:
    """All road segments of the demo town."""
    features = json.loads((FJORDVIK / "roads.geojson").read_text(encoding="utf-8"))["features"]
    return [
        Road(
            one["properties"]["id"],
            one["properties"]["area"],
            tuple(map(tuple, one["geometry"]["coordinates"])),
        )
        for one in features
    ]


def write_town_file(folder: Path, values: dict[str, str]) -> Path:
    """The demo town's file with this run's addresses put in, beside copies of its registers."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in FJORDVIK.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".yaml":
            for name, value in values.items():
                text = text.replace(f"${{{name}}}", value)
        target = folder / path.name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    return folder / "town.yaml"
