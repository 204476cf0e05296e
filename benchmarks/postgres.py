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
from kommunepuls_matching.areas import areas_around
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.plane import reach_degrees
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


class Peer:
    """A running cluster."""

    def __init__(self, programs: Path, folder: Path, port: int) -> None:
        self._psql = [
            str(programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", str(folder), "-p", str(port), "-U", "postgres", "postgres",
        ]  # fmt: skip
        self._words = {word: number for number, word in enumerate([*INTERESTS, *ORGANISERS, *AUDIENCES])}
        self._areas: dict[str, int] = {}

    def run(self, script: str) -> str:
        """What psql prints."""
        done = subprocess.run(self._psql, input=script, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[:2000])
        return done.stdout

    def load(self, profiles: Iterable[SubscriberProfileV1], geography: Geography) -> None:
        """Make the table, its indexes and its statistics."""
        self.run(_SCHEMA)
        with subprocess.Popen(
            [*self._psql, "-c", "COPY resident FROM STDIN"], stdin=subprocess.PIPE, text=True
        ) as copying:
            copying.stdin.writelines(self._row(one, geography) for one in profiles)
            copying.stdin.close()
            if copying.wait():
                raise RuntimeError("the residents could not be copied")
        self.run(_INDEXES)

    def _row(self, profile: SubscriberProfileV1, geography: Geography) -> str:
        home = radius = disc = around = "\\N"
        if profile.places:
            place = profile.places[0]
            x, y, radius = place.longitude, place.latitude, place.radius_metres
            wide, high = reach_degrees(y, radius + 1)
            home = f"SRID=4326;POINT({x!r} {y!r})"
            west, east, south, north = x - wide, x + wide, y - high, y + high
            disc = f"SRID=4326;POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"
            around = self._numbers(areas_around(x, y, geography), areas=True)
        muted = profile.muted
        return "\t".join(
            str(one)
            for one in (
                profile.subscriber,
                self._numbers(profile.areas, areas=True),
                self._numbers(set(profile.interests) - set(muted.interests)),
                self._numbers(profile.organisers),
                home, radius, disc, around,
                self._numbers(muted.interests),
                self._numbers(muted.organisers),
                profile.minimum_severity.rank,
                self._numbers(profile.audience),
            )
        ) + "\n"  # fmt: skip

    def _numbers(self, words: Iterable[str], *, areas: bool = False) -> str:
        if areas:
            numbers = [self._areas.setdefault(word, len(self._areas)) for word in words]
        else:
            numbers = [self._words[word] for word in words]
        return "{" + ",".join(map(str, numbers)) + "}"

    def match(self, concerns: list[Concern]) -> list[tuple[float, frozenset[str]]]:
        """Milliseconds and subscribers, item by item; the last of three runs each."""
        script = ["\\timing on"]
        for concern in concerns:
            query = self._query(concern)
            script += [f"\\echo ITEM\n{query}"] + [f"\\echo AGAIN\n{query}"] * 2
        found = []
        for block in self.run("\n".join(script)).split("ITEM\n")[1:]:
            lines = block.split("AGAIN\n")[-1].split("\n")
            (milliseconds,) = (float(line.split()[1]) for line in lines if line.startswith("Time:"))
            names = frozenset(line for line in lines if line.startswith("s-"))
            found.append((milliseconds, names))
        return found

    def _query(self, concern: Concern) -> str:
        item: ContentItemV1 = concern.item
        interests = f"'{self._numbers(concern.interests)}'::int[]"
        shares = "" if item.emergency else f" AND interests && {interests}"
        located = [f"areas && '{self._numbers(concern.related, areas=True)}'::int[]{shares}"]
        if concern.footprint is None:
            located.append(f"home_areas && '{self._numbers(concern.areas, areas=True)}'::int[]{shares}")
        else:
            shape = f"ST_GeomFromText('{concern.footprint.shape.wkt}', 4326)"
            # Half a decimetre more: distances are compared after rounding to the decimetre.
            within = f"ST_DWithin(home, {shape}::geography, radius + 0.05)"
            located.append(f"disc && {shape}{shares} AND {within}")
        wants = ["true"]
        if item.organiser is not None:
            organiser = self._words[item.organiser.id]
            located.append(f"organisers @> '{{{organiser}}}'::int[]")
            if not item.emergency:
                wants.append(f"NOT muted_organisers @> '{{{organiser}}}'::int[]")
        if not item.emergency and item.interests:
            wants.append(f"NOT muted_interests @> {interests}")
        if item.kind is Kind.ALERT:
            wants.append(f"severity <= {item.severity.rank}")
        if item.audience:
            theirs = f"'{self._numbers(item.audience)}'::int[]"
            wants.append(f"(audience = '{{}}' OR audience && {theirs})")
        conditions = " AND ".join(wants)
        return (
            " UNION ".join(f"SELECT id FROM resident WHERE {one} AND {conditions}" for one in located) + ";"
        )


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
