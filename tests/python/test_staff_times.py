"""The times in lab.toml that submissions are compared with are those of the solutions."""

import tomllib

import pytest
from flashlab import calibrate, labs
from flashlab.errors import UsageError
from flashlab.layout import Layout

LAYOUT = Layout.of_this_package()
AS_WRITTEN = 2e-3  # four digits, and counts that depend on the inputs a little

TEXT = """[lab]  # a comment
[[case]]
name = "a"
staff_seconds = 1e-5   # of a
[[case]]
name = "b"
points = 3
[[case]]
name = "c"
staff_seconds = 2e-5
"""


@pytest.mark.parametrize("lab", labs.discover(LAYOUT), ids=lambda lab: lab.short)
def test_lab_toml_has_the_modelled_times_of_the_solution(lab: labs.Lab) -> None:
    times = calibrate.staff_times(LAYOUT, lab)
    written = {case["name"]: case["staff_seconds"] for case in calibrate.speed_cases(lab)}
    assert written
    assert times == pytest.approx(written, rel=AS_WRITTEN), "run: ./flashlab calibrate"


@pytest.mark.parametrize("lab", labs.discover(LAYOUT), ids=lambda lab: lab.short)
def test_results_keep_two_thirds_of_the_points(lab: labs.Lab) -> None:
    cases = tomllib.loads(lab.config.read_text(encoding="utf-8"))["case"]
    of_results = sum(c["points"] for c in cases if c["group"] in ("correctness", "checks"))
    of_speed = sum(c["points"] for c in cases if c["group"] == "speed")
    assert sum(c["points"] for c in cases) == 100
    assert of_results >= 200 / 3
    assert 6 <= of_speed <= 8


def test_only_the_times_change() -> None:
    changed = calibrate.with_staff_times(TEXT, {"a": 3.14159e-5})
    assert changed == TEXT.replace("1e-5", "3.142e-05")


def test_a_case_without_a_time_is_one_line() -> None:
    with pytest.raises(UsageError, match="no line staff_seconds in the cases b, d"):
        calibrate.with_staff_times(TEXT, {"a": 1.0, "b": 1.0, "d": 1.0})
