"""Random residents and items that meet often: few words, few areas, places that crowd at edges of cells."""

from hypothesis import strategies as st
from kommunepuls_events import ContentItemV1, SubscriberProfileV1
from kommunepuls_matching.testing import SOURCE, TOWN, item, profile, square
from pyproj import Geod

AREA_IDS = [
    TOWN,
    f"{TOWN}/west",
    f"{TOWN}/east",
    f"{TOWN}/west/harbour",
    f"{TOWN}/west/hill",
    "NO-9902",
    "NO-9999/unknown",
]
INTERESTS = ["football", "music", "bathing", "planning"]
ORGANISERS = ["o-1", "o-2"]
SOURCES = [SOURCE, f"{TOWN}/club"]
AUDIENCES = ["young", "seniors"]
SEVERITIES = ["unknown", "minor", "moderate", "severe", "extreme"]
RADII = [1.0, 300.0, 300.1, 1000.0, 3000.0, 9999.0, 50_000.0]

# Around the made-up town, along the 180th meridian, in the far north, and at the pole.
CENTRES = [(10.2, 59.1), (179.999, 65.0), (-179.999, 65.0), (20.0, 80.0), (0.0, 0.0), (30.0, 89.9)]


def some(words: list[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), max_size=most)


@st.composite
def positions(draw: st.DrawFn) -> tuple[float, float]:
    longitude, latitude = draw(st.sampled_from(CENTRES))
    # Steps of a 37th of a degree and exact centres bring many positions onto borders and edges of cells.
    step = draw(st.sampled_from([0.0, 0.001, 300 / 111_000, 1_000 / 111_000, 0.1]))
    longitude += step * draw(st.integers(-4, 4))
    latitude = min(90.0, latitude + step * draw(st.integers(-4, 4)))
    return (longitude + 180.0) % 360.0 - 180.0, latitude


@st.composite
def geometries(draw: st.DrawFn) -> dict | None:
    kind = draw(
        st.sampled_from([None, "Point", "MultiPoint", "LineString", "Polygon", "holed", "MultiPolygon"])
    )
    if kind is None:
        return None
    longitude, latitude = draw(positions())
    if kind == "Point":
        return {"type": kind, "coordinates": [longitude, latitude]}
    if kind in ("MultiPoint", "LineString"):
        more = draw(st.lists(positions(), min_size=1, max_size=3))
        return {"type": kind, "coordinates": [[longitude, latitude], *map(list, more)]}
    size = draw(st.sampled_from([0.002, 0.02, 0.3]))
    longitude, latitude = min(longitude, 179.0), min(latitude, 89.5)
    ring = square(longitude, latitude, longitude + size, latitude + size)
    if kind == "Polygon":
        return {"type": kind, "coordinates": [ring]}
    third = size / 3
    hole = square(longitude + third, latitude + third, longitude + 2 * third, latitude + 2 * third)
    if kind == "holed":
        return {"type": "Polygon", "coordinates": [ring, hole]}
    beside = square(longitude + size + third, latitude, longitude + 2 * size, latitude + size)
    return {"type": kind, "coordinates": [[ring, hole], [beside]]}


ELLIPSOID = Geod(ellps="WGS84")


@st.composite
def places(draw: st.DrawFn, geometry: dict | None) -> tuple[float, float, float]:
    """Longitude, latitude and radius; as a rule about a radius away from a corner of the geometry."""
    radius = draw(st.sampled_from(RADII))
    if geometry is None or draw(st.integers(0, 4)) == 0:
        return *draw(positions()), radius
    longitude, latitude = draw(st.sampled_from(_corners(geometry["coordinates"])))
    share = draw(st.sampled_from([0.0, 0.5, 0.97, 0.995, 0.9995, 1.0005, 1.005, 1.03]))
    azimuth = draw(st.sampled_from([0, 90, 180, 270]) | st.integers(0, 359))
    longitude, latitude, _ = ELLIPSOID.fwd(longitude, latitude, azimuth, radius * share)
    return longitude, latitude, radius


def _corners(coordinates: list) -> list[list[float]]:
    if isinstance(coordinates[0], float | int):
        return [coordinates]
    return [corner for part in coordinates for corner in _corners(part)]


@st.composite
def profiles(draw: st.DrawFn, subscriber: str = "s-1", geometry: dict | None = None) -> SubscriberProfileV1:
    chosen = [
        {"id": f"p{n}", "longitude": at[0], "latitude": at[1], "radius_metres": at[2]}
        for n, at in enumerate(draw(st.lists(places(geometry), max_size=3)))
    ]
    muted = {
        "sources": draw(some(SOURCES, 1)),
        "organisers": draw(some(ORGANISERS, 1)),
        "interests": draw(some(INTERESTS, 2)),
        "items": draw(some([f"{SOURCE}/1"], 1)),
    }
    return profile(
        subscriber,
        areas=draw(some(AREA_IDS)),
        interests=draw(some(INTERESTS)),
        organisers=draw(some(ORGANISERS, 1)),
        places=chosen,
        muted=muted if draw(st.booleans()) else {},
        minimum_severity=draw(st.sampled_from(SEVERITIES)),
        audience=draw(some(AUDIENCES, 2)),
    )


@st.composite
def items(draw: st.DrawFn) -> ContentItemV1:
    organiser = draw(st.sampled_from([None, *ORGANISERS]))
    return item(
        source=draw(st.sampled_from(SOURCES)),
        kind=draw(st.sampled_from(["notice", "alert"])),
        severity=draw(st.sampled_from(SEVERITIES)),
        areas=draw(some(AREA_IDS)),
        interests=draw(some([*INTERESTS, "never-followed"])),
        organiser={"id": organiser, "name": "A club"} if organiser else None,
        audience=draw(some(AUDIENCES, 2)) if draw(st.booleans()) else [],
        geometry=draw(geometries()),
        exercise=draw(st.integers(0, 9)) == 0,
        lifecycle={"state": draw(st.sampled_from(["published", "updated", "withdrawn"]))}
        if draw(st.integers(0, 9)) == 0
        else {},
    )
