"""What an H200 said of the hostile programs (tools/record_cheats.py), held to the manifest."""

import copy
import json
from typing import Any

import pytest
from hostile_programs import LAYOUT, Program, read_manifest

DOCUMENT: dict[str, Any] = json.loads(
    (LAYOUT.root / "handouts/data/hostile_h200.json").read_text(encoding="utf-8")
)
PROGRAMS = read_manifest()


def complaint(program: Program, verdict: dict[str, Any]) -> str:
    """What is wrong about a recorded verdict; empty when nothing is."""
    if program.refused is not None:
        right = program.refused in verdict.get("refused", "")
    elif program.honest or program.unseen_on_gpu:
        right = verdict.get("status") == "passed" and verdict["points"] == verdict["max_points"]
    else:
        right = verdict.get("points") == 0 and program.says in verdict["message"]
    return "" if right else f"{program.file}: {verdict}"


def test_the_record_holds_every_program() -> None:
    assert "H200" in DOCUMENT["provenance"]["device"]
    assert list(DOCUMENT["verdicts"]) == [program.name for program in PROGRAMS]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_verdict_on_a_gpu(program: Program) -> None:
    assert complaint(program, DOCUMENT["verdicts"][program.name]) == ""


def test_other_verdicts_would_be_noticed() -> None:
    for program in PROGRAMS:
        verdict = copy.deepcopy(DOCUMENT["verdicts"][program.name])
        other = (
            {"refused": "nothing"}
            if "refused" not in verdict
            else {"status": "passed", "points": 4}
        )
        assert complaint(program, other | {"max_points": 4, "message": ""}), program.file
