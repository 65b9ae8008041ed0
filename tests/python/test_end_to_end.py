"""The real compiler, judge, worker and virtual GPU on the real labs."""

import shlex
from pathlib import Path

import pytest
from flashlab import cli, labs
from flashlab.layout import Layout
from flashlab.results import Store, load


class Scratch(Layout):
    """The real repository with results elsewhere."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def demo_results(self) -> Path:
        return self.folder / "demo"

    @property
    def report(self) -> Path:
        return self.folder / "report/index.html"


@pytest.fixture
def scratch(real_layout, tmp_path) -> Layout:
    layout = Scratch(real_layout.root)
    object.__setattr__(layout, "folder", tmp_path)
    return layout


def run(layout: Layout, *words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.run(layout, [str(word) for word in words])
    return int(ended.value.code or 0)


def latest(layout: Layout) -> dict:
    result = Store(layout.results).latest("lab1_naive")
    assert result is not None
    return result


def test_the_solution_gets_every_point(scratch):
    solution = labs.find(scratch, "lab1").solution(scratch)
    words = ("grade", "lab1", "--device", "vgpu", "--submission", solution)
    assert run(scratch, *words) == 0
    result = latest(scratch)
    assert result["score"] == result["max_score"] == 100
    assert {case["status"] for case in result["cases"]} == {"passed"}


def test_the_stub_gets_none_and_says_where_to_start(scratch, capsys):
    assert run(scratch, "grade", "lab1", "--device", "vgpu") == 0
    result = latest(scratch)
    assert (result["score"], result["max_score"]) == (0, 100)
    assert "passed" not in {case["status"] for case in result["cases"]}
    assert "lab1 is not implemented yet: handout 1, section 2" in capsys.readouterr().out


def test_the_command_in_a_result_repeats_it(scratch):
    solution = labs.find(scratch, "lab1").solution(scratch)
    words = ("grade", "lab1", "--device", "vgpu", "--submission", solution, "--case", "forward*")
    assert run(scratch, *words) == 0
    (first,) = scratch.results.glob("*/2*.json")
    before = load(first)
    assert run(scratch, *shlex.split(before["provenance"]["command"])[1:]) == 0
    after = load(next(path for path in scratch.results.glob("*/2*.json") if path != first))
    assert [case["error"] for case in before["cases"]] == [case["error"] for case in after["cases"]]


def test_demo_draws_every_figure(scratch):
    assert run(scratch, "demo") == 0
    page = scratch.report.read_text()
    for name in ("memory", "traffic", "sectors", "error"):
        assert f'id="lab1_naive-{name}-title"' in page
    measured = ("memory", "traffic", "error", "time-h200", "speedup-h200", "roofline-h200")
    for name in (*measured, "limiter-h200", "tile-traffic-lab4_flash_attention2"):
        assert f'id="{name}-title"' in page
    for lab in (1, 3, 4, 5):
        assert f"Source of solutions/lab{lab}_" in page
    assert 'class="note"' not in page, "nothing is missing in a demo"
