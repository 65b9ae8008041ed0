"""Every hostile program gets the verdict of the manifest, through the same builder, sandbox and judge as a student's,
and the honest ones that resemble them keep their points. What is refused before it runs is also run: the judge must not
need the refusal.
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus_build import LAYOUT
from flashlab import build as building
from flashlab.build import Submission
from flashlab.device import Device, choose
from flashlab.errors import SubmissionError, UsageError
from flashlab.judge import Request, run_judge
from flashlab.labs import find
from flashlab.sandbox import level_here
from flashlab.toolchain import find_compiler

FOLDER = Path(__file__).resolve().parent
CASE, SEED = "forward_n130_d64", 3
COMPILE_SECONDS = 20  # enough for an honest program on a busy machine
INCLUDE = '#include "kernel.cuh"\n'


@dataclass(frozen=True)
class Program:
    """One entry of the manifest."""

    file: str
    class_: str
    refused: str | None = None
    unguarded: str | None = None
    says: str | None = None
    output: str = ""
    output_without: tuple[str, ...] = ()
    most_output: int | None = None

    @property
    def honest(self) -> bool:
        return self.class_ == "honest"


def read_manifest() -> list[Program]:
    entries = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))["program"]
    return [
        Program(**{("class_" if k == "class" else k): v for k, v in e.items()}) for e in entries
    ]


PROGRAMS = read_manifest()
BY_NAME = {Path(program.file).stem: program for program in PROGRAMS}


def submission(program: Program) -> Submission:
    """The program as one file, as a student would hand it in."""
    text = (FOLDER / program.file).read_text(encoding="utf-8")
    assert INCLUDE in text
    shared = (FOLDER / "kernel.cuh").read_text(encoding="utf-8")
    text = text.replace(INCLUDE, shared).replace("@ROOT@", str(LAYOUT.root))
    return Submission(FOLDER / program.file, f"hostile/{program.file}", text.encode())


def judge(library: Path) -> dict[str, Any]:
    request = Request(find(LAYOUT, "lab1"), library, choose(LAYOUT, Device.VGPU), CASE, SEED)
    document = run_judge(LAYOUT, request, lambda event: None).document
    (case,) = document["cases"]
    assert document["score"] == case["points"]
    return case


def check_output(program: Program, case: dict[str, Any]) -> None:
    printed = case.get("output", "")
    assert program.output in printed
    if not level_here().startswith("limits"):  # limits alone hide nothing
        assert [word for word in program.output_without if word in printed] == []
    assert program.most_output is None or len(printed) <= program.most_output
    json.dumps(case, allow_nan=False)


def test_the_manifest_lists_every_program() -> None:
    assert [program.file for program in PROGRAMS] == sorted(
        {program.file for program in PROGRAMS}, key=[p.file for p in PROGRAMS].index
    )
    assert set(BY_NAME) == {path.stem for path in FOLDER.glob("*.cu")}
    for program in PROGRAMS:
        assert program.honest == program.file.startswith("honest_")
        assert program.honest == (program.refused is None and program.says is None), program.file
        assert program.unguarded is None or program.refused is not None, program.file


@pytest.mark.parametrize("name", BY_NAME)
def test_verdict(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = BY_NAME[name]
    monkeypatch.setattr(building, "TIMEOUT_SECONDS", COMPILE_SECONDS)
    try:
        library = building.build(LAYOUT, find_compiler(LAYOUT), submission(program))
    except SubmissionError as error:
        assert program.refused is not None, f"{error}\n{error.details}"
        assert program.refused in f"{error}\n{error.details}"
        assert len(str(error)) < 300
        assert str(error).startswith(f"hostile/{program.file} ")
        return
    assert program.refused is None, "it was accepted"
    case = judge(library)
    said = f"{case['status']}: {case['message']}"
    if program.says is None:
        assert (case["status"], case["points"]) == ("passed", case["max_points"]), said
    else:
        assert (case["status"], case["points"]) == ("failed", 0), said
        assert program.says in case["message"], said
    check_output(program, case)


@pytest.mark.parametrize("name", [name for name, p in BY_NAME.items() if p.unguarded is not None])
def test_verdict_without_the_rules(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = BY_NAME[name]
    monkeypatch.setattr(building, "RULES", ())  # part of the key of what is built
    for check in ("check_includes", "check_assembly", "check_library"):
        monkeypatch.setattr(building, check, lambda *words: None)
    library = building.build(LAYOUT, find_compiler(LAYOUT), submission(program))
    try:
        case = judge(library)
    except (SubmissionError, UsageError) as error:  # it cannot even be loaded
        assert program.unguarded in str(error)
        return
    said = f"{case['status']}: {case['message']}"
    assert program.unguarded in case["message"], said
    text = (FOLDER / program.file).read_text(encoding="utf-8")
    if program.unguarded or "return zeros(" in text:
        assert (case["status"], case["points"]) == ("failed", 0), said
    check_output(program, case)
