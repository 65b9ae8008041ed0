"""`flashlab grade`: the whole road with a stand-in judge; exit codes and what the terminal shows."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from flashlab import device
from flashlab.results import load

HERE = Path(__file__).parent


def test_grade_keeps_a_result_that_follows_the_schema(repository, flashlab):
    answer = flashlab("grade", "lab1")
    assert answer.code == 0, answer.err
    (path,) = repository.results()
    result = load(path)
    assert result == repository.latest()
    assert (result["score"], result["max_score"]) == (10, 10)
    assert result["lab"] == "lab1_naive"
    assert result["submission"] == {
        "path": "labs/lab1_naive/naive_attention.cu",
        "sha256": hashlib.sha256(repository.stub.read_bytes()).hexdigest(),
    }
    assert result["provenance"]["seed"] == 7
    assert "-lineinfo" in result["provenance"]["flags"]


def test_path_and_hash_come_first(repository, flashlab):
    lines = flashlab("grade", "1").out.splitlines()
    assert lines[0] == "file: labs/lab1_naive/naive_attention.cu"
    assert lines[1] == f"sha256: {repository.latest()['submission']['sha256']}"
    assert lines[2] == "device: vgpu"


@pytest.mark.parametrize("word", ["lab1", "1", "lab1_naive"])
def test_names_of_a_lab(flashlab, word):
    assert flashlab("grade", word).code == 0


def test_earlier_results_stay(repository, flashlab):
    flashlab("grade", "lab1", "--seed", 1)
    flashlab("grade", "lab1", "--seed", 2)
    assert [load(path)["provenance"]["seed"] for path in repository.results()] in ([1, 2], [2, 1])
    assert repository.latest()["provenance"]["seed"] == 2


def test_a_partial_run_is_kept_but_is_not_the_latest(repository, flashlab):
    flashlab("grade", "lab1", "--seed", 1)
    flashlab("grade", "lab1", "--seed", 2, "--case", "forward*")
    assert len(repository.results()) == 2
    assert repository.latest()["provenance"]["seed"] == 1


def test_options_reach_the_judge(repository, flashlab):
    flashlab("grade", "lab1", "--case", "tail*", "--seed", 5, "--device", "vgpu")
    words = repository.judge_saw()
    assert words[words.index("--case") + 1] == "tail*"
    assert words[-1] == "seed=5"  # of the environment: command lines are public
    assert "--seed" not in words
    assert words[words.index("--device") + 1] == "vgpu"
    assert words[words.index("--runtime-dir") + 1] == str(repository.layout.virtual_runtime)
    assert words[words.index("--launcher") + 1] == "prlimit"


def test_a_gpus_driver_is_on_the_workers_library_path(repository, flashlab, monkeypatch, tmp_path):
    gpu = device.Gpu("Test GPU", driver=tmp_path / "driver")
    monkeypatch.setattr(device, "probe_gpu", lambda: gpu)
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: tmp_path / "cuda")
    assert flashlab("grade", "lab1").code == 0
    words = repository.judge_saw()
    folders = [words[i + 1] for i, word in enumerate(words) if word == "--runtime-dir"]
    assert folders == [str(tmp_path / "cuda"), str(tmp_path / "driver")]
    assert repository.latest()["device"]["kind"] == "cuda"
    # The staff's library goes with it, to be measured beside the submission.
    baseline = Path(words[words.index("--baseline") + 1])
    assert baseline.exists()
    assert str(baseline) != words[words.index("--submission") + 1]


def test_without_solutions_a_gpu_gets_no_baseline(repository, flashlab, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "probe_gpu", lambda: device.Gpu("Test GPU", driver=tmp_path))
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: tmp_path / "cuda")
    shutil.rmtree(repository.layout.solutions)
    assert flashlab("grade", "lab1").code == 0
    assert "--baseline" not in repository.judge_saw()


def test_a_speed_case_says_whether_it_was_modelled_or_measured(repository, flashlab):
    speed = {"how": "modelled", "gpu": "h200", "ratio": 1.25, "low": 1.25, "high": 1.25}
    speed |= {"seconds": 5e-5, "staff_seconds": 4e-5, "full": 1.05, "none": 3, "limiter": "FMA"}
    repository.plan(cases={"speed": speed})
    out = flashlab("grade", "lab1").out
    assert "modelled for h200: 50 us, 1.25 times the staff's; FMA" in out
    assert repository.latest()["cases"][0]["speed"] == speed


def test_rerun_commands_name_everything_that_matters(repository, flashlab, tmp_path):
    other = tmp_path / "my kernel.cu"
    other.write_text("// mine\n")
    flashlab("grade", "lab1", "--submission", other)
    rerun = repository.latest()["cases"][0]["rerun"]
    assert rerun == (
        f"./flashlab grade lab1 --submission '{other}' --device vgpu --case forward_n32_d64 --seed 7"
    )


def test_json_option_writes_the_same_document(repository, flashlab, tmp_path):
    target = tmp_path / "out.json"
    assert flashlab("grade", "lab1", "--json", target).code == 0
    assert target.read_bytes() == repository.results()[0].read_bytes()


def test_failed_cases_show_the_whole_message_and_still_exit_0(repository, flashlab):
    message = (
        "O[b=0, h=1, i=128, c=3] is wrong\n" + "expected 1, got 2; " * 12 + "try the tail tile"
    )
    repository.plan(cases={"status": "failed", "points": 0, "message": message})
    answer = flashlab("grade", "lab1")
    assert answer.code == 0
    assert "0 of 10 points (0 %): 4 failed" in answer.out
    assert answer.out.count("try the tail tile") == 1, "equal messages are shown once"
    assert "read: handout 1, section 3: handouts/en/1-memory-bound.md#s3" in answer.out
    assert (
        "again: ./flashlab grade lab1 --device vgpu --case forward_n32_d64 --seed 7" in answer.out
    )


def test_what_the_submission_printed_is_shown_and_kept(repository, flashlab):
    printed = "\n".join(f"line {n}" for n in range(12))
    repository.plan(cases={"status": "failed", "points": 0, "message": "wrong", "output": printed})
    out = flashlab("grade", "lab1").out
    assert "line 9" in out
    assert "... and 2 more lines" in out
    assert repository.latest()["cases"][0]["output"] == printed


def test_skipped_is_not_shown_as_passed(repository, flashlab):
    repository.plan(cases={"status": "skipped", "points": 0, "message": "needs a right result"})
    out = flashlab("grade", "lab1").out
    assert "4 skipped" in out
    assert "passed" not in out


def test_a_message_cannot_paint_the_terminal(repository, flashlab):
    repository.plan(cases={"status": "failed", "points": 0, "message": "\x1b[2J[bold]gone[/bold]"})
    out = flashlab("grade", "lab1").out
    assert "\x1b[2J" not in out
    assert "[bold]gone[/bold]" in out


def test_crashed_everywhere_is_1_and_keeps_the_result(repository, flashlab):
    repository.plan(
        exit=1,
        stderr="it crashed in every case",
        cases={"status": "failed", "points": 0, "message": "segmentation fault"},
    )
    answer = flashlab("grade", "lab1")
    assert answer.code == 1
    assert "segmentation fault" in answer.out
    assert answer.err == "flashlab: it crashed in every case\n"
    assert len(repository.results()) == 1


def test_the_graders_own_fault_is_2_and_never_the_latest(repository, flashlab):
    flashlab("grade", "lab1")
    repository.plan(
        exit=2,
        stderr="4 cases could not be judged",
        cases={"status": "error", "points": 0, "message": "shared memory is full"},
    )
    answer = flashlab("grade", "lab1")
    assert (answer.code, answer.err) == (2, "flashlab: 4 cases could not be judged\n")
    assert "shared memory is full" in answer.out
    assert len(repository.results()) == 2
    assert repository.latest()["score"] == 10


def test_unloadable_is_1_with_the_judges_line(repository, flashlab):
    repository.plan(exit=1, silent=True, stderr="noise\nthe entry lab1_naive_attention is missing")
    answer = flashlab("grade", "lab1")
    assert (answer.code, answer.err) == (1, "flashlab: the entry lab1_naive_attention is missing\n")
    assert not repository.results()


def test_a_broken_judge_is_2(repository, flashlab):
    repository.plan(exit=2, silent=True, stderr="lab.toml: points are missing")
    assert flashlab("grade", "lab1").code == 2
    repository.plan(exit=0, silent=True)
    answer = flashlab("grade", "lab1")
    assert (answer.code, answer.err) == (2, "flashlab: flashlab-judge stopped with exit code 0\n")


def test_a_result_that_breaks_the_schema_is_refused(repository, flashlab):
    repository.plan(cases={"status": "great"})
    answer = flashlab("grade", "lab1")
    assert answer.code == 2
    assert "does not follow the schema at $.cases[0].status" in answer.err
    assert not repository.results()


def test_not_a_number_is_refused(repository, flashlab):
    repository.plan(cases={"seconds": float("nan")})
    answer = flashlab("grade", "lab1")
    assert answer.code == 2
    assert "NaN is not JSON" in answer.err


def test_status_shows_points_left_and_changes(repository, flashlab):
    assert "never" in flashlab("status").out
    flashlab("grade", "lab1")
    out = flashlab("status").out
    assert "10/100" in out
    assert "as graded" in out
    assert out.splitlines()[-1] == "next: make lab1"
    repository.stub.write_text("// edited\n")
    assert "changed since" in flashlab("status").out


def test_demo_grades_the_solution_apart_from_the_students_results(repository, flashlab):
    answer = flashlab("demo")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[0] == "file: solutions/lab1_naive/naive_attention.cu"
    assert answer.out.splitlines()[-1] == f"report: {repository.layout.report}"
    assert repository.layout.report.read_text().startswith("<!DOCTYPE html>")
    assert not repository.results()
    stored = repository.layout.demo_results / "lab1_naive/latest.json"
    assert json.loads(stored.read_text())["score"] == 10
    points = (repository.layout.demo_results / "bench/demo.jsonl").read_text().splitlines()
    assert len(points) == 4
    assert not repository.layout.bench.exists()


def test_demo_without_solutions_says_so(repository, flashlab):
    (repository.layout.solutions / "lab1_naive/naive_attention.cu").unlink()
    answer = flashlab("demo")
    assert answer.code == 2
    assert "holds no solution" in answer.err


def test_json_option_holds_a_result_also_when_nothing_could_be_run(repository, flashlab, tmp_path):
    target = tmp_path / "out.json"
    repository.stub.write_text("SYNTAX_ERROR\n")
    assert flashlab("grade", "lab1", "--json", target).code == 1
    result = load(target)
    assert (result["score"], result["max_score"]) == (0, 100)
    assert [case["status"] for case in result["cases"]] == ["failed"]
    assert "does not build\nlabs/x.cu(3): error: expected a ;" in result["cases"][0]["message"]
    repository.stub.write_text("// fine\n")
    repository.plan(exit=1, silent=True, stderr="the entry lab1_naive_attention is missing")
    assert flashlab("grade", "lab1", "--json", target).code == 1
    assert "the entry" in load(target)["cases"][0]["message"]
    assert not repository.results()
