"""Writes the table of handouts/data/timing_h200.json into grader/judge/measure/README.md.

PYTHONPATH=grader python3 tools/timing_table.py
"""

import json
import sys
from typing import Any

import readme_table
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
RECORD = ROOT / "handouts/data/timing_h200.json"
README = ROOT / "grader/judge/measure/README.md"
BEGIN, END = (
    "<!-- from tools/timing_table.py -->\n",
    "<!-- end -->",
)


def told_apart(slower: list[dict[str, Any]], original: list[dict[str, Any]]) -> bool:
    """Whether a run of the slower kernel has fewer points, and an interval above every ratio of the original."""
    highest = max(case["ratio"] for case in original)
    return all(case["points"] < case["max_points"] and case["low"] > highest for case in slower)


def rows(document: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Kernel, points, ratio to the staff's kernel and what else there is to say."""
    original = [case for run in document["original"] for case in run]
    found = []
    for name, label in (("original", "staff's"), ("slower", "staff's, 15 % slower")):
        for case in dict.fromkeys(case["name"] for run in document[name] for case in run):
            runs = [one for run in document[name] for one in run if one["name"] == case]
            points = sorted({one["points"] for one in runs})
            ratios = sorted(one["ratio"] for one in runs)
            said = f"measured again {sum(one['remeasured'] for one in runs)} times"
            if name == "slower":
                apart = sum(told_apart(run, original) for run in document[name])
                said += f"; told from the original in {apart}"
            shown = " or ".join(f"{value:g}" for value in points)
            most = f"{runs[0]['max_points']:g}"
            found.append(
                (
                    f"{label}, {case}, {len(runs)} runs",
                    f"{shown} of {most}",
                    f"{ratios[0]:.3f} to {ratios[-1]:.3f}",
                    said,
                )
            )
    for name, cases in document["cheats"].items():
        first = cases[0]
        points = f"{sum(one['points'] for one in cases):g} of 7"
        ratio = f"{first['ratio']:.2f}" if "ratio" in first else "–"
        said = "; ".join(first.get("flags", [])) or first.get("message", "").partition(" (")[0]
        found.append((f"`{name}`", points, ratio, said.replace("|", "/")))
    return found


def table(document: dict[str, Any]) -> str:
    """The table as Markdown, with where it comes from."""
    lines = [
        f"{document['device']}, driver {document['driver']}, {document['date']}, `{document['command']}`:",
        "",
        "| submission | points | ratio | |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows(document)]) + "\n"


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
