"""One item against a million residents, beside PostgreSQL + PostGIS and the plain loop.

Everything is made from the seed and measured in this run; the curve is written to docs/benchmarks/matching.svg.
"""

import gc
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import postgres
from curve import svg
from kommunepuls_events import ContentItemV1, SubscriberProfileV1
from kommunepuls_matching.concern import Concern
from kommunepuls_matching.index import Answer, ProfileIndex
from kommunepuls_matching.loading import Loading
from kommunepuls_matching.reference import reasons_for
from personaliser.app import SWITCH_SECONDS
from table import Part, run_part
from timing import each_timed, timed
from workload import NOW, Country, items, residents, wide_items

PICTURE = Path(__file__).parent.parent / "docs" / "benchmarks" / "matching.svg"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
ANSWERS = (10, 100, 1_000, 10_000, 100_000)
CHANGES = 4_000


def measure(part: Part) -> None:
    """All rows of this part."""
    size = part.options["profiles"] or (30_000 if part.quick else 1_000_000)
    largest = part.options["largest"] or (size if part.quick else 3_000_000)
    sys.setswitchinterval(SWITCH_SECONDS)
    run = Run(part, size, largest, item_count=200 if part.quick else 1_000)
    run.measure()
    if not part.quick:
        title = "Time to match one item, by the number of profiles and of matches"
        PICTURE.write_text(svg(title, "profiles", "milliseconds, median", run.curves), encoding="utf-8")


