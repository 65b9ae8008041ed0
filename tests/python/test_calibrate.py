"""`flashlab calibrate`: what known kernels reach, the curve that fits them, and how lab.toml changes."""

import json
import shutil
import tomllib
from pathlib import Path

import calibration_tables
import pytest
from bench_fixtures import ROOT
from corpus_manifest import ABOUT_THE_RESULT, corpora
from flashlab import calibrate, calibrate_command, calibrate_curve, labs
from flashlab.build import Submission
from flashlab.calibrate_curve import Curve, Reached, Reference, propose, with_curve
from flashlab.device import Device, choose
from flashlab.errors import UsageError

CURVE = Curve(full=1.1, none=3.0, step=0.25, grey=0.05)
SUBMISSION = Submission(Path("a.cu"), "a.cu", b"// a")
STAFF = Reference("staff", SUBMISSION, is_staff=True)
NAIVE = Reference("simple", SUBMISSION, is_naive=True)
HONEST = Reference("other", SUBMISSION)


def reached(reference: Reference, ratio: float, case: str = "speed_a") -> Reached:
    return Reached(reference, case, 4.0, ratio, ratio, 0.0)


def test_points_between_full_and_none():
    assert CURVE.points(4, 0.5) == CURVE.points(4, 1.1) == 4
    assert CURVE.points(4, 3.0) == CURVE.points(4, 50.0) == 0
    assert CURVE.points(4, (1.1 * 3.0) ** 0.5) == 2  # the middle of a logarithmic scale
    assert CURVE.points(4, 1.3) % 0.25 == 0


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
def test_the_proposal_does_what_it_says(share):
    given = [reached(STAFF, 1.0), reached(STAFF, 1.04, "speed_b"), reached(NAIVE, 2.6)]
    given += [reached(NAIVE, 2.2, "speed_b"), reached(HONEST, 9.0)]
    curve, why = propose(CURVE, given, share)
    assert curve.full == 1.1  # 1.04, 5 % for noise, rounded up
    assert "speed_b" in why[0]
    assert curve.points(100, 1.04 * 1.05) == 100
    assert curve.points(100, 2.2) <= 100 * share + CURVE.step
    assert curve.points(100, 2.0) > 100 * share - 10  # and it is not stricter than it has to be
    assert (curve.step, curve.grey) == (CURVE.step, CURVE.grey)


def test_a_measured_ratio_counts_with_its_upper_bound():
    noisy = Reached(STAFF, "speed_a", 4.0, ratio=1.0, high=1.08, points=4.0)
    assert propose(CURVE, [noisy, reached(NAIVE, 2.6)], 0.1)[0].full == 1.15


def test_a_naive_variant_as_fast_as_the_staffs_leaves_none_alone():
    curve, why = propose(CURVE, [reached(STAFF, 1.0), reached(NAIVE, 1.1)], 0.1)
    assert curve.none == CURVE.none
    assert "no curve tells it from the staff's" in why[1]
    assert why[2] == "none stays"


def test_a_case_where_the_naive_variant_is_as_fast_does_not_count():
    given = [reached(STAFF, 1.0), reached(NAIVE, 0.9), reached(NAIVE, 2.6, "speed_b")]
    curve, why = propose(CURVE, given, 0.1)
    assert curve == propose(CURVE, [given[0], given[2]], 0.1)[0]
    assert "reaches 0.900 in speed_a" in why[1]


def test_without_a_corpus_none_stays():
    curve, why = propose(CURVE, [reached(STAFF, 1.0)], 0.1)
    assert curve.none == CURVE.none
    assert "none stays" in why[1]


def test_a_solution_that_fails_is_an_error():
    broken = Reached(STAFF, "speed_a", 4.0, problem="the result is wrong")
    with pytest.raises(UsageError, match="fails speed_a: the result is wrong"):
        propose(CURVE, [broken], 0.1)


@pytest.mark.parametrize("number", range(1, 6))
def test_nothing_but_two_numbers_changes(real_layout, number):
    lab = labs.find(real_layout, f"lab{number}")
    text = lab.config.read_text()
    changed = with_curve(text, Curve(1.27, 7.5, 0.25, 0.05))
    before, after = text.splitlines(), changed.splitlines()
    different = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split("#")[0].strip() for line in different] == ["full = 1.27", "none = 7.5"]
    assert tomllib.loads(changed)["speed"] | {"full": 0, "none": 0} == tomllib.loads(text)[
        "speed"
    ] | {"full": 0, "none": 0}


def test_a_lab_without_a_curve_cannot_get_one():
    with pytest.raises(UsageError, match="no line `full"):
        with_curve("[lab]\nfull = 1\n", CURVE)


def test_every_lab_has_one_naive_kernel_and_it_is_right(real_layout):
    for lab in labs.discover(real_layout):
        manifest = tomllib.loads((ROOT / "tests/corpus" / lab.short / "manifest.toml").read_text())[
            "kernel"
        ]
        (naive,) = [entry["file"] for entry in manifest if entry.get("naive")]
        (kernel,) = [
            (kernel, cases)
            for of, cases, kernel in corpora()
            if of == lab and kernel.source.name == naive
        ]
        assert not [case for case in kernel[0].must_fail if kernel[1][case] in ABOUT_THE_RESULT]


