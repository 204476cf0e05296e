"""One table for all parts: what was measured, the goal, the value, and the ratio to a peer of the same run.

A part is a script that can be run alone (``python benchmarks/matching.py --quick``). `make bench` runs all of
them, each in a process of its own, and gathers their rows from the file that ``--rows`` names.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; ``met`` is None where there is no goal."""

    figure: str
    goal: str = ""
    value: str = ""
    ratio: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        word = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"{self.figure:<66} {self.goal:<16} {self.value:<34} {self.ratio:<28} {word}".rstrip()


@dataclass(slots=True)
class Part:
    """What a part is asked for, and the rows it makes, which are printed as they come."""

    quick: bool
    seed: int
    options: dict[str, int | None] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def row(
        self, figure: str, goal: str = "", value: str = "", ratio: str = "", *, met: bool | None = None
    ) -> None:
        """Add a line."""
        self.rows.append(Row(figure, goal, value, ratio, met))
        print(self.rows[-1], flush=True)


def run_part(description: str, measure: Callable[[Part], None], **options: str) -> None:
    """The entry point of a part: reads the command line, measures, and writes the rows where asked to.

    Args:
        description: for ``--help``.
        measure: takes the part; adds rows to it.
        options: numbers that may be given besides, with what they mean; None where they are not.
    """
    asked = argparse.ArgumentParser(description=description)
    asked.add_argument("--quick", action="store_true", help="a smaller form")
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--rows", type=Path, help="file to write the rows to, as JSON")
    for name, meaning in options.items():
        asked.add_argument(f"--{name}", type=int, help=meaning)
    given = asked.parse_args()
    part = Part(given.quick, given.seed, {name: getattr(given, name) for name in options})
    try:
        measure(part)
    finally:
        if given.rows:
            given.rows.write_text(json.dumps([asdict(row) for row in part.rows]), encoding="utf-8")


def machine() -> str:
    """The machine, its load and the day, in one line."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"load {load}, {datetime.now(UTC):%Y-%m-%d}"
    )
