"""The report of a class: many results, by student and lab."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.report.blocks import Block, Figures, Heading, Report, Table, Text
from flashlab.report.figure import Axis, Bars, Chart, Figure, Kind, Point, Series, Unit
from flashlab.report.measurements import short
from flashlab.results import Result, load

HARDEST = 12  # cases shown for a lab
BIN = 5  # percent: students within one are drawn above each other


@dataclass(frozen=True)
class Entry:
    """One result with the student that it belongs to."""

    student: str
    result: Result


def load_class(places: Iterable[Path]) -> list[Entry]:
    """The newest result of every student and lab from result files and folders of them. A student is named by the first
    folder below the one that was given, or by the file's name when there is none."""
    newest: dict[tuple[str, str], tuple[str, str, Result]] = {}
    for place in places:
        if not place.exists():
            raise UsageError(f"{place} does not exist; give result files or a folder of them")
        for path in sorted(place.rglob("*.json")) if place.is_dir() else [place]:
            result = load(path)
            inside = path.relative_to(place).parts if place.is_dir() else (path.name,)
            student = inside[0] if len(inside) > 1 else path.stem
            key = student, result["lab"]
            candidate = result["provenance"]["date"], str(path), result
            if key not in newest or candidate[:2] > newest[key][:2]:
                newest[key] = candidate
    if not newest:
        raise UsageError(f"{', '.join(map(str, places))}: no result files (*.json) in there")
    return [Entry(student, newest[student, lab][2]) for student, lab in sorted(newest)]


def class_report(entries: list[Entry]) -> Report:
    """Scores, their distribution, the cases that most lose, and what went wrong most."""
    labs = sorted({entry.result["lab"] for entry in entries})
    blocks: list[Block] = [
        Heading(1, "FlashLab class report", "top"),
        _overview(entries, labs),
        Figures(tuple(figure for figure in _distributions(entries, labs) if figure)),
        Heading(2, "Points", "points"),
        _grades(entries, labs),
    ]
    for lab in labs:
        blocks += _lab([entry.result for entry in entries if entry.result["lab"] == lab], lab)
    return Report("FlashLab class report", tuple(blocks))


def _percent(result: Result) -> float:
    return 100 * result["score"] / result["max_score"] if result["max_score"] else 0.0


def _overview(entries: list[Entry], labs: list[str]) -> Table:
    rows = []
    for lab in labs:
        shares = [_percent(entry.result) for entry in entries if entry.result["lab"] == lab]
        rows.append(
            (
                lab,
                str(len(shares)),
                f"{statistics.median(shares):.0f} %",
                f"{min(shares):.0f} %",
                f"{sum(share >= 99.95 for share in shares)}",
                f"{sum(share < 50 for share in shares)}",
            )
        )
    head = ("lab", "results>", "median>", "lowest>", "all points>", "below half>")
    return Table("Labs", head, tuple(rows), "graded", tuple(labs))


def _distributions(entries: list[Entry], labs: list[str]) -> list[Figure | None]:
    shares = {
        lab: [_percent(entry.result) for entry in entries if entry.result["lab"] == lab]
        for lab in labs
    }
    points = Chart(
        "class-points",
        "Share of the points, by lab",
        "graded",
        "Each mark is a student; those within five percent of each other stand above each other. The dash is the"
        " median.",
        Axis("share of the points", Unit.PERCENT),
        Axis("lab", names=tuple(short(lab) for lab in labs)),
        _strips(shares, BIN),
    )
    return [points, _speeds(entries, labs)]


def _strips(values: dict[str, list[float]], width: float) -> tuple[Series, ...]:
    """A row of marks for each name: one for each value, those of one bin above each other, and the median."""
    marks: list[Point] = []
    medians: list[Point] = []
    for row, of_row in enumerate(values.values()):
        stacked: Counter[int] = Counter()
        most = max(Counter(round(value / width) for value in of_row).values(), default=1)
        step = min(0.12, 0.4 / most)
        for value in sorted(of_row):
            at = round(value / width)
            marks.append((value, row - step * stacked[at]))
            stacked[at] += 1
        medians.append((statistics.median(of_row), row + 0.16))
    return (
        Series("a student", Kind.SCATTERED, tuple(marks)),
        Series("median", Kind.LIMIT, tuple(medians)),
    )


