"""Writes the staff's modelled times into a lab.toml: what the times of submissions are compared with."""

import re
import tomllib
from pathlib import Path
from typing import Any

from flashlab.build import take_snapshot
from flashlab.device import Device, choose
from flashlab.errors import UsageError
from flashlab.grade import build_submission
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.measure import measure
from flashlab.results import write_atomically

SEED = 1  # of the inputs; counts of kernels that skip work may depend on them a little
CASE = re.compile(r"^\[\[case\]\]$", re.MULTILINE)
STAFF_SECONDS = re.compile(r"^staff_seconds = (\S+)", re.MULTILINE)


def speed_cases(lab: Lab) -> list[dict[str, Any]]:
    """The cases of a lab that grade speed, as its lab.toml has them."""
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    return [case for case in settings["case"] if case.get("speed")]


def staff_times(layout: Layout, lab: Lab) -> dict[str, float]:
    """The modelled time of the staff's solution for each speed case of a lab, in seconds."""
    solution = lab.solution(layout)
    if not solution.exists():
        raise UsageError(f"{lab.short}: no solution in {layout.shown(solution.parent)}")
    cases = speed_cases(lab)
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    profile = settings["speed"]["profile"] if cases else ""
    _, library = build_submission(layout, take_snapshot(layout, solution))
    shapes = [{**case["shape"], "entry": case.get("entry")} for case in cases]
    device = choose(layout, Device.VGPU)
    records = measure(layout, lab, library, device, shapes, (profile,), SEED) if shapes else ()
    times = {}
    for case, record in zip(cases, records, strict=True):
        if record["status"] != "ok":
            raise UsageError(f"{lab.short}, {case['name']}: {record['message']}")
        times[case["name"]] = record["modelled"][profile]["seconds"]
    return times


def with_staff_times(text: str, times: dict[str, float]) -> str:
    """The text of a lab.toml with `staff_seconds` of the cases in `times` replaced; all else stays as it is."""
    head, *cases = CASE.split(text)
    written = set()
    for index, case in enumerate(cases):
        name = re.search(r'^name = "(.+)"$', case, re.MULTILINE)
        if name is None or name[1] not in times:
            continue
        seconds = f"staff_seconds = {times[name[1]]:.4g}"
        cases[index], found = STAFF_SECONDS.subn(seconds, case, count=1)
        if found:
            written.add(name[1])
    if missing := sorted(set(times) - written):
        raise UsageError(f"no line staff_seconds in the cases {', '.join(missing)}")
    return "[[case]]".join([head, *cases])


def write_staff_times(lab: Lab, times: dict[str, float]) -> bool:
    """Writes `times` into the lab's lab.toml; whether that changed it."""
    path: Path = lab.config
    before = path.read_text(encoding="utf-8")
    after = with_staff_times(before, times)
    if after != before:
        write_atomically(path, after)
    return after != before
