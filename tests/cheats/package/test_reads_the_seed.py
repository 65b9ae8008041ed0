"""A submission that looks for the seed and the hidden cases of the class that a package brings. The rules refuse it for
using files; here it runs nevertheless, on each rung of the sandbox that packages take.
"""

from pathlib import Path

import pytest
from corpus_build import LAYOUT
from flashlab import build as building
from flashlab.build import Submission
from flashlab.device import Device, choose
from flashlab.errors import SubmissionError
from flashlab.judge import Request, run_judge
from flashlab.labs import find
from flashlab.sandbox import Box, Limits, Sandbox, run_quietly
from flashlab.toolchain import find_compiler
from make_submissions import flat

SOURCE = Path(__file__).parent / "reads_the_seed.cu"
SEED = 8675309
BEST = Sandbox.find(Box(Limits(cpu_seconds=5)))
RUNGS = {
    "best": BEST,
    "landlock": Sandbox("landlock", drops_user=False),
    "limits": Sandbox("limits", drops_user=False),
}


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """The program, and the folder of the class that it looks for."""
    lab = tmp_path / "labs/lab1_naive/lab.toml"
    lab.parent.mkdir(parents=True)
    lab.write_text('[[case]]\nname = "hidden"\n')
    (tmp_path / "class.toml").write_text(f"seed = {SEED}\n")
    text = flat(SOURCE).replace("@COURSE@", str(tmp_path))
    return Submission(SOURCE, SOURCE.name, text.encode())


def test_the_rules_refuse_it(submission: Submission) -> None:
    with pytest.raises(SubmissionError, match="a submission uses no files"):
        building.build(LAYOUT, find_compiler(LAYOUT), submission)


@pytest.mark.parametrize(("rung", "found"), [("best", 0), ("landlock", 0), ("limits", 3)])
def test_it_finds_nothing_where_packages_grade(
    submission: Submission, monkeypatch: pytest.MonkeyPatch, rung: str, found: int
) -> None:
    """With limits alone it finds all three: that is why `package run` does not grade there."""
    box = Box(Limits(cpu_seconds=5))
    if run_quietly([*RUNGS[rung].launcher(box), "true"], timeout=10) != 0:
        pytest.skip(f"this machine has no {rung}")
    monkeypatch.setattr(building, "RULES", ())  # part of the key of what is built
    for check in ("check_includes", "check_assembly", "check_library"):
        monkeypatch.setattr(building, check, lambda *words: None)
    library = building.build(LAYOUT, find_compiler(LAYOUT), submission)
    monkeypatch.setattr(Sandbox, "find", staticmethod(lambda box: RUNGS[rung]))
    device = choose(LAYOUT, Device.VGPU)
    request = Request(find(LAYOUT, "lab1"), library, device, "forward_n64_d64", SEED)
    (case,) = run_judge(LAYOUT, request, lambda event: None).document["cases"]
    assert case["status"] == "failed"
    printed = case.get("output", "")
    seen = [f"seed = {SEED}", "[[case]]", f"FLASHLAB_SEED={SEED}"]
    assert sum(f"found: {word}" in printed for word in seen) == found, printed
