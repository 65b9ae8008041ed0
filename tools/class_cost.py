"""Writes what grading a class costs into grader/flashlab/classroom/README.md, from handouts/data/class_rates.json.

    PYTHONPATH=grader python3 tools/class_cost.py

The mix of submissions is that of tools/make_class.py, where cheats are taken to cost as much as kernels of the corpus.
Times on the clock follow from how `class grade --slurm` packs: tasks of equal length run in waves, as many at a time as
there are cores. What Slurm lets them wait is not in it.
"""

import json
import math
import sys
from statistics import mean
from typing import Any

import readme_table
from flashlab.classroom.slurm_run import shard_size
from flashlab.layout import Layout
from make_class import BROKEN, KINDS

ROOT = Layout.of_this_package().root
RECORD = ROOT / "handouts/data/class_rates.json"
README = ROOT / "grader/flashlab/classroom/README.md"
BEGIN, END = "<!-- from tools/class_cost.py -->\n", "<!-- end -->"
ARRAY_SIZE = 1001  # Slurm's default
CLASSES = (20, 200, 20_000)  # students, of all labs
CORES = (2, 16, 128, 1024)
COSTS_NOTHING = {*BROKEN, "not text"}  # refused before anything is built


SAME_COST = {"cheat": "corpus"}  # most of them run; the others are refused at once


def seconds_of_one(rates: dict[str, list[float]]) -> float:
    """CPU time of a submission of one lab, in the mix of those that are handed in."""
    mix = {kind: share for kind, share in KINDS.items() if kind != "missing"}
    spent = sum(
        share * mean(rates[SAME_COST.get(kind, kind)])
        for kind, share in mix.items()
        if kind not in COSTS_NOTHING
    )
    return spent / sum(mix.values())


def cost(document: dict[str, Any], submissions: int, cores: int) -> tuple[float, float]:
    """Core-seconds, and seconds on the clock, of so many submissions evenly spread over the labs."""
    one = mean(seconds_of_one(rates) for rates in document["labs"].values())
    size = shard_size(submissions, ARRAY_SIZE)
    tasks = math.ceil(submissions / size)
    start = document["start_seconds"]
    waves = math.ceil(tasks / cores)
    return submissions * one + tasks * start, waves * (start + size * one)


def duration(seconds: float) -> str:
    """As people say it: 45 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def table(document: dict[str, Any]) -> str:
    """Rates per lab and costs per class as Markdown, with where they come from."""
    lines = [
        "Seconds of CPU time for one submission:"
        f" {document['machine']}, {document['date']}, `{document['command']}`."
        f" Starting a task takes {document['start_seconds']:.1f} s.",
        "",
        "| lab | stub | does not build | kernels of the corpus: mean, largest | solution | mean of the mix |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for lab, rates in document["labs"].items():
        wrong = f"{mean(rates['corpus']):.1f}, {max(rates['corpus']):.1f}"
        single = [f"{mean(rates[kind]):.1f}" for kind in ("stub", "syntax", "solution")]
        cells = [lab, *single[:2], wrong, single[2], f"{seconds_of_one(rates):.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    labs = len(document["labs"])
    lines += [
        "",
        f"| students × labs | submissions | core-hours | {' | '.join(f'{cores:,} cores' for cores in CORES)} |",
        f"| --- | --- | --- |{' --- |' * len(CORES)}",
    ]
    for students in CLASSES:
        count = students * labs
        hours = cost(document, count, 1)[0] / 3600
        times = [duration(cost(document, count, cores)[1]) for cores in CORES]
        cells = [f"{students:,} × {labs}", f"{count:,}", f"{hours:.3g}", *times]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def with_table(text: str, document: dict[str, Any]) -> str:
    """The README with the table between its marks."""
    return readme_table.put(text, BEGIN, END, table(document))


def main() -> int:
    """Rewrites the README."""
    document = json.loads(RECORD.read_text(encoding="utf-8"))
    README.write_text(with_table(README.read_text(encoding="utf-8"), document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
