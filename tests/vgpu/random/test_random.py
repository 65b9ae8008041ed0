"""Random kernels give on the virtual GPU what they gave on a real one, and with any optimisation.

`tools/random_kernels.py check` runs all that are recorded; here is every twelfth program.
"""

import json

import pytest
import random_kernels

STEP = 12  # of 48 recorded programs
ELSEWHERE = 90_000  # kernels that nobody recorded


def recorded_programs() -> list[dict]:
    if not random_kernels.RECORD.exists():
        return []
    return json.loads(random_kernels.RECORD.read_text(encoding="utf-8"))["programs"]


PROGRAMS = recorded_programs()


def test_the_record_holds_enough_kernels():
    kernels = [name for program in PROGRAMS for name in program["kernels"]]
    assert len(set(kernels)) == len(kernels) >= 2000
    hashes = [
        hash_ for program in PROGRAMS for both in program["kernels"].values() for hash_ in both
    ]
    assert len(set(hashes)) > 0.99 * len(hashes), "the hashes say nothing about the kernels"
    changed = [name for program in PROGRAMS for name in program["without_ptxas_optimiser"]]
    assert len(kernels) - len(changed) >= 2000, "too few kernels are compared with ptxas's default"


@pytest.mark.parametrize("program", PROGRAMS[::STEP], ids=lambda program: str(program["first"]))
def test_kernels_compute_what_a_gpu_computed(program, tmp_path):
    assert random_kernels.compared_with_record(tmp_path, program) == []


def test_optimisation_and_instruction_set_make_no_difference(tmp_path):
    assert random_kernels.disagreeing(tmp_path, ELSEWHERE, 30) == []
