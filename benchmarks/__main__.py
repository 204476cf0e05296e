"""`make bench`: all parts, one table. ``--quick`` takes below 3 minutes; ``--only matching`` runs one part.

Each part runs in a process of its own, one after the other, so that none measures what another left behind. A whole
run writes the table to docs/benchmarks/results.md and results.json after each part, and says there which parts are still
to come or failed; the parts write their pictures beside them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from table import SEED, Row, machine

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "docs" / "benchmarks"
PARTS = (
    "matching",
    "loading",
    "broker",
    "workers",
    "push",
    "mail",
    "sensors",
)


def main() -> int:
    """Run the parts and print the table; 1 if a part failed."""
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--only", choices=PARTS)
    asked.add_argument("--seed", type=int, default=SEED)
    given = asked.parse_args()
    chosen = [given.only] if given.only else PARTS
    began = machine()
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for done, name in enumerate(chosen, start=1):
            print(f"\n{name}", flush=True)
            file = Path(folder) / f"{name}.json"
            command = [sys.executable, HERE / f"{name}.py", "--seed", str(given.seed), "--rows", file]
            if subprocess.run([*command, *(["--quick"] if given.quick else [])], check=False).returncode:
                failed.append(name)
                rows.append(Row(name, value="this part failed: what it said stands above", met=False))
            if file.exists():
                rows += [Row(**row) for row in json.loads(file.read_text())]
            if not (given.quick or given.only):
                _write(rows, began, given.seed, PARTS[done:])
    print(f"\n{began}; seed {given.seed}\n")
    print("\n".join(str(row) for row in rows))
    return 1 if failed else 0


def _write(rows: list[Row], began: str, seed: int, to_come: Sequence[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    said = {True: "met", False: "**missed**", None: ""}
    lines = [f"| {row.figure} | {row.goal} | {row.value} | {row.ratio} | {said[row.met]} |" for row in rows]
    ended = f" Not run: {', '.join(to_come)}." if to_come else ""
    head = ["# Results", "", f"Written by `make bench`. {began}; seed {seed}.{ended}", ""]
    head += ["| figure | goal | value | ratio | |", "|---|---|---|---|---|"]
    (RESULTS / "results.md").write_text("\n".join([*head, *lines, ""]), encoding="utf-8")
    figures = [[row.figure, row.goal, row.value, row.ratio, row.met] for row in rows]
    (RESULTS / "results.json").write_text(
        json.dumps({"machine": began, "seed": seed, "to_come": to_come, "rows": figures}, indent=1) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
