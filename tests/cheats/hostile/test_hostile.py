"""Every hostile program gets the verdict of the manifest, through the same builder, sandbox and judge as a student's,
and the honest ones that resemble them keep their points. What is refused before it runs is also run: the judge must not
need the refusal.
"""

import dataclasses
import json
import re
from typing import Any

import pytest
from flashlab import build as building
from flashlab.device import Device, choose
from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import Lab
from flashlab.sandbox import level_here
from flashlab.toolchain import find_compiler
from hostile_programs import FOLDER, LAB, LAYOUT, Program, judge, read_manifest, submission

COMPILE_SECONDS = 20  # enough for an honest program on a busy machine
PROGRAMS = read_manifest()
BY_NAME = {program.name: program for program in PROGRAMS}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The lab with a quarter of the memory: to touch all of it takes some machines longer than a case may last."""
    text, count = re.subn(
        r"(?m)^((?:device_)?memory_bytes) = (\d+)",
        lambda limit: f"{limit[1]} = {int(limit[2]) // 4}",
        LAB.config.read_text(encoding="utf-8"),
    )
    assert count == 2
    config = tmp_path_factory.mktemp("lab") / "lab.toml"
    config.write_text(text, encoding="utf-8")
    return dataclasses.replace(LAB, config=config)


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
def test_verdict(name: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
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
    case = judge(library, choose(LAYOUT, Device.VGPU), lab)
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
        case = judge(library, choose(LAYOUT, Device.VGPU))
    except (SubmissionError, UsageError) as error:  # it cannot even be loaded
        assert program.unguarded in str(error)
        return
    said = f"{case['status']}: {case['message']}"
    assert program.unguarded in case["message"], said
    text = (FOLDER / program.file).read_text(encoding="utf-8")
    if program.unguarded or "return zeros(" in text:
        assert (case["status"], case["points"]) == ("failed", 0), said
    check_output(program, case)