def test_references_are_single_files(real_layout):
    lab = labs.find(real_layout, "lab5")
    known = list(calibrate_curve.references(real_layout, lab))
    assert [each.name for each in known[:2]] == ["staff", "staff, tuned"]
    assert [each.is_staff for each in known[:3]] == [True, False, False]
    assert sum(each.is_naive for each in known) == 1
    for each in known:
        assert b'.cuh"' not in each.submission.data
    assert len(known) > 5


def test_the_judge_gives_the_points_of_the_curve(real_layout):
    """The formula is in the judge; this one only says what another curve would give."""
    lab = labs.find(real_layout, "lab1")
    curve = Curve.of(lab)
    known = calibrate_curve.references(real_layout, lab)
    chosen = [each for each in known if each.is_staff or each.name == "honest_launch_per_head"]
    device = choose(real_layout, Device.VGPU)
    times = calibrate.staff_times(real_layout, lab)
    text = calibrate.with_staff_times(lab.config.read_text(), times)
    staff, other = (
        each
        for reference in chosen
        for each in calibrate_curve.reach(real_layout, lab, text, device, reference)
    )
    assert staff.ratio == pytest.approx(1, abs=1e-3)
    assert 0 < other.points < other.most, other
    for each in (staff, other):
        assert each.points == curve.points(each.most, each.ratio)


@pytest.fixture
def calibrated(repository, flashlab, monkeypatch):
    """Runs the command in the small repository; kernels reach what the fixture's argument says."""
    config = repository.lab / "lab.toml"
    shutil.copy(ROOT / "labs/lab1_naive/lab.toml", config)
    case = next(iter(calibrate.speed_cases(labs.find(repository.layout, "lab1"))))

    def times(layout, lab):
        return {case["name"]: 2 * case["staff_seconds"]}

    def reach(layout, lab, text, device, reference):
        yield Reached(reference, case["name"], case["points"], 1.0, 1.0, case["points"])
        assert f"staff_seconds = {2 * case['staff_seconds']:.4g}" in text  # judged by the new ones

    monkeypatch.setattr(calibrate, "staff_times", times)
    monkeypatch.setattr(calibrate_command, "reach", reach)
    return lambda *words: (flashlab("calibrate", "lab1", *words), config.read_text())


def test_without_apply_nothing_is_written(calibrated):
    before = (ROOT / "labs/lab1_naive/lab.toml").read_text()
    answer, after = calibrated()
    assert answer.code == 0, answer.err
    assert after == before
    assert "+100.0% against lab.toml" in answer.out
    assert "+staff_seconds = " in answer.out
    assert "--apply writes it" in answer.out


def test_apply_writes(calibrated):
    before = (ROOT / "labs/lab1_naive/lab.toml").read_text()
    answer, after = calibrated("--apply")
    assert answer.code == 0, answer.err
    assert "lab.toml is written" in answer.out
    old, new = tomllib.loads(before), tomllib.loads(after)
    cases = [(a, b) for a, b in zip(old["case"], new["case"], strict=True) if a != b]
    assert [b["staff_seconds"] / a["staff_seconds"] for a, b in cases] == [2.0]
    assert new["speed"]["full"] == 1.05
    assert after.count("#") == before.count("#")


def test_staff_only_leaves_the_curve(calibrated, monkeypatch):
    monkeypatch.setattr(calibrate_command, "reach", None)  # would fail when it were called
    answer, after = calibrated("--staff-only", "--apply")
    assert answer.code == 0, answer.err
    before = tomllib.loads((ROOT / "labs/lab1_naive/lab.toml").read_text())
    assert tomllib.loads(after)["speed"] == before["speed"]
    assert tomllib.loads(after)["case"] != before["case"]


def test_labs_without_speed_cases_are_refused(repository, flashlab):
    config = repository.lab / "lab.toml"
    config.write_text(config.read_text().partition("\n[speed]\n")[0])
    answer = flashlab("calibrate")
    assert answer.code == 2
    assert answer.err == "flashlab: no lab here has cases that grade speed\n"


def test_the_instructors_table_is_that_of_the_data():
    document = calibration_tables.DOCUMENT.read_text()
    record = json.loads(calibration_tables.RECORD.read_text())
    assert calibration_tables.with_table(document, record) == document
    record["labs"][0]["curve"]["none"] = 99.0
    assert calibration_tables.with_table(document, record) != document


def test_the_instructors_data_is_of_these_labs(real_layout):
    record = json.loads(calibration_tables.RECORD.read_text())
    recorded = {lab["lab"]: lab for lab in record["labs"]}
    for lab in labs.discover(real_layout):
        again = "run: ./flashlab calibrate --device vgpu --json handouts/data/calibration_vgpu.json"
        curve = Curve.of(lab)
        assert recorded[lab.name]["curve"] == vars(curve), f"{lab.short}: {again}"
        for case in calibrate.speed_cases(lab):
            known = recorded[lab.name]["staff_seconds"][case["name"]]
            assert known == pytest.approx(case["staff_seconds"], rel=1e-2), f"{lab.short}: {again}"
