"""What the results of a class say about its labs and cases."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from flashlab.classroom.gradebook import Gradebook, State
from flashlab.classroom.store import ClassStore
from flashlab.report.figure import Point
from flashlab.report.measurements import short
from flashlab.results import Result

SLOWEST = 10


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
class Flaky:
    """A case with different verdicts for one and the same submission under different seeds, graders or devices."""

    lab: str
    case: str
    submissions: int
    runs: int


def states(book: Gradebook) -> dict[str, dict[State, int]]:
    """How many students are in which state, by lab."""
    counts = {}
    for item in book.course.labs:
        found = Counter(labs[item.lab.name].state for _, labs in book.rows)
        counts[short(item.lab.name)] = {state: found[state] for state in State}
    return counts


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
                    short(item.lab.name),
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
    return [Flaky(*key, found[key], counts[key]) for key in order]


def memory_against_time(book: Gradebook, lab: str) -> tuple[str, list[Point]]:
    """The case of a lab whose memory says most, the one with the largest peak, and for each submission that passed it
    the seconds of the call, modelled where known, with the peak in bytes.
    """
    peaks: Counter[str] = Counter()
    points: dict[str, list[Point]] = {}
    for result in _judged(book, lab):
        for case in result["cases"]:
            meters = case.get("meters", {})
            peak = meters.get("peak_device_bytes")
            seconds = (case.get("speed") or {}).get("seconds") or meters.get("host_seconds")
            if case["status"] == "passed" and peak and seconds:
                points.setdefault(case["name"], []).append((seconds, peak))
                peaks[case["name"]] = max(peaks[case["name"]], peak)
    if not peaks:
        return "", []
    name = max(sorted(peaks), key=lambda case: peaks[case])
    return name, points[name]


def flags(result: Result) -> list[str]:
    """What a person should look at in a submission: its source, and times that are odd. It costs no points."""
    found = [f"line {flag['line']} {flag['why']}" for flag in result.get("flags", ())]
    for case in result["cases"]:
        odd = (case.get("speed") or {}).get("flags") or ()
        found += [f"{case['name']}: {flag}" for flag in odd]
    return found


def _judged(book: Gradebook, lab: str) -> list[Result]:
    """Results of submissions that could be run."""
    entries = (labs[lab] for _, labs in book.rows)
    return [entry.result for entry in entries if entry.result and entry.state is State.GRADED]
