"""A made-up country of residents and what happens in it, the same for the same seed.

1-5 of 2,000 areas in a hierarchy (municipalities, districts, neighbourhoods; Zipf-skewed), 3-12 of 60
interests, 0-10 of 5,000 organisers, 70 % with a home and a radius of 200 m to 5 km, some mutes, some with a
minimum severity, some with an audience. Areas are squares in squares; homes crowd where followers do.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from kommunepuls_events import ContentItemV1, Kind, Muted, Place, Severity, SubscriberProfileV1, item_id
from kommunepuls_geography import Geography

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
INTERESTS = [f"interest-{number}" for number in range(60)]
ORGANISERS = [f"NO-1000/organiser-{number}" for number in range(5_000)]
AUDIENCES = ["young", "families", "seniors"]
MUNICIPALITIES, DISTRICTS, NEIGHBOURHOODS = 80, 4, 5
_PER_ROW, _SIDE = 10, 0.3
_AT_ONCE = 10_000
_SEVERITIES = list(Severity)


def _square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side / 2
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _cut(west: float, south: float, side: float, across: int, up: int, number: int) -> tuple[float, ...]:
    column, row = number % across, number // across
    return west + column * side / across, south + row * side / 2 / up, side / max(across, up)


class Country:
    """Areas, and where their squares are: ids[n] has its south-west corner and side in squares[n]."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.parents: list[str | None] = []
        self.squares: list[tuple[float, ...]] = []
        for number in range(MUNICIPALITIES):
            code = f"NO-{1000 + number}"
            corner = 6.0 + _SIDE * (number % _PER_ROW), 59.0 + _SIDE / 2 * (number // _PER_ROW), _SIDE
            self._add(code, None, corner)
            for district in range(DISTRICTS):
                part = _cut(*corner, 2, 2, district)
                self._add(f"{code}/{district}", code, part)
                for neighbourhood in range(NEIGHBOURHOODS):
                    cut = _cut(*part, 3, 2, neighbourhood)
                    self._add(f"{code}/{district}/{neighbourhood}", f"{code}/{district}", cut)

    def _add(self, id: str, parent: str | None, square: tuple[float, ...]) -> None:
        self.ids.append(id)
        self.parents.append(parent)
        self.squares.append(square)

    def areas(self) -> dict[str, Any]:
        """The areas as GeoJSON."""
        features = [
            {
                "type": "Feature",
                "properties": {"id": id, "name": id, "parent": parent},
                "geometry": _square(*square),
            }
            for id, parent, square in zip(self.ids, self.parents, self.squares, strict=True)
        ]
        return {"type": "FeatureCollection", "features": features}

    def geography(self) -> Geography:
        """What is known of the areas."""
        return Geography.load(areas=[{"data": self.areas()}], name_areas=False)


def _zipf(rng: np.random.Generator, count: int, exponent: float) -> np.ndarray:
    weights = 1 / np.arange(1, count + 1) ** exponent
    return rng.permutation(weights / weights.sum())


def residents(country: Country, count: int, seed: int, first: int = 0) -> Iterator[SubscriberProfileV1]:
    """That many residents from the one of that number on, a multiple of 10,000; the same whoever makes them."""
    rng = np.random.default_rng(seed)
    weights = {
        "areas": _zipf(rng, len(country.ids), 0.8),
        "interests": _zipf(rng, len(INTERESTS), 0.5),
        "organisers": _zipf(rng, len(ORGANISERS), 0.7),
    }
    for begin in range(first, first + count, _AT_ONCE):
        some = _some(country, begin, _AT_ONCE, np.random.default_rng([seed, begin]), weights)
        yield from islice(some, first + count - begin)


def _some(
    country: Country, first: int, count: int, rng: np.random.Generator, weights: dict[str, np.ndarray]
) -> Iterator[SubscriberProfileV1]:
    def draw(name: str, words: list[str], low: int, high: int) -> Iterator[tuple[str, ...]]:
        sizes = rng.integers(low, high + 1, count)
        chosen = rng.choice(len(words), (count, high * 2), p=weights[name]).tolist()
        for size, numbers in zip(sizes.tolist(), chosen, strict=True):
            yield tuple(words[number] for number in list(dict.fromkeys(numbers))[:size])

    areas = draw("areas", country.ids, 1, 5)
    interests = draw("interests", INTERESTS, 3, 12)
    organisers = draw("organisers", ORGANISERS, 0, 10)
    homes = rng.choice(len(country.ids), count, p=weights["areas"])
    chances, spread = rng.random((count, 5)), rng.random((count, 2))
    radii = rng.integers(200, 5_001, count)
    for number, area, followed, organised in zip(range(count), areas, interests, organisers, strict=True):
        home, rank, audience, mutes, _ = chances[number]
        west, south, side = country.squares[homes[number]]
        places = ()
        if home < 0.7:
            places = (
                Place.model_construct(
                    id="home",
                    label="",
                    longitude=float(west + spread[number, 0] * side),
                    latitude=float(south + spread[number, 1] * side / 2),
                    radius_metres=float(radii[number]),
                ),
            )
        yield SubscriberProfileV1.model_construct(
            subscriber=f"s-{first + number:016x}",
            revision=1,
            municipality="NO-1000",
            areas=area,
            interests=followed,
            organisers=organised,
            places=places,
            muted=_muted(mutes, followed, organised),
            minimum_severity=_SEVERITIES[int(rank * 25)] if rank < 0.2 else Severity.UNKNOWN,
            audience=(AUDIENCES[int(audience * 10)],) if audience < 0.3 else (),
            changed_at=NOW,
            **_DEFAULTS,
        )


_NOTHING = Muted()
# Given, they need not be copied for each profile.
_DEFAULTS: dict[str, Any] = {
    name: field.default
    for name, field in SubscriberProfileV1.model_fields.items()
    if name
    in ("language", "timezone", "sensor_thresholds", "channels", "cadence", "quiet_hours", "paused_until")
}


def _muted(chance: float, interests: tuple[str, ...], organisers: tuple[str, ...]) -> Muted:
    if chance < 0.05:
        return Muted.model_construct(sources=(), organisers=(), items=(), interests=interests[:1])
    if chance < 0.10:
        return Muted.model_construct(sources=(), organisers=organisers[:1], items=(), interests=())
    return _NOTHING


def items(country: Country, count: int, seed: int) -> list[ContentItemV1]:
    """Mixed items: at a point, along a line, in a polygon (one in four with a hole), of areas alone."""
    rng = np.random.default_rng(seed)
    return [_item(country, number, rng) for number in range(count)]


def _item(country: Country, number: int, rng: np.random.Generator) -> ContentItemV1:
    source = "NO-1000/made-up"
    leaf = int(rng.integers(0, len(country.ids)))
    west, south, side = country.squares[leaf]
    x, y = west + side * float(rng.random()), south + side / 2 * float(rng.random())
    kind = rng.choice(["point", "point", "point", "line", "polygon", "none"])
    geometry: dict[str, Any] | None = None
    if kind == "point":
        geometry = {"type": "Point", "coordinates": [x, y]}
    elif kind == "line":
        steps = np.cumsum(rng.normal(0, 0.003, (6, 2)), axis=0) + np.array([x, y])
        geometry = {"type": "LineString", "coordinates": steps.tolist()}
    elif kind == "polygon":
        size = float(rng.uniform(0.003, 0.03))
        rings = _square(x, y, size)["coordinates"]
        if rng.random() < 0.25:
            rings += _square(x + size / 3, y + size / 6, size / 3)["coordinates"]
        geometry = {"type": "Polygon", "coordinates": rings}
    alert = rng.random() < 0.1
    return ContentItemV1.model_validate(
        {
            "id": item_id(source, f"{number}"), "revision": 1, "municipality": "NO-1000", "source": source,
            "native_id": f"{number}", "kind": "alert" if alert else "notice", "title": "Something happened",
            "published_at": NOW, "observed_at": NOW, "geometry": geometry, "areas": [country.ids[leaf]],
            "interests": rng.choice(INTERESTS, int(rng.integers(1, 3)), replace=False).tolist(),
            "severity": str(rng.choice(["minor", "moderate", "severe"])) if alert else "unknown",
            "organiser": {"id": str(rng.choice(ORGANISERS)), "name": "A club"} if rng.random() < 0.5 else None,
            "audience": ["families"] if rng.random() < 0.1 else [],
        }
    )  # fmt: skip


def wide_items(country: Country, count: int, seed: int) -> list[ContentItemV1]:
    """Notices of many areas and interests; of a million residents each concerns about 100,000."""
    rng = np.random.default_rng(seed)
    tops = [id for id, parent in zip(country.ids, country.parents, strict=True) if parent is None]
    found = []
    for item in items(country, count, seed):
        changed = {
            "geometry": None,
            "areas": tuple(rng.choice(tops, 7, replace=False).tolist()),
            "interests": tuple(rng.choice(INTERESTS, 4, replace=False).tolist()),
            "audience": (),
            "kind": Kind.NOTICE,
        }
        found.append(item.model_copy(update=changed))
    return found
