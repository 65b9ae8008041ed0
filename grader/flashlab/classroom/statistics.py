"""What the results of a class say: figures per lab and case, and the commonest mistakes."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from flashlab.classroom.gradebook import Entry, Gradebook, State
from flashlab.classroom.store import ClassStore
from flashlab.exports.text import safe_cell
from flashlab.results import Result

COMMONEST = 10
SLOWEST = 10


@dataclass(frozen=True)
class LabFigures:
    """A lab in figures: how many students are in which state, and the points of those who have some."""

    short: str
    title: str
    states: dict[str, int]
    scores: tuple[float, ...]
    max_score: float

    @property
    def median(self) -> float | None:
        """Of the points."""
        return statistics.median(self.scores) if self.scores else None

    @property
    def mean(self) -> float | None:
        """Of the points."""
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def complete(self) -> int:
        """Students with all points."""
        return sum(score >= self.max_score for score in self.scores)


@dataclass(frozen=True)
class CaseFigures:
    """A case in figures: submissions that reached it, that passed, and the median seconds that it took."""

    lab: str
    name: str
    group: str
    hidden: bool
    graded: int
    passed: int
    skipped: int
    seconds: float


@dataclass(frozen=True)
class Mistake:
    """A cause that the judge named, how many students of a lab ran into it, and the message of one of them."""

    lab: str
    cause: str
    students: int
    example: str


@dataclass(frozen=True)
class Flaky:
    """A case with different verdicts for one and the same submission under different seeds, graders or devices."""

    lab: str
    case: str
    submissions: int
    runs: int


@dataclass(frozen=True)
class Point:
    """A submission that passed a case: the memory that it needed and how long the call took, modelled where known."""

    seconds: float
    peak_bytes: float


def lab_figures(book: Gradebook) -> list[LabFigures]:
    """One row per lab, in their order."""
    rows = []
    for item in book.course.labs:
        entries = [labs[item.lab.name] for _, labs in book.rows]
        states = Counter(str(entry.state) for entry in entries)
        scores = tuple(entry.score for entry in entries if entry.score is not None)
        counts = {str(state): states[str(state)] for state in State}
        rows.append(LabFigures(item.lab.short, item.lab.title, counts, scores, item.lab.points))
    return rows


def case_figures(book: Gradebook) -> list[CaseFigures]:
    """One row per case of each lab, in the order of the labs and of the cases in them."""
    rows = []
    for item in book.course.labs:
        cases: dict[str, list[dict]] = {}
        for result in _judged(book, item.lab.name):
            for case in result["cases"]:
                cases.setdefault(case["name"], []).append(case)
        for name, seen in cases.items():
            status = Counter(case["status"] for case in seen)
            seconds = [case.get("seconds", 0.0) for case in seen if case["status"] != "skipped"]
            rows.append(
                CaseFigures(
                    item.lab.short,
                    name,
                    seen[0].get("group", ""),
                    bool(seen[0].get("hidden")),
                    len(seen),
                    status["passed"],
                    status["skipped"],
                    statistics.median(seconds) if seconds else 0.0,
                )
            )
    return rows


def slowest(cases: Iterable[CaseFigures]) -> list[CaseFigures]:
    """Those that cost the grader most."""
    return sorted(cases, key=lambda case: (-case.seconds, case.lab, case.name))[:SLOWEST]


def mistakes(book: Gradebook) -> list[Mistake]:
    """The commonest causes, each counted once per student and lab."""
    found: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for _, entries in book.rows:
        for lab, entry in entries.items():
            for cause, message in _causes(entry).items():
                found[lab, cause] += 1
                examples.setdefault((lab, cause), message)
    order = sorted(found, key=lambda key: (-found[key], key))[:COMMONEST]
    return [Mistake(_short(key[0]), key[1], found[key], examples[key]) for key in order]


def flaky_cases(store: ClassStore) -> list[Flaky]:
    """Cases whose verdict differs between the kept results of a submission, the commonest first."""
    runs: dict[tuple[str, str], list[Result]] = {}
    for lab, sha256, key in store.all_results():
        runs.setdefault((lab, sha256), []).append(store.result(key))
    found: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for (lab, _), results in runs.items():
        verdicts: dict[str, set[str]] = {}
        for result in results:
            for case in result["cases"]:
                verdicts.setdefault(case["name"], set()).add(case["status"])
        for name, statuses in verdicts.items():
            if len(statuses - {"skipped"}) > 1:
                found[lab, name] += 1
                counts[lab, name] += len(results)
    order = sorted(found, key=lambda key: (-found[key], key))
    return [Flaky(_short(key[0]), key[1], found[key], counts[key]) for key in order]


def memory_against_time(book: Gradebook, lab: str) -> tuple[str, list[Point]]:
    """The case of a lab whose memory says most, the one with the largest peak, and its point for each submission."""
    peaks: Counter[str] = Counter()
    points: dict[str, list[Point]] = {}
    for result in _judged(book, lab):
        for case in result["cases"]:
            meters = case.get("meters", {})
            peak = meters.get("peak_device_bytes")
            seconds = (case.get("speed") or {}).get("seconds") or meters.get("host_seconds")
            if case["status"] == "passed" and peak and seconds:
                points.setdefault(case["name"], []).append(Point(seconds, peak))
                peaks[case["name"]] = max(peaks[case["name"]], peak)
    if not peaks:
        return "", []
    name = max(sorted(peaks), key=lambda case: peaks[case])
    return name, points[name]


def _short(lab: str) -> str:
    return lab.partition("_")[0]


def _judged(book: Gradebook, lab: str) -> list[Result]:
    """Results of submissions that could be run."""
    entries = (labs[lab] for _, labs in book.rows)
    return [entry.result for entry in entries if entry.result and entry.state is State.GRADED]


def _causes(entry: Entry) -> dict[str, str]:
    """The causes in a result with a message each; what has no named cause counts by the first line of its message."""
    causes: dict[str, str] = {}
    for case in entry.result["cases"] if entry.result else ():
        if case["status"] != "failed":
            continue
        line = case["message"].partition("\n")[0]
        named = (case.get("diagnosis") or {}).get("cause")
        if named is None:
            named = "does not build" if case["name"] == "build" else case.get("group", "other")
        causes.setdefault(safe_cell(named), safe_cell(line))
    return causes
