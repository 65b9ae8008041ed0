"""The model of times against what an H200 took, and its command. Some of its counts are counted again here."""

import json
import subprocess

import numpy as np
import pytest
import record_times
import validate_model

MODEL = str(validate_model.MODEL)
# Small ones, each a second or less to count: three kernels, a library with templates, and a program.
RECOUNTED = [
    "solutions/lab1_naive/naive_attention.cu lab1_naive_attention 1 1 128 128 64 0",
    "solutions/lab4_flash_attention2/tuned/flash_attention2.cu lab4_flash_attention2 1 1 128 128 64 0",
    "tests/bench/global_loads.cu 512",
]


@pytest.fixture(scope="module")
def launches():
    return validate_model.load_launches()


@pytest.fixture(scope="module")
def predicted(launches):
    return validate_model.model(launches)({})


@pytest.fixture(scope="module")
def measured(launches):
    return np.array([launch.seconds for launch in launches])


def test_the_aim_is_reached_on_kernels_that_the_constants_were_not_fitted_to(
    launches, predicted, measured
):
    held_out = ~validate_model.fitted(launches)
    errors = validate_model.errors(predicted[held_out], measured[held_out])
    assert errors.launches >= 60
    assert errors.median <= 0.25
    assert errors.rank_correlation >= 0.95


def test_the_two_halves_share_no_kernel(launches):
    chosen = validate_model.fitted(launches)
    halves = [
        {launch.family for launch, in_half in zip(launches, half, strict=True) if in_half}
        for half in (chosen, ~chosen)
    ]
    assert halves[0] and halves[1] and halves[0].isdisjoint(halves[1])
    assert len(launches) / 3 < chosen.sum() < len(launches) * 2 / 3


def test_the_launches_are_many_and_of_all_sizes(launches, measured):
    assert len(launches) >= 120
    assert {launch.group for launch in launches} == set(validate_model.GROUPS)
    assert measured.min() < 4e-6
    assert measured.max() > 5e-3


def test_the_constants_could_not_be_much_better(launches, predicted, measured):
    """They are those of a fit: a step away from one of them makes the fitted half worse, or no better by 2 %."""
    chosen = validate_model.fitted(launches)
    seconds = validate_model.model(launches)

    def loss(times):
        return np.mean(np.abs(np.log(times[chosen] / measured[chosen])))

    text = (validate_model.ROOT / "grader/judge/model/model.hpp").read_text(encoding="utf-8")
    for name, (low, high) in validate_model.BOUNDS.items():
        value = float(text.split(f"double {name} = ")[1].split(";")[0])
        for factor in (1.2, 1 / 1.2):
            other = min(high, max(low, value * factor))
            assert loss(seconds({name: other})) > 0.98 * loss(predicted), name


def test_the_readme_shows_these_errors(launches, predicted):
    page = validate_model.README.read_text(encoding="utf-8")
    shown = page.split(validate_model.BEGIN)[1].split(validate_model.END)[0]
    assert shown.strip() == validate_model.table(launches, predicted), (
        "tools/validate_model.py --write"
    )


def test_the_figure_shows_these_launches(launches, predicted):
    description = f"{len(launches)} launches, {validate_model.fingerprint(launches, predicted)}"
    assert description in validate_model.FIGURE.read_text(encoding="utf-8")


def test_ranks_share_places():
    assert validate_model.ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_recounting_gives_the_stored_counts(tmp_path):
    chosen = [call for call in record_times.calls() if call.name in RECOUNTED]
    assert len(chosen) == len(RECOUNTED)
    record_times.build(tmp_path, chosen)
    stored = json.loads((validate_model.DATA / "model_counts.json").read_text(encoding="utf-8"))
    found = record_times.record_counts(tmp_path, chosen)["calls"]
    assert found == {call.name: stored["calls"][call.name] for call in chosen}


def run(*words):
    return subprocess.run([MODEL, *map(str, words)], capture_output=True, text=True, timeout=20)


@pytest.fixture
def counters(tmp_path, launches):
    file = tmp_path / "counters.json"
    file.write_text(json.dumps([launch.record for launch in launches[:3]]), encoding="utf-8")
    return file


def test_the_command_answers_in_json_or_as_a_table(counters, predicted):
    document = json.loads(run("--gpu", "h200", counters).stdout)
    assert document["gpu"] == "h200"
    assert document["seconds"] == pytest.approx(predicted[:3].sum())
    assert len(document["launches"]) == 3
    table = run("--gpu", "h200", "--table", counters).stdout
    assert "not measured" in table
    assert document["launches"][0]["limiter"] in table
    profile = validate_model.ROOT / "grader/judge/gpus/h200.toml"
    assert json.loads(run("--gpu", profile, counters).stdout) == document


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--gpu", "h300", "FILE"], "there is no GPU 'h300': known are a100 h100 h200 rtx4090 t4"),
        (["--gpu", "h200", "none.json"], "none.json: cannot be read: No such file or directory"),
        (["--gpu", "h200", "TEXT"], "text.json: is no JSON"),
        (["--gpu", "none.toml", "FILE"], "none.toml: there is no such profile"),
        (["FILE"], "--gpu and a file of counters are needed: see flashlab-model --help"),
        (["--gpu", "h200", "--tables", "FILE"], "cannot understand '--tables': see flashlab-model --help"),
        (["--gpu", "h200", "--set", "overlap", "FILE"], "--set takes a constant of model.hpp and a number above 0"),
        (["--gpu", "h200", "--set", "overlaps=3", "FILE"], "--set takes a constant of model.hpp"),
        (["--gpu", "h200", "--set", "overlap=-3", "FILE"], "--set takes a constant of model.hpp"),
        (["--gpu", "h200", "--set", "overlap=3x", "FILE"], "--set takes a constant of model.hpp"),
    ],
)  # fmt: skip
def test_a_bad_command_gets_one_line(counters, tmp_path, words, complaint):
    text = tmp_path / "text.json"
    text.write_text("no JSON", encoding="utf-8")
    done = run(*({"FILE": counters, "TEXT": text}.get(word, word) for word in words))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("flashlab-model: ")
    assert complaint in done.stderr


def test_help_names_the_gpus():
    done = run("--help")
    assert done.returncode == 0
    assert "h200" in done.stdout and "--table" in done.stdout
