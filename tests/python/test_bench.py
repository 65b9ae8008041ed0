"""`flashlab bench`: what is measured, what is kept, what people see."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from bench_fixtures import LAB4, make_bench
from flashlab.bench import series
from flashlab.bench.shapes import Entry, Shape, grid, numbers, preset_shapes
from flashlab.bench.tiles import combinations, with_tile
from flashlab.build import Submission
from flashlab.errors import UsageError

ATTENTION = Entry("lab4_flash_attention2", "attention_forward_lse")


@pytest.fixture
def bench(repository, monkeypatch):
    return make_bench(repository, monkeypatch)


def shapes_of(lines: list[dict]) -> list[tuple]:
    sizes = [line["record"]["shape"] for line in lines]
    return [(s["batch"], s["heads"], s["seq_q"], s["head_dim"], s["causal"]) for s in sizes]


def test_a_line_says_what_it_is_and_where_it_comes_from(bench, flashlab):
    answer = flashlab("bench", "lab4", "--n", "64", "--name", "mine", "--device", "vgpu")
    assert answer.code == 0, answer.err
    (line,) = bench.lines("mine")
    source = bench.root / f"labs/{LAB4}/flash_attention2.cu"
    assert line["series"] == {
        "lab": LAB4,
        "submission": f"labs/{LAB4}/flash_attention2.cu",
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "device": "vgpu",
        "tile": {},
    }
    assert line["record"]["entry"] == "lab4_flash_attention2"
    assert line["record"]["seed"] == line["provenance"]["seed"] == 1
    assert line["provenance"]["command"] == (
        "./flashlab bench lab4 --n 64 --device vgpu --name mine"
    )
    assert {"grader_version", "compiler", "flags", "host_cpu", "date"} <= line["provenance"].keys()


def test_seeds_repeats_the_shapes_of_the_source_material(bench, flashlab):
    assert flashlab("bench", "lab1", "--preset", "seeds", "--max-seconds", 0).code == 0
    measured = shapes_of(bench.lines("seeds"))
    for batch, seq in ((1, 256), (2, 512), (4, 1024), (1, 512), (2, 1024)):
        assert (batch, 1, seq, 64, False) in measured
    assert [seq for batch, _, seq, *_ in measured if batch == 1 and seq >= 1024] == [
        1024 << doubling for doubling in range(6)
    ]


def test_paper_keeps_tokens_and_width():
    shapes = preset_shapes("paper")
    assert {shape.batch * shape.seq for shape in shapes[:-1]} == {16384}
    assert {shape.heads * shape.head_dim for shape in shapes[:-1]} == {2048}
    assert shapes[-1] == Shape(64, 16, 1024, 64)
    assert len(shapes) == 2 * 2 * 6 + 1


def test_a_grid_of_sizes(bench, flashlab):
    words = ("--n", "64,128", "--d", "32,64", "--heads", "2", "--batch", "3", "--both")
    assert flashlab("bench", "lab4", *words).code == 0
    wanted = {(3, 2, n, d, mask) for n in (64, 128) for d in (32, 64) for mask in (False, True)}
    measured = shapes_of(bench.lines("sweep"))
    assert set(measured) == wanted
    assert len(measured) == len(wanted)


def test_labs_without_a_mask_get_no_masked_shapes(bench, flashlab):
    assert flashlab("bench", "--n", "64", "--both").code == 0
    labs = [line["series"]["lab"] for line in bench.lines("sweep")]
    assert sorted(labs) == ["lab1_naive", LAB4, LAB4]


def test_functions_of_lab_2_get_rows_and_parts():
    shape = Shape(2, 3, 100, 64)
    rows = Entry("lab2_row_softmax", "row_softmax").request(shape)
    assert (rows["seq_q"], rows["seq_k"], rows["head_dim"]) == (600, 100, 1)
    parts = Entry("lab2_merge_states", "merge_states").request(shape)
    assert (parts["seq_q"], parts["seq_k"], parts["head_dim"]) == (600, 2, 64)
    assert ATTENTION.request(shape)["seq_q"] == 100


def test_a_second_run_measures_nothing(bench, flashlab):
    flashlab("bench", "lab4")
    before = bench.path().read_bytes()
    assert len(bench.calls) == 4
    answer = flashlab("bench", "lab4")
    assert answer.code == 0
    assert bench.path().read_bytes() == before
    assert len(bench.calls) == 4
    assert answer.out.count("(kept)") == 4


def test_more_shapes_add_to_what_is_there(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64,128")
    before = bench.path("sweep").read_bytes()
    flashlab("bench", "lab4", "--n", "64,96,128")
    assert bench.path("sweep").read_bytes().startswith(before)
    assert len(bench.calls) == 3


@pytest.mark.parametrize("what", ["source", "grader", "tolerance", "model", "seed"])
def test_what_changes_a_record_makes_another_point(bench, flashlab, what):
    flashlab("bench", "lab4", "--n", "64")
    lab = bench.root / f"labs/{LAB4}"
    if what == "source":
        (lab / "flash_attention2.cu").write_text("// another\n")
    elif what == "grader":
        bench.repository.layout.worker.write_text("#!/bin/sh\n# newer\n")
    elif what == "tolerance":
        config = lab / "lab.toml"
        config.write_text(config.read_text().replace("absolute = 2e-5", "absolute = 3e-5"))
    elif what == "model":
        (bench.root / "grader/judge/gpus/t4.toml").write_text("clock = 2\n")
    flashlab("bench", "lab4", "--n", "64", *(("--seed", "2") if what == "seed" else ()))
    assert len(bench.lines("sweep")) == len(bench.calls) == 2


def test_points_and_titles_of_a_lab_change_no_record(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64")
    config = bench.root / f"labs/{LAB4}/lab.toml"
    config.write_text(config.read_text().replace("points = 2", "points = 1"))
    flashlab("bench", "lab4", "--n", "64")
    assert len(bench.calls) == 1


def test_solution_means_base_and_tuned(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64", "--solution")
    assert [line["series"]["submission"] for line in bench.lines("sweep")] == [
        f"solutions/{LAB4}/flash_attention2.cu",
        f"solutions/{LAB4}/tuned/flash_attention2.cu",
    ]


def test_every_tile_is_built_once_and_measured(bench, flashlab):
    answer = flashlab("bench", "lab4", "--n", "64,128", "--tile", "kBr=16,32", "--tile", "kBc=8")
    assert answer.code == 0, answer.err
    tiles = [line["series"]["tile"] for line in bench.lines("sweep")]
    assert tiles == [{"kBr": 16, "kBc": 8}] * 2 + [{"kBr": 32, "kBc": 8}] * 2
    built = list((bench.root / "build/cache").glob("*/submission.so"))
    assert len(built) == 2
    assert "kBr = 16;" in "".join(path.read_text() for path in built)
    assert len({call.split()[0] for call in bench.calls}) == 2


def test_a_tile_that_does_not_build_is_recorded_and_the_sweep_goes_on(bench, flashlab, monkeypatch):
    nvcc = bench.root.parent / "cuda/bin/nvcc"
    nvcc.write_text(nvcc.read_text().replace("SYNTAX_ERROR", "'kBr = 16;'"))
    built = []
    build = series.build
    monkeypatch.setattr(series, "build", lambda *given: (built.append(given), build(*given))[1])
    assert flashlab("bench", "lab4", "--n", "64,128", "--tile", "kBr=16,32").code == 0
    records = [line["record"] for line in bench.lines("sweep")]
    assert [record["status"] for record in records] == ["failed", "failed", "ok", "ok"]
    assert "does not build: labs/x.cu(3): error: expected a ;" in records[0]["message"]
    assert len(built) == 2  # once for a variant, though two points need it


@pytest.mark.parametrize(
    ("text", "count"),
    [("int x;", 0), ("constexpr int kBr = 1;\nconstexpr int kBr = 2;", 2)],
)
def test_a_constant_has_to_be_there_once(text, count):
    submission = Submission(Path("a.cu"), "a.cu", text.encode())
    with pytest.raises(UsageError, match=rf"a.cu: .*kBr.* is there {count} times"):
        with_tile(submission, (("kBr", 32),))


def test_a_tile_replaces_the_value_and_nothing_else():
    text = (
        b"template <int d>\ninline constexpr int kBc = 4096 / d;  // keys\nconstexpr int kB = 1;\n"
    )
    changed = with_tile(Submission(Path("a.cu"), "a.cu", text), (("kBc", 32),))
    assert changed.data == text.replace(b"4096 / d", b"32")


def test_costs_are_predicted_and_what_is_too_long_is_recorded_as_skipped(bench, flashlab):
    bench.repository.plan(seconds_per_work=1e-6)
    words = ("bench", "lab4", "--n", "256,512,1K,2K")
    answer = flashlab(*words, "--max-seconds", 20)
    assert answer.code == 0
    records = [line["record"] for line in bench.lines("sweep")]
    assert [record["status"] for record in records] == ["ok", "ok", "skipped", "skipped"]
    assert "would take about 67 s" in records[2]["message"]
    assert "would take about 268 s" in records[3]["message"]
    assert "--max-seconds 20" in answer.out
    before = bench.path("sweep").read_bytes()
    flashlab(*words, "--max-seconds", 20)
    assert bench.path("sweep").read_bytes() == before
    flashlab(*words, "--max-seconds", 100)
    assert [line["record"]["status"] for line in bench.lines("sweep")] == ["ok"] * 3 + ["skipped"]
    assert len(bench.calls) == 3


def test_a_point_that_could_not_be_judged_is_tried_again_and_a_wrong_one_is_not(bench, flashlab):
    for status, calls in (("error", 1), ("wrong", 2), ("ok", 2)):
        bench.repository.plan(status=status)
        assert flashlab("bench", "lab4", "--n", "64").code == 0
        assert len(bench.calls) == calls
    assert [line["record"]["status"] for line in bench.lines("sweep")] == ["wrong"]


def test_a_submission_that_cannot_be_loaded_is_a_failed_point(bench, flashlab):
    bench.repository.plan(exit=1, stderr="flashlab-measure: no such function")
    assert flashlab("bench", "lab4", "--n", "64").code == 0
    (line,) = bench.lines("sweep")
    assert line["record"]["status"] == "failed"
    assert "no such function" in line["record"]["message"]


def test_an_environment_at_fault_stops_the_sweep_and_keeps_what_is_there(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64")
    before = bench.path("sweep").read_bytes()
    bench.repository.plan(exit=2, stderr="flashlab-measure: no device")
    answer = flashlab("bench", "lab4", "--n", "64,128")
    assert answer.code == 2
    assert answer.err.endswith("no device\n")
    assert answer.err.count("\n") == 1
    assert bench.path("sweep").read_bytes() == before


def test_the_table_and_the_csv(bench, flashlab, tmp_path):
    file = tmp_path / "points.csv"
    words = ("--n", "64,128", "--gpu", "t4", "--gpu", "h200", "--csv", file)
    answer = flashlab("bench", "lab4", *words)
    assert answer.code == 0, answer.err
    assert "ms t4*" in answer.out
    assert "modelled from exact counts, not measured" in answer.out
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [(row["seq_q"], row["status"]) for row in rows] == [("64", "ok"), ("128", "ok")]
    record = bench.lines("sweep")[0]["record"]
    assert float(rows[0]["modelled_h200_s"]) == record["modelled"]["h200"]["seconds"]
    assert f"{record['modelled']['t4']['seconds'] * 1e3:.4g}" in answer.out


def test_a_real_gpus_times_are_the_measured_ones(bench, flashlab):
    timing = {"repeats": 30, "median_s": 0.001234, "q1_s": 0.001, "q3_s": 0.002}
    bench.repository.plan(fields={"timing": timing, "modelled": None})
    answer = flashlab("bench", "lab4", "--n", "64")
    assert "1.234 ms" in answer.out


def test_list_shows_what_is_missing_and_measures_nothing(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64")
    answer = flashlab("bench", "lab4", "--n", "64,128", "--list")
    assert "1 of 2 points are there" in answer.out
    assert "missing" in answer.out
    assert len(bench.calls) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lab9",), "unknown lab 'lab9'"),
        (("lab4", "--preset", "big"), "unknown preset 'big'; the presets are: quick, seeds, paper"),
        (("lab4", "--preset", "seeds", "--n", "64"), "leave out --n"),
        (("lab4", "--n", "64,x"), "--n 64,x: 'x' is no size"),
        (("lab4", "--d", "0"), "'0' is no size"),
        (("lab4", "--tile", "kBr"), "--tile kBr: give a constant and its values"),
        (("lab4", "--tile", "kXY=3"), "is there 0 times"),
        (("lab4", "--gpu", "h300"), "unknown GPU 'h300'; there are models of: h200, t4"),
        (("lab4", "--name", "../x"), "--name ../x: use letters"),
        (("--submission", "a.cu"), "--submission belongs to one lab"),
        (("lab4", "--submission", "no.cu"), "cannot read no.cu"),
        (("lab4", "--device", "cuda"), "no GPU can be used"),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(bench, flashlab, words, says):
    answer = flashlab("bench", *words)
    assert answer.code == 2
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert not list(bench.root.glob("build/results/bench/*"))
    assert bench.calls == []


def test_numbers_and_grids():
    assert numbers("256,1K,256,2k", "--n") == (256, 1024, 2048)
    assert len(grid("1,2", "1", "64", "32,64", (False, True))) == 8
    assert combinations([]) == [()]
    assert combinations(["a=1,2", "b=3"]) == [(("a", 1), ("b", 3)), (("a", 2), ("b", 3))]


def test_operations_follow_the_usual_count():
    assert Shape(2, 3, 100, 64).operations(backward=False) == 4 * 100**2 * 64 * 6
    assert Shape(1, 1, 100, 64, True).operations(backward=True) == 4 * 100**2 * 64 / 2 * 2.5


def test_lines_are_strict_json(bench, flashlab):
    flashlab("bench", "lab4", "--n", "64")
    text = bench.path("sweep").read_text()
    assert text.endswith("\n")
    assert json.loads(text)["record"]["status"] == "ok"
