"""The peer: PostgreSQL with PostGIS, tuned, as a private cluster that ends with the benchmark."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kommunepuls_events import ContentItemV1, Kind, SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching.columns import Words
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.plane import reach_degrees
from kommunepuls_matching.surroundings import Surroundings
from workload import AUDIENCES, INTERESTS, ORGANISERS

_TUNING = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "128MB",
    "maintenance_work_mem": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}
_SCHEMA = """
CREATE EXTENSION postgis;
CREATE UNLOGGED TABLE resident (
    id text, areas int[], interests int[], organisers int[], home geography, radius float8, disc geometry,
    home_areas int[], muted_interests int[], muted_organisers int[], severity int, audience int[]);
"""
_INDEXES = """
CREATE INDEX ON resident USING gin (areas) WITH (fastupdate = off);
CREATE INDEX ON resident USING gin (interests) WITH (fastupdate = off);
CREATE INDEX ON resident USING gin (organisers) WITH (fastupdate = off);
CREATE INDEX ON resident USING gin (home_areas) WITH (fastupdate = off);
CREATE INDEX ON resident USING gist (disc);
VACUUM ANALYZE resident;
"""


def missing() -> str | None:
    """Why there is no such peer here, or None."""
    if _programs() is None:
        return "PostgreSQL is not installed (apt-get install postgresql postgresql-15-postgis-3)"
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        return "PostGIS is not installed (apt-get install postgresql-15-postgis-3)"
    return None


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Rows:
    """Residents as lines of ``COPY resident``; words are numbers there."""

    def __init__(self, geography: Geography) -> None:
        words = [*INTERESTS, *ORGANISERS, *AUDIENCES]
        self._words = {word: number for number, word in enumerate(words)}
        self._known = Words()
        self._surroundings = Surroundings(geography, self._known)

    def of(self, profile: SubscriberProfileV1) -> str:
        """The line of a resident."""
        home = radius = disc = around = "\\N"
        if profile.places:
            place = profile.places[0]
            x, y, radius = place.longitude, place.latitude, place.radius_metres
            wide, high = reach_degrees(y, radius + 1)
            home = f"SRID=4326;POINT({x!r} {y!r})"
            west, east, south, north = x - wide, x + wide, y - high, y + high
            disc = f"SRID=4326;POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"
            around = _array(self._known.surroundings.word(self._surroundings.code(x, y)))
        muted = profile.muted
        columns = (
            profile.subscriber, self.areas(profile.areas),
            self.words(set(profile.interests) - set(muted.interests)), self.words(profile.organisers),
            home, radius, disc, around, self.words(muted.interests), self.words(muted.organisers),
            profile.minimum_severity.rank, self.words(profile.audience),
        )  # fmt: skip
        return "\t".join(map(str, columns)) + "\n"

    def words(self, words: Iterable[str]) -> str:
        """Interests, organisers or audiences as an array."""
        return _array(self._words[word] for word in words)

    def areas(self, areas: Iterable[str]) -> str:
        """Areas as an array."""
        return _array(self._known.areas[area] for area in areas)


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


class Peer:
    """A running cluster."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self._psql = [
            str(programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", str(folder), "-p", str(port), "-U", "postgres", "postgres",
        ]  # fmt: skip

    def run(self, script: str) -> str:
        """What psql prints."""
        done = subprocess.run(self._psql, input=script, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[:2000])
        return done.stdout

    def load(self, lines: Path) -> None:
        """Make the table of such lines, its indexes and its statistics."""
        self.run(_SCHEMA)
        with lines.open("rb") as file:
            subprocess.run([*self._psql, "-c", "COPY resident FROM STDIN"], stdin=file, check=True)
        self.run(_INDEXES)

    def match(self, concerns: list[Concern], rows: Rows) -> list[tuple[float, frozenset[str]]]:
        """Milliseconds and subscribers, item by item; the last of three runs each."""
        script = ["\\timing on"]
        for concern in concerns:
            query = _query(concern, rows)
            script += [f"\\echo ITEM\n{query}"] + [f"\\echo AGAIN\n{query}"] * 2
        found = []
        for block in self.run("\n".join(script)).split("ITEM\n")[1:]:
            lines = block.split("AGAIN\n")[-1].split("\n")
            (milliseconds,) = (float(line.split()[1]) for line in lines if line.startswith("Time:"))
            names = frozenset(line for line in lines if line.startswith("s-"))
            found.append((milliseconds, names))
        return found


def _query(concern: Concern, rows: Rows) -> str:
    item: ContentItemV1 = concern.item
    interests = f"'{rows.words(concern.interests)}'::int[]"
    shares = "" if item.emergency else f" AND interests && {interests}"
    located = [f"areas && '{rows.areas(concern.related)}'::int[]{shares}"]
    if concern.footprint is None:
        located.append(f"home_areas && '{rows.areas(concern.areas)}'::int[]{shares}")
    else:
        shape = f"ST_GeomFromText('{concern.footprint.shape.wkt}', 4326)"
        # Half a decimetre more: distances are compared after rounding to the decimetre.
        within = f"ST_DWithin(home, {shape}::geography, radius + 0.05)"
        located.append(f"disc && {shape}{shares} AND {within}")
    wants = ["true"]
    if item.organiser is not None:
        organiser = f"'{rows.words([item.organiser.id])}'::int[]"
        located.append(f"organisers @> {organiser}")
        if not item.emergency:
            wants.append(f"NOT muted_organisers @> {organiser}")
    if not item.emergency and item.interests:
        wants.append(f"NOT muted_interests @> {interests}")
    if item.kind is Kind.ALERT:
        wants.append(f"severity <= {item.severity.rank}")
    if item.audience:
        theirs = f"'{rows.words(item.audience)}'::int[]"
        wants.append(f"(audience = '{{}}' OR audience && {theirs})")
    conditions = " AND ".join(wants)
    return " UNION ".join(f"SELECT id FROM resident WHERE {one} AND {conditions}" for one in located) + ";"


@contextmanager
def running_peer() -> Iterator[Peer]:
    """Start a cluster of its own on a free loopback port; it ends and its data goes on leaving."""
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="kommunepuls-bench-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = _TUNING | {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder
        }  # fmt: skip
        given = " ".join(f"-c {name}={value}" for name, value in options.items())
        control = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        subprocess.run(
            [*control, "-o", given, "start"], check=True, stdout=subprocess.DEVNULL, user=user, cwd=folder
        )
        try:
            yield Peer(programs, folder, port)
        finally:
            subprocess.run(
                [*control, "-m", "immediate", "stop"],
                check=False, stdout=subprocess.DEVNULL, user=user, cwd=folder,
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