def _speeds(entries: list[Entry], labs: list[str]) -> Chart | None:
    """Times as parts of the staff's, where results have them."""
    ratios: dict[str, list[float]] = {}
    bases = set()
    for lab in labs:
        for result in (entry.result for entry in entries if entry.result["lab"] == lab):
            speeds = [case["speed"] for case in result["cases"] if case.get("speed")]
            speeds = [speed for speed in speeds if speed.get("ratio")]
            bases |= {f"{speed['how']} for {speed['gpu']}" for speed in speeds}
            if speeds:
                ratios.setdefault(lab, []).append(max(speed["ratio"] for speed in speeds))
    if not ratios:
        return None
    return Chart(
        "class-speed",
        "Time against the staff's, by lab",
        ", ".join(sorted(bases)),
        "The slowest speed case of each student with a right kernel: 1 is as fast as the staff's kernel, 2 takes"
        " twice its time.",
        Axis("time / staff's time", Unit.TIMES, base=2),
        Axis("lab", names=tuple(short(lab) for lab in ratios)),
        _strips(ratios, 0.1),
    )


def _grades(entries: list[Entry], labs: list[str]) -> Table:
    scores: dict[str, dict[str, Result]] = {}
    for entry in entries:
        scores.setdefault(entry.student, {})[entry.result["lab"]] = entry.result
    rows = []
    for student, by_lab in sorted(scores.items()):
        cells = [f"{by_lab[lab]['score']:g}" if lab in by_lab else "–" for lab in labs]
        total = sum(result["score"] for result in by_lab.values())
        rows.append((student, *cells, f"{total:g}"))
    head = ("student", *(f"{short(lab)}>" for lab in labs), "sum>")
    return Table("Points of every student", head, tuple(rows), "graded")


def _lab(results: list[Result], lab: str) -> list[Block]:
    blocks: list[Block] = [Heading(2, f"{lab}: {results[0]['title']}", lab)]
    lost: Counter[str] = Counter()
    for result in results:
        lost.update(
            case["name"] for case in result["cases"] if case["status"] in ("failed", "error")
        )
    if not lost:
        blocks.append(Text(f"No case of {lab} was lost by anyone."))
        return blocks
    hardest = sorted(lost.items(), key=lambda item: (-item[1], item[0]))[:HARDEST]
    blocks.append(
        Figures(
            (
                Bars(
                    f"hardest-{lab}",
                    f"Cases of {short(lab)} that most lost",
                    "graded",
                    f"How many of {len(results)} results failed the case; cases that nobody failed, and those skipped"
                    " because an earlier one failed, are left out.",
                    Axis("results that failed it"),
                    tuple(name for name, _ in hardest),
                    (("failed", tuple(float(count) for _, count in hardest)),),
                    tuple(str(count) for _, count in hardest),
                ),
            )
        )
    )
    causes = _causes(results)
    if causes:
        head = ("cause", "results>", "what the grader said, once")
        blocks.append(Table(f"Causes in {short(lab)}", head, causes, "graded"))
    return blocks


def _causes(results: list[Result]) -> tuple[tuple[str, ...], ...]:
    """Diagnosed causes by the number of results that have them, with one message each."""
    counts: Counter[str] = Counter()
    words: dict[str, str] = {}
    for result in results:
        found = [case["diagnosis"] for case in result["cases"] if case.get("diagnosis")]
        for diagnosis in found:
            words.setdefault(diagnosis["cause"], diagnosis.get("text", ""))
        counts.update({diagnosis["cause"] for diagnosis in found})
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((cause, str(count), words[cause]) for cause, count in ranked)