class Run:
    """One run: ``size`` profiles are compared with the peers, the curve goes on to ``largest``."""

    def __init__(self, part: Part, size: int, largest: int, item_count: int) -> None:
        self.part, self.size, self.largest = part, size, largest
        self.curves: dict[str, list[tuple[float, float]]] = {}
        self.country = Country()
        self.geography = self.country.geography()
        self.index = ProfileIndex(self.geography)
        self.lines = postgres.Rows(self.geography) if postgres.missing() is None else None
        self.mixed = self._concerns(items(self.country, item_count, part.seed + 1))
        self.wide = self._concerns(wide_items(self.country, item_count // 5, part.seed + 2))

    def _concerns(self, some: list[ContentItemV1]) -> list[Concern]:
        return [Concern.of(item, self.geography) for item in some]

    def measure(self) -> None:
        """Take profiles in up to each size, measure there, and compare at the size for that."""
        self._calibrate()
        sizes = sorted({*(one for one in SIZES if one < self.largest), self.size, self.largest})
        held, taking = 0, 0.0
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as copied:
            for size in sizes:
                loading = self.index.begin_loading()
                taking += self._take(loading, held, size, copied)
                taking += timed(loading.work)[0]
                self.index.load(loading)
                held = size
                self._at(held)
                if held == self.size:
                    self.part.row(f"{held:,} profiles into the index, without Kafka", "", f"{taking:.1f} s")
                    copied.flush()
                    self._compare(Path(copied.name))
        self._growth()

    def _take(self, loading: Loading, first: int, size: int, copied) -> float:
        """Put residents into the index, and into the file for the peer; the seconds of the first alone."""
        taking = 0.0
        for begin in range(first, size, 10_000):
            some = list(residents(self.country, min(10_000, size - begin), self.part.seed, begin))
            began = time.perf_counter()
            for profile in some:
                loading.put(profile)
            taking += time.perf_counter() - began
            if self.lines is not None and begin < self.size:
                copied.writelines(map(self.lines.of, some))
        return taking

    def _calibrate(self) -> None:
        block = np.ones(1 << 25)
        seconds = min(timed(block.copy)[0] for _ in range(5))
        self.part.row(
            "memory bandwidth (copying 256 MiB)", "", f"{2 * block.nbytes / seconds / 1e9:.1f} GB/s"
        )

    def _at(self, held: int) -> None:
        """A point of each curve: the median of the items whose answers are about that large here."""
        clock, _, answers = each_timed(self.index.match, [*self.mixed, *self.wide])
        matches = np.array([len(answer) for answer in answers])
        for about in ANSWERS:
            those = clock[(matches >= about / 2) & (matches <= about * 2)]
            if len(those) >= 5:
                self.curves.setdefault(f"about {about:,} matches", []).append((held, float(np.median(those))))
        print(f"  {held:,} profiles: median {np.median(clock[: len(self.mixed)]):.3f} ms", flush=True)

    def _growth(self) -> None:
        for name, curve in self.curves.items():
            if len(curve) > 1:
                told = ", ".join(f"{milliseconds:.2f} ms at {held:,}" for held, milliseconds in curve)
                self.part.row(f"items of {name}: median", "", told, f"{curve[-1][1] / curve[0][1]:.1f} x")

    def _compare(self, copied: Path) -> None:
        gc.freeze()
        self._match("mixed items", self.mixed, 2.0)
        self._match("many matches", self.wide, 4.0)
        self._memory()
        self._reasons()
        self._reference()
        if self.lines is None:
            self.part.row("faster than PostgreSQL + PostGIS", ">= 150 x", f"left out: {postgres.missing()}")
        else:
            self._postgres(copied)
        self._changes()
        self._merging()

    def _match(self, name: str, concerns: list[Concern], goal: float) -> None:
        clock, processor, answers = each_timed(self.index.match, concerns)
        p50, p99 = np.percentile(clock, [50, 99])
        low, middle, high = np.percentile([len(answer) for answer in answers], [5, 50, 95]).astype(int)
        matches = f"{middle:,} matches in the median ({low:,} to {high:,})"
        self.part.row(f"{name}: {matches}, p50", "", f"{p50:.3f} ms")
        self.part.row(f"{name}: p99", f"< {goal:g} ms", f"{p99:.3f} ms", met=bool(p99 < goal))
        spent = float(np.percentile(processor, 99))
        self.part.row("  of processor time alone, p99 (a shared machine waits)", "", f"{spent:.3f} ms")

    def _memory(self) -> None:
        sizes = self.index.base.nbytes()
        ids = sum(count for name, count in sizes.items() if name.startswith("id_"))
        each = (sum(sizes.values()) - ids) / len(self.index)
        # Where postings of areas and organisers begin costs the same whether many follow them or few.
        whole = self.size >= 1_000_000
        self.part.row(
            "index, bytes a profile (arrays)",
            "<= 82" if whole else "",
            f"{each:.1f}",
            met=each <= 82 if whole else None,
        )
        self.part.row("  beside it the subscribers' ids, bytes a profile", "", f"{ids / len(self.index):.1f}")

    def _changes(self) -> None:
        some = [
            one.model_copy(update={"revision": 2}) for one in residents(self.country, CHANGES, self.part.seed)
        ]
        clock, processor, _ = each_timed(self.index.put, some)
        # The first half makes what is known of areas ready where they live.
        p50, p99 = np.percentile(clock[CHANGES // 2 :] * 1_000, [50, 99])
        spent = float(np.median(processor[CHANGES // 2 :])) * 1_000
        self.part.row(
            "a profile change, median (p99)",
            "< 50 us",
            f"{p50:.1f} us ({p99:.0f}), processor {spent:.1f} us",
            met=bool(p50 < 50),
        )
        followed = SubscriberProfileV1(
            subscriber="s-new", revision=1, municipality="NO-1000", organisers=("o",), changed_at=NOW
        )
        self.index.put(followed)
        fields = self.mixed[0].item.model_dump() | {"organiser": {"id": "o", "name": "O"}, "kind": "notice"}
        concern = Concern.of(ContentItemV1.model_validate(fields), self.geography)
        seen = "s-new" in [name for name, _ in self.index.match(concern).subscribers()]
        self.part.row("  visible to the next item", "yes", "yes" if seen else "no", met=seen)
        self.index.erase("s-new")
        clock, _, _ = each_timed(self.index.match, self.mixed)
        p50, p99 = np.percentile(clock, [50, 99])
        self.part.row(
            f"mixed items while {self.index.unmerged:,} changes wait to be merged, p50 (p99)",
            "", f"{p50:.3f} ms ({p99:.3f})",
        )  # fmt: skip

    def _merging(self) -> None:
        """Match and change while a thread merges: how long somebody waits at the worst."""
        merge = self.index.begin_merging()
        some = [
            one.model_copy(update={"revision": 3}) for one in residents(self.country, 10_000, self.part.seed)
        ]
        thread = threading.Thread(target=merge.work)
        waits, took = [], time.perf_counter()
        thread.start()
        while thread.is_alive():
            for profile in some[len(waits) * 10 % len(some) :][:10]:
                self.index.put(profile)
            waits.append(timed(lambda: self.index.match(self.mixed[len(waits) % len(self.mixed)]))[0] * 1_000)
        took = time.perf_counter() - took
        adopting = timed(lambda: self.index.adopt(merge))[0] * 1_000
        self.part.row(
            f"a merge into {len(self.index):,} while items and changes go on: the longest match, p50",
            "< 100 ms", f"{max(waits):.1f} ms, {np.median(waits):.2f} ms", f"{len(waits):,} items in {took:.1f} s",
            met=max(waits) < 100,
        )  # fmt: skip
        self.part.row("  going over to what was merged", "", f"{adopting:.1f} ms")
        clean = self.index.begin_merging()
        clean.work()
        self.index.adopt(clean)

    def _reasons(self) -> None:
        answer: Answer = max((self.index.match(one) for one in self.wide), key=len)
        seconds, groups = timed(answer.groups)
        self.part.row(
            f"reasons of {len(answer):,} recipients, in {len(groups):,} groups, each",
            value=f"{seconds / len(answer) * 1e6:.2f} us",
        )

    def _reference(self) -> None:
        """A sample of residents by the plain loop: the same answers for the same reasons."""
        some = residents(self.country, min(2_000, self.size), self.part.seed)
        sample = {one.subscriber: one for one in some}
        ratios = []
        for concern in [*self.mixed[:15], *self.wide[:5]]:

            def plainly(item: ContentItemV1 = concern.item) -> dict:
                reasons = {name: reasons_for(item, one, self.geography) for name, one in sample.items()}
                return {name: found for name, found in reasons.items() if found}

            seconds, expected = timed(plainly)
            matching, answer = timed(lambda one=concern: self.index.match(one))
            everybody = (one for group in answer.groups() for one in group.each())
            found = {subscriber: reasons for subscriber, reasons in everybody if subscriber in sample}
            assert found == expected, f"{concern.item.id} differs from the reference"
            ratios.append(seconds / len(sample) * len(self.index) / matching)
        figure = "faster than the plain loop (median; scaled from a sample)"
        self.part.row(figure, "", "the same answers and reasons", f"{np.median(ratios):,.0f} x")

    def _postgres(self, copied: Path) -> None:
        concerns = [*self.mixed[:60], *self.wide[:10]]
        with postgres.running_peer() as peer:
            seconds, _ = timed(lambda: peer.load(copied))
            self.part.row("PostgreSQL + PostGIS: load and index", "", f"{seconds:.1f} s")
            peers = peer.match(concerns, self.lines)
        ours, disagreed = [], 0
        for concern, (_, names) in zip(concerns, peers, strict=True):
            runs = [timed(lambda one=concern: self.index.match(one)) for _ in range(3)]
            ours.append(runs[-1][0] * 1_000)
            differing = names ^ {name for name, _ in runs[-1][1].subscribers()}
            # Edges of PostGIS geography are geodesics, ours straight in degrees: decimetres at an edge's middle.
            only_edges = concern.footprint is not None and concern.footprint.shape.geom_type != "Point"
            assert not differing or (only_edges and len(differing) <= 1 + len(names) // 1_000), (
                f"{concern.item.id} differs from PostgreSQL: {len(differing)} residents"
            )
            disagreed += bool(differing)
        theirs = np.array([milliseconds for milliseconds, _ in peers])
        p50, p99 = np.percentile(theirs, [50, 99])
        self.part.row("PostgreSQL + PostGIS, tuned: p50 (p99)", "", f"{p50:.1f} ms ({p99:.0f})")
        self.part.row("  answers that are identical", "", f"{len(peers) - disagreed} of {len(peers)}")
        ratio = float(np.median(theirs / np.array(ours)))
        figure = "faster than PostgreSQL + PostGIS (median)"
        goal = "" if self.size < 1_000_000 else ">= 150 x"
        self.part.row(
            figure,
            goal,
            f"ours {np.median(ours):.2f} ms",
            f"{ratio:,.0f} x",
            met=ratio >= 150 if goal else None,
        )


if __name__ == "__main__":
    run_part(
        __doc__,
        measure,
        profiles="how many to compare with the peers at",
        largest="how many profiles the curve goes up to",
    )
