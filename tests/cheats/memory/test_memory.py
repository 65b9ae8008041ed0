"""A matrix of scores costs the points for memory wherever it is hidden, and what only resembles one does not."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus_build import LAYOUT, build
from corpus_manifest import SEED
from flashlab.device import Device, choose
from flashlab.judge import Request, run_judge
from flashlab.labs import Lab, discover, find

FOLDER = Path(__file__).resolve().parent
SCRATCH_METERS = ("workspace_bytes", "unmetered_bytes", "local_bytes")


@dataclass(frozen=True)
class Program:
    """One entry of the manifest."""

    file: str
    lab: str
    about: str
    fails: tuple[str, ...] = ()
    says: str = ""


MANIFEST = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))["program"]
PROGRAMS = [Program(**{**entry, "fails": tuple(entry.get("fails", ()))}) for entry in MANIFEST]


def memory_cases(lab: Lab) -> list[dict[str, Any]]:
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    return [case for case in settings["case"] if case["group"] == "memory"]


def test_the_manifest_lists_every_program() -> None:
    listed = {program.file for program in PROGRAMS if "/" not in program.file}
    assert listed == {path.name for path in FOLDER.glob("*.cu")}
    for program in PROGRAMS:
        assert bool(program.fails) == bool(program.says), program.file
        assert bool(program.fails) != Path(program.file).name.startswith("honest"), program.file


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: Path(program.file).stem)
def test_verdict(program: Program) -> None:
    lab = find(LAYOUT, program.lab)
    library = build((FOLDER / program.file).resolve())
    request = Request(lab, library, choose(LAYOUT, Device.VGPU), "memory*", SEED)
    document = run_judge(LAYOUT, request, lambda event: None).document
    verdicts = {case["name"]: case for case in document["cases"]}
    assert list(verdicts) == [case["name"] for case in memory_cases(lab)]
    assert set(program.fails) <= set(verdicts)
    for name, case in verdicts.items():
        said = f"{program.file}, {name}: {case['status']}: {case['message']}"
        if name in program.fails:
            assert case["status"] in ("failed", "skipped"), said  # skipped: the result is wrong
            assert case["points"] == 0, said
            assert program.says in case["message"], said
        else:
            assert (case["status"], case["points"]) == ("passed", case["max_points"]), said


def bound(formula: str, shape: dict[str, Any]) -> float:
    """What a formula of lab.toml allows at a shape: grader/judge/formula.hpp."""
    names = {"B": shape.get("batch", 1), "H": shape.get("heads", 1), "d": shape["head_dim"]}
    names |= {"Nq": shape["seq_q"], "Nk": shape["seq_k"], "ceil": math.ceil}
    return float(eval(formula, {"__builtins__": {}}, names))


@pytest.mark.parametrize("lab", discover(LAYOUT), ids=lambda lab: lab.short)
def test_no_limit_on_memory_has_room_for_the_scores(lab: Lab) -> None:
    cases = memory_cases(lab)
    limited = {limit["meter"] for case in cases for limit in case["limits"]}
    # Lab 1 keeps its scores in the workspace, and the rows of lab 2 have none.
    expected = set(SCRATCH_METERS) - ({"local_bytes"} if lab.number < 3 else set())
    assert limited >= expected
    for case in cases:
        matrix = 4 * bound("B*H*Nq*Nk", case["shape"])
        for limit in case["limits"]:
            if limit["meter"] == "workspace_bytes" and lab.number == 1:
                continue
            assert bound(limit["at_most"], case["shape"]) < matrix, (case["name"], limit)
