"""One item against a million residents, beside PostgreSQL + PostGIS and the plain loop.

Everything is made from the seed and measured in this run; the curve is written to docs/benchmarks/matching.svg.
"""

import gc
import time
from pathlib import Path

import numpy as np
import postgres
from curve import svg
from kommunepuls_events import ContentItemV1, SubscriberProfileV1
from kommunepuls_geography import Geography
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import Answer, ProfileIndex
from kommunepuls_matching.reference import reasons_for
from table import Part, run_part
from workload import NOW, Country, items, residents, wide_items

PICTURE = Path(__file__).parent.parent / "docs" / "benchmarks" / "matching.svg"
MERGED_SHARE = 1 / 4  # while loading; in service it is the index' own


def measure(part: Part) -> None:
    """All rows of this part."""
    size = part.options["profiles"] or (50_000 if part.quick else 1_000_000)
    largest = part.options["largest"] or (size if part.quick else 3_000_000)
    run = Run(part, size, largest, item_count=300 if part.quick else 1_000)
    run.measure()
    if not part.quick:
        PICTURE.write_text(
            svg("Time to match one item, by the number of profiles", "profiles", "milliseconds", run.curves)
        )


class Run:
    """One run: ``size`` profiles are compared with the peers, the curve goes on to ``largest``."""

    def __init__(self, part: Part, size: int, largest: int, item_count: int) -> None:
        self.part, self.size, self.largest = part, size, largest
        self.seed = seed = part.seed
        self.processor = np.zeros(0)
        self.curves: dict[str, list[tuple[float, float]]] = {}
        self.country = Country()
        self.geography: Geography = self.country.geography()
        self.index = ProfileIndex(self.geography)
        self.mixed = self._concerns(items(self.country, item_count, seed + 1))
        self.wide = self._concerns(wide_items(self.country, max(20, item_count // 5), seed + 2))

    def _concerns(self, some: list) -> list[Concern]:
        return [Concern.of(item, self.geography) for item in some]

    def row(self, figure: str, goal: str, value: str, met: bool | None = None) -> None:
        self.part.row(figure, goal, value, met=met)

    def measure(self) -> None:
        self._calibrate()
        sizes = [
            one for one in (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000) if one < self.largest
        ]
        sizes = sorted({*sizes, self.size, self.largest})
        putting = 0.0
        for held, profile in enumerate(residents(self.country, self.largest, self.seed), start=1):
            began = time.perf_counter()
            self.index.put(profile)
            putting += time.perf_counter() - began
            if held in sizes or (
                self.index.wants_merging and self.index.unmerged > max(16_384, held * MERGED_SHARE)
            ):
                began = time.perf_counter()
                self._merge()
                putting += time.perf_counter() - began
            if held in sizes:
                self._at(held)
            if held == self.size:
                self.row(f"put and merge of {held:,} profiles", "", f"{putting:.1f} s")
                self._compare()

    def _merge(self) -> None:
        merge = self.index.begin_merging()
        merge.work()
        self.index.adopt(merge)

    def _calibrate(self) -> None:
        block = np.ones(1 << 25)
        times = [_timed(block.copy)[0] for _ in range(5)]
        self.row("memory bandwidth (copying 256 MiB)", "", f"{2 * block.nbytes / min(times) / 1e9:.1f} GB/s")

    def _at(self, held: int) -> None:
        for name, concerns in (("mixed items, median", self.mixed), ("many matches, median", self.wide)):
            times, _ = self._times(concerns)
            self.curves.setdefault(name, []).append((held, float(np.median(times))))
            print(f"  {held:,} profiles, {name}: {np.median(times):.3f} ms", flush=True)

    def _times(self, concerns: list[Concern]) -> tuple[list[float], list[int]]:
        """Milliseconds and matches, item by item; whatever collects garbage does so between."""
        for concern in concerns[:10]:
            self.index.match(concern)
        gc.collect()
        gc.disable()
        try:
            found = [(*_timed(lambda one=one: self.index.match(one)), time.thread_time()) for one in concerns]
        finally:
            gc.enable()
        ends = [end for _, _, end in found]
        self.processor = np.diff(ends) * 1_000
        return [seconds * 1_000 for seconds, _, _ in found], [len(answer) for _, answer, _ in found]

    def _compare(self) -> None:
        for name, concerns, goal in (("mixed items", self.mixed, 2.0), ("many matches", self.wide, 4.0)):
            times, counts = self._times(concerns)
            p50, p99 = np.percentile(times, [50, 99])
            matches = f"{int(np.median(counts)):,} matches in the median"
            self.row(f"{name}: {matches}, p50", "", f"{p50:.3f} ms")
            self.row(f"{name}: p99", f"< {goal:g} ms", f"{p99:.3f} ms", bool(p99 < goal))
            spent = float(np.percentile(self.processor, 99))
            self.row("  of processor time alone, p99 (a shared machine waits)", "", f"{spent:.3f} ms")
        self._memory()
        self._changes()
        self._reasons()
        self._reference()
        reason = postgres.missing()
        if reason is not None:
            self.row("faster than PostgreSQL + PostGIS", ">= 150 x", f"skipped: {reason}")
        else:
            self._postgres()

    def _memory(self) -> None:
        sizes = self.index.base.nbytes()
        ids = sum(count for name, count in sizes.items() if name.startswith("id_"))
        each = (sum(sizes.values()) - ids) / len(self.index)
        self.row("index, bytes a profile (arrays)", "<= 82", f"{each:.1f}", each <= 82)
        self.row("  beside it the subscribers' ids, bytes a profile", "", f"{ids / len(self.index):.1f}")

    def _changes(self) -> None:
        some = list(residents(self.country, 2_000, self.seed))
        times = [_timed(lambda one=one: self.index.put(one))[0] * 1e6 for one in some]
        p50, p99 = np.percentile(times, [50, 99])
        self.row("a profile change, median (p99)", "< 50 us", f"{p50:.1f} us ({p99:.0f})", bool(p50 < 50))
        followed = SubscriberProfileV1(
            subscriber="s-new", revision=1, municipality="NO-1000", organisers=("o",), changed_at=NOW
        )
        self.index.put(followed)
        fields = self.mixed[0].item.model_dump() | {"organiser": {"id": "o", "name": "O"}, "kind": "notice"}
        item = ContentItemV1.model_validate(fields)
        names = [name for name, _ in self.index.match(Concern.of(item, self.geography)).subscribers()]
        self.row("  visible to the next item", "yes", "yes" if "s-new" in names else "no", "s-new" in names)
        self.index.erase("s-new")
        self._merge()

    def _reasons(self) -> None:
        answer: Answer = max((self.index.match(one) for one in self.wide), key=len)
        seconds, found = _timed(lambda: list(answer.recipients()))
        self.row(f"reasons of {len(found):,} recipients, each", "", f"{seconds / len(found) * 1e6:.1f} us")

    def _reference(self) -> None:
        """A sample of residents by the plain loop: the same answers for the same reasons."""
        sample = {one.subscriber: one for one in residents(self.country, min(2_000, self.size), self.seed)}
        ratios = []
        for concern in [*self.mixed[:15], *self.wide[:5]]:
            seconds, expected = _timed(
                lambda one=concern: {
                    name: found
                    for name, profile in sample.items()
                    if (found := reasons_for(one.item, profile, self.geography))
                }
            )
            matching, answer = _timed(lambda one=concern: self.index.match(one))
            found = {one.subscriber: one.reasons for one in answer.recipients() if one.subscriber in sample}
            assert found == expected, f"{concern.item.id} differs from the reference"
            ratios.append(seconds / len(sample) * len(self.index) / matching)
        self.row(
            "faster than the plain loop (median; scaled from a sample)", "", f"{np.median(ratios):,.0f} x"
        )

    def _postgres(self) -> None:
        concerns = [*self.mixed[:60], *self.wide[:10]]
        with postgres.running_peer() as peer:
            seconds, _ = _timed(
                lambda: peer.load(residents(self.country, self.size, self.seed), self.geography)
            )
            self.row("PostgreSQL + PostGIS: load and index", "", f"{seconds:.1f} s")
            peers = peer.match(concerns)
        ours = []
        disagreed = 0
        for concern, (_, names) in zip(concerns, peers, strict=True):
            seconds, answer = min(
                (_timed(lambda one=concern: self.index.match(one)) for _ in range(3)), key=_first
            )
            ours.append(seconds * 1_000)
            differing = names ^ {name for name, _ in answer.subscribers()}
            # Edges of PostGIS geography are geodesics, ours straight in degrees: decimetres at an edge's middle.
            only_edges = concern.footprint is not None and concern.footprint.shape.geom_type != "Point"
            assert not differing or (only_edges and len(differing) <= 1 + len(names) // 1_000), (
                f"{concern.item.id} differs from PostgreSQL: {len(differing)} residents"
            )
            disagreed += bool(differing)
        theirs = [milliseconds for milliseconds, _ in peers]
        ratio = float(np.median(np.array(theirs) / np.array(ours)))
        self.row(
            "PostgreSQL + PostGIS, tuned: p50 (p99)",
            "",
            "{:.1f} ms ({:.0f})".format(*np.percentile(theirs, [50, 99])),
        )
        self.row("  answers that are identical", "", f"{len(peers) - disagreed} of {len(peers)}")
        self.row("faster than PostgreSQL + PostGIS (median)", ">= 150 x", f"{ratio:,.0f} x", ratio >= 150)


def _timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _first(pair):
    return pair[0]


if __name__ == "__main__":
    run_part(
        __doc__,
        measure,
        profiles="how many to compare with the peers at",
        largest="how many profiles the curve goes up to",
    )
