"""Writes the table of known kernels and speed thresholds into handouts/instructors/measuring.md.

    ./flashlab calibrate --device vgpu --json handouts/data/calibration_vgpu.json
    python3 tools/calibration_tables.py [--check]

`--check` only says whether the table is that of the data.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import readme_table

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "handouts/data/calibration_vgpu.json"
DOCUMENT = ROOT / "handouts/instructors/measuring.md"
BEGIN, END = (
    "<!-- tools/calibration_tables.py: begin -->\n",
    "<!-- tools/calibration_tables.py: end -->\n",
)


def table(record: dict[str, Any]) -> str:
    """One row for each lab: its curve, the curve that calibrate proposes, and the kernels that matter."""
    heading = ["lab", "`full`, `none`", "proposed", "naive variant", "its ratio, points"]
    heading += ["other right kernels, with all points", "slowest of them"]
    rows = [heading, ["---"] * len(heading), *map(_row, record["labs"])]
    text = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    where = record["provenance"]
    return f"{text}\nModelled times, {where['date'][:10]}, {where['compiler'].partition(',')[0]}.\n"


def _row(lab: dict[str, Any]) -> list[str]:
    reached = [each for each in lab["reached"] if not each["problem"]]
    naive = [each for each in reached if each["naive"]]
    others = list(_totals([each for each in reached if not each["naive"] and not each["staff"]]))
    full = [name for name, points, most, _ in others if points == most]
    slowest = max(others, key=lambda other: other[3])
    worst = max(naive, key=lambda each: each["ratio"])
    given = sum(each["points"] for each in naive), sum(each["max_points"] for each in naive)
    return [
        lab["lab"].partition("_")[0],
        *(f"{lab[key]['full']:g}, {lab[key]['none']:g}" for key in ("curve", "proposed")),
        f"`{worst['kernel']}`",
        f"{worst['ratio']:.2f}, {given[0]:g} of {given[1]:g}",
        f"{len(full)} of {len(others)}",
        f"`{slowest[0]}` {slowest[3]:.1f}",
    ]


def _totals(reached: list[dict[str, Any]]) -> Iterator[tuple[str, float, float, float]]:
    """Name, points, most points and largest ratio of each kernel, over the cases."""
    for name in dict.fromkeys(each["kernel"] for each in reached):
        own = [each for each in reached if each["kernel"] == name]
        points, most = (sum(each[key] for each in own) for key in ("points", "max_points"))
        yield name, points, most, max(each["ratio"] for each in own)


def with_table(text: str, record: dict[str, Any]) -> str:
    """`text` with the table between its marks made anew."""
    return readme_table.put(text, BEGIN, END, table(record))


def main() -> int:
    """Writes or checks the table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    new = with_table(text, json.loads(RECORD.read_text(encoding="utf-8")))
    if sys.argv[1:] == ["--check"]:
        if new != text:
            print("calibration_tables: run: python3 tools/calibration_tables.py", file=sys.stderr)
        return int(new != text)
    DOCUMENT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
