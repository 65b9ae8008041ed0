"""From what known kernels reach to the curve of a lab's speed points: `full` and `none` of [speed] in lab.toml.

The staff's solution has to have all points with a margin, and the lab's naive variant, which is right but ignores what
the lab is about, few. The kernels are the staff's and those of tests/corpus that compute the right result.
"""

import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flashlab.build import Submission, take_snapshot
from flashlab.calibrate import SEED, speed_cases
from flashlab.device import Chosen, Device
from flashlab.errors import SubmissionError, UsageError
from flashlab.grade import build_baseline, build_submission
from flashlab.judge import Request, run_judge
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.scratch import temporary_folder

ROUNDED_TO = 0.05  # ratios that people read
APART = 1.2  # a naive variant closer than this to `full` is not told from the staff's by any curve
CORPUS = Path("tests/corpus")
INCLUDE = re.compile(r'^#include "([\w.]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Curve:
    """[speed] of a lab.toml: all points up to the ratio `full`, none from `none`, rounded to `step`; a ratio smaller by
    the part `grey` counts as one that noise may have made.
    """

    full: float
    none: float
    step: float
    grey: float

    @staticmethod
    def of(lab: Lab) -> "Curve":
        """That of a lab with speed cases."""
        speed = tomllib.loads(lab.config.read_text(encoding="utf-8"))["speed"]
        return Curve(*(float(speed[key]) for key in ("full", "none", "step", "grey")))

    def points(self, most: float, ratio: float) -> float:
        """What the judge gives (grader/judge/measure/speed.cpp)."""
        part = math.log(self.none / ratio) / math.log(self.none / self.full)
        steps = most * min(1.0, max(0.0, part)) / self.step
        return min(most, self.step * math.floor(steps + 0.5))


@dataclass(frozen=True)
class Reference:
    """A kernel that is known to be right."""

    name: str
    submission: Submission
    is_staff: bool = False
    is_naive: bool = False


@dataclass(frozen=True)
class Reached:
    """What a reference reached in one speed case: its time over the staff's, with the bounds of a measured one, and the
    judge's points; or why there is none.
    """

    reference: Reference
    case: str
    most: float
    ratio: float = 0.0
    high: float = 0.0
    points: float = 0.0
    problem: str = ""


def references(layout: Layout, lab: Lab) -> Iterator[Reference]:
    """The staff's kernels, then those of the corpus, if it is there, that are honest or marked as naive."""
    solution = lab.solution(layout)
    for path in (solution, solution.parent / "tuned" / lab.source):
        if path.exists():
            name = "staff, tuned" if path != solution else "staff"
            yield Reference(name, take_snapshot(layout, path), is_staff=path == solution)
    folder = layout.root / CORPUS / lab.short
    manifest = folder / "manifest.toml"
    if not manifest.exists():
        return
    for kernel in tomllib.loads(manifest.read_text(encoding="utf-8"))["kernel"]:
        naive = kernel.get("naive", False)
        if kernel["kind"] == "honest" or naive:
            yield Reference(
                Path(kernel["file"]).stem, _whole(layout, folder / kernel["file"]), is_naive=naive
            )


def _whole(layout: Layout, path: Path) -> Submission:
    """A kernel of the corpus with the files of its folder that it includes: a submission is one file."""
    snapshot = take_snapshot(layout, path)
    seen: set[str] = set()

    def insert(match: re.Match[str]) -> str:
        if match[1] in seen:
            return ""
        seen.add(match[1])
        text = (path.parent / match[1]).read_text(encoding="utf-8").replace("#pragma once\n", "")
        return INCLUDE.sub(insert, text)

    return replace(snapshot, data=INCLUDE.sub(insert, snapshot.data.decode()).encode())


def reach(
    layout: Layout, lab: Lab, config_text: str, device: Chosen, reference: Reference
) -> Iterator[Reached]:
    """Has the judge grade the speed cases for one kernel, with `config_text` as the lab's lab.toml."""
    try:
        _, library = build_submission(layout, reference.submission)
    except SubmissionError as error:
        for case in speed_cases(lab):
            yield Reached(reference, case["name"], case["points"], problem=str(error))
        return
    baseline = build_baseline(layout, lab) if device.kind is Device.CUDA else None
    with temporary_folder() as folder:
        config = folder / "lab.toml"
        config.write_text(config_text, encoding="utf-8")
        for case in speed_cases(lab):
            judged = replace(lab, config=config)
            request = Request(judged, library, device, case["name"], SEED, baseline)
            (result,) = run_judge(layout, request, lambda event: None).document["cases"]
            yield _reached(reference, result, case["points"])


def _reached(reference: Reference, case: dict[str, Any], most: float) -> Reached:
    speed = case.get("speed")
    if not speed:
        return Reached(reference, case["name"], most, problem=case["message"].partition("\n")[0])
    ratio, high = speed["ratio"], speed["high"]
    return Reached(reference, case["name"], most, ratio, high, case["points"])


def propose(curve: Curve, reached: list[Reached], naive_share: float) -> tuple[Curve, list[str]]:
    """The curve with which the staff's solution has all points and the naive variant at most the part `naive_share` of
    those of any case, and why it is as it is, a line for each end.
    """
    staff = [each for each in reached if each.reference.is_staff]
    for each in staff:
        if each.problem:
            raise UsageError(f"the staff's solution fails {each.case}: {each.problem}")
    slowest = max(staff, key=lambda each: each.high)
    full = _up(slowest.high * (1 + curve.grey))
    why = [
        f"full = {full:g}: the staff's solution reaches {slowest.high:.3f} in {slowest.case};"
        f" {curve.grey:.0%} above it, for noise"
    ]
    naive = [each for each in reached if each.reference.is_naive and not each.problem]
    if not naive:
        why.append(f"none stays: no kernel in {CORPUS} is marked as naive")
        return replace(curve, full=full), why
    told = [each for each in naive if each.ratio >= APART * full]
    why += [
        f"{each.reference.name}, the naive variant, reaches {each.ratio:.3f} in {each.case}:"
        " no curve tells it from the staff's there"
        for each in naive
        if each not in told
    ]
    if not told:
        return replace(curve, full=full), [*why, "none stays"]
    fastest = min(told, key=lambda each: each.ratio)
    # naive_share = log(none / ratio) / log(none / full), solved for none.
    none = (fastest.ratio / full**naive_share) ** (1 / (1 - naive_share))
    none = math.floor(none / ROUNDED_TO) * ROUNDED_TO
    why.append(
        f"none = {none:g}: {fastest.reference.name}, the naive variant, reaches {fastest.ratio:.3f}"
        f" in {fastest.case} and gets {naive_share:.0%} of its points at most"
    )
    return replace(curve, full=full, none=round(none, 2)), why


def _up(ratio: float) -> float:
    # staff_seconds has four digits, so a ratio of 1 may come out as 1.0001.
    return round(math.ceil(ratio / ROUNDED_TO - 0.01) * ROUNDED_TO, 2)


def with_curve(text: str, curve: Curve) -> str:
    """The text of a lab.toml with `full` and `none` of its [speed] replaced; all else stays as it is."""
    head, table, rest = text.partition("\n[speed]\n")
    body, bracket, tail = rest.partition("\n[")
    for key, value in (("full", curve.full), ("none", curve.none)):
        body, found = re.subn(
            rf"^{key} = \S+", f"{key} = {value!r}", body, count=1, flags=re.MULTILINE
        )
        if not found:
            raise UsageError(f"lab.toml has no line `{key} = ...` under [speed]")
    return "".join((head, table, body, bracket, tail))
