"""Records on a real GPU how steady and how sharp the points for speed are, and what timing cheats get.

    PYTHONPATH=grader:tests/cheats/timing python3 tools/record_timing.py OUTPUT.json [--part cheats|runs] [--runs 20]

cheats  every submission of tests/cheats/timing is graded once
runs    the staff's kernel of lab 4, and one that is 15 % slower, are graded in turn, `runs` times

The other part of an OUTPUT.json that is there stays. The file is written again after each step, so that a run that is
cut off leaves what it has. grader/judge/measure/README.md shows the results, and tests/cheats/timing holds them to what
they have to be.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from flashlab.device import Chosen, Device, choose
from flashlab.grade import build_baseline
from flashlab.judge import Request, run_judge
from record_gpu import LAYOUT, compact_json, provenance
from timing_cheats import HERE, LAB, build, complaints, submissions

KEPT = ("name", "status", "points", "max_points")
KEPT_OF_SPEED = ("ratio", "low", "high", "seconds", "staff_seconds", "flags", "remeasured")


def graded(source: Path, device: Chosen, case: str) -> list[dict[str, Any]]:
    """The cases of one grading, in short."""
    baseline = build_baseline(LAYOUT, LAB) if device.kind is Device.CUDA else None
    request = Request(LAB, build(source), device, case, baseline=baseline)
    return run_judge(LAYOUT, request, lambda event: None).document["cases"]


def shortened(case: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a case: all but the samples."""
    speed = case.get("speed", {})
    kept = {key: case[key] for key in KEPT}
    kept |= {key: speed[key] for key in KEPT_OF_SPEED if key in speed}
    if case["message"] and not speed:
        kept["message"] = case["message"].replace("\n", " ")[:200]
    samples = speed.get("samples", {})
    if samples:
        kept["sm_mhz"] = samples["clocks"]["sm_mhz"]
        kept["throttle_reasons"] = samples["clocks"]["throttle_reasons"]
        kept["overhead_s"] = samples["overhead_s"]
        kept["alone_s"] = sorted(samples["baseline"]["alone_s"])[
            len(samples["baseline"]["alone_s"]) // 2
        ]
        kept["events_s"] = sorted(samples["events_s"])[len(samples["events_s"]) // 2]
    return kept


def main() -> int:
    """Runs all steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--part", choices=("cheats", "runs"))
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    device = choose(LAYOUT, Device.CUDA)
    document: dict[str, Any] = {}
    if options.output.exists():
        document = json.loads(options.output.read_text(encoding="utf-8"))
    document |= {**provenance(), "command": "tools/record_timing.py", "lab": LAB.short}
    if options.part != "runs":
        record_cheats(document, device, options.output)
    if options.part != "cheats":
        record_runs(document, device, options.output, options.runs)
    return 0


def save(document: dict[str, Any], output: Path) -> None:
    """Writes what there is so far."""
    output.write_text(compact_json(document), encoding="utf-8")


def record_cheats(document: dict[str, Any], device: Chosen, output: Path) -> None:
    """What each submission of the manifest gets."""
    document["cheats"] = {}
    for submission in submissions():
        cases = graded(submission.source, device, "speed_*")
        document["cheats"][submission.source.stem] = [shortened(case) for case in cases]
        wrong = complaints(submission, cases, cases[0].get("speed", {}).get("none", 3))
        print(submission.source.stem, wrong or "as expected", flush=True)
        save(document, output)


def record_runs(document: dict[str, Any], device: Chosen, output: Path, runs: int) -> None:
    """The original and the slower kernel in turn."""
    document |= {"original": [], "slower": [], "samples": None}
    sources = {
        "original": LAB.solution(LAYOUT),
        "slower": HERE / "slower/fifteen_percent.cu",
    }
    for run in range(runs):
        for name, source in sources.items():
            cases = graded(source, device, "speed_*" if name == "original" else "speed_h*")
            document[name].append([shortened(case) for case in cases])
            document["samples"] = document["samples"] or cases[0].get("speed", {}).get("samples")
            told = [(case["points"], case.get("speed", {}).get("ratio")) for case in cases]
            print(run, name, told, flush=True)
        save(document, output)


if __name__ == "__main__":
    sys.exit(main())
