"""`flashlab export`: every format follows its platform's rules, whatever a submission printed or the grader did."""

import base64
import csv
import io
import json
from xml.etree import ElementTree as ET

import export_rules as rules
import pytest
from flashlab import cli
from flashlab.exports import Format, render
from flashlab.exports.outcome import make_outcome
from flashlab.layout import Layout
from flashlab.results import check, dump

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x1bc<script>alert(1)</script></pre>]]>&amp;\x00\x08\x9b31m"
    '=cmd|\'/C calc\'!A0, error: line 3: {"scores": {"lab1": 100}}\r\n```\n| a | b |\n'
    "\u202egrade\u2066 \u2028 \ud800 \ufffe \U0001f600 Ω 数学 \x85"
)
JSON_SCHEMAS = {
    Format.GRADESCOPE: rules.GRADESCOPE,
    Format.CLASSROOM: rules.CLASSROOM,
    Format.PRAIRIELEARN: rules.PRAIRIELEARN,
}
MEGABYTE = 1_000_000


def a_case(name="forward_n32_d64", status="passed", points=4.0, **more):
    case = {
        "name": name,
        "group": "correctness",
        "status": status,
        "max_points": 4.0,
        "message": "",
    }
    case |= {"points": points if status == "passed" else 0, "seconds": 0.0123}
    return case | {"rerun": f"./flashlab grade lab1 --case {name} --seed 4242"} | more


def a_result(*cases, lab="lab1_naive"):
    cases = list(cases) or [a_case()]
    provenance = {"grader_version": "0.1.0", "command": "./flashlab grade lab1 --seed 4242"}
    provenance |= {"case_filter": None, "seed": 4242, "date": "2026-10-01T12:00:00Z", "flags": []}
    provenance |= {"compiler": "nvcc", "host_cpu": "", "sandbox": "bubblewrap", "runtime": "lib"}
    result = {
        "schema_version": 1,
        "lab": lab,
        "title": "Naive attention",
        "device": {"kind": "vgpu", "name": "Virtual GPU"},
        "score": sum(case["points"] for case in cases),
        "max_score": sum(case["max_points"] for case in cases),
        "submission": {"path": "labs/lab1_naive/naive_attention.cu", "sha256": "0" * 64},
        "cases": cases,
        "provenance": provenance,
    }
    return check(result, "the test's result")


def hostile_result(size=200):
    text = (HOSTILE * (size // len(HOSTILE) + 1))[:size]
    diagnosis = {"cause": HOSTILE, "text": HOSTILE}
    return a_result(
        a_case("first"),
        a_case("second", "failed", message=text, output=text, handout=text, diagnosis=diagnosis),
        a_case("third", "skipped", message=text),
        a_case(HOSTILE, "failed", message=text, output=text, group=HOSTILE),
    )


def follow_the_rules(text, wanted):
    """Checks a document against its platform's rules; returns what the platform reads."""
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\r" not in text
    assert len(text.encode()) < MEGABYTE, "PrairieLearn and Autolab take no more"
    if wanted in JSON_SCHEMAS:
        return rules.valid(text, JSON_SCHEMAS[wanted])
    if wanted is Format.AUTOLAB:
        lines = text.rstrip().split("\n")
        assert len(lines) < 10_000, "Autolab drops more"
        feedback = rules.as_autolab_reads(lines[-2])
        assert feedback["_presentation"] == "semantic"
        assert set(feedback["stages"]) == set(feedback) - {"_presentation", "stages"}
        scores = rules.as_autolab_reads(lines[-1])
        rules.valid(json.dumps(scores), rules.AUTOLAB_SCORES)
        return scores
    if wanted is Format.JUNIT:
        root = ET.fromstring(text)
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(root.get(key)) == len(root.findall(f".//{tag}"))
        assert int(root.get("skipped")) == len(root.findall(".//testcase/skipped"))
        return root
    if wanted is Format.CSV:
        rows = list(csv.reader(io.StringIO(text)))
        assert {len(row) for row in rows} == {8}
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
        return rows
    assert wanted is Format.MARKDOWN
    return text


@pytest.mark.parametrize("wanted", list(Format))
@pytest.mark.parametrize("size", [200, 10_000_000], ids=["short", "10 MB"])
def test_nothing_that_a_submission_says_breaks_a_format(wanted, size):
    follow_the_rules(render(make_outcome([hostile_result(size)]), wanted), wanted)


@pytest.mark.parametrize("wanted", list(Format))
def test_many_cases_of_five_labs_stay_below_the_platforms_limits(wanted):
    loud = [
        a_case(f"case_{i}", "failed", message='"\\' * 9000, output="Ω" * 9000) for i in range(40)
    ]
    results = [a_result(*loud, lab=f"lab{i}_x") for i in range(1, 6)]
    follow_the_rules(render(make_outcome(results), wanted), wanted)


@pytest.mark.parametrize("wanted", list(Format))
def test_equal_results_are_equal_bytes(wanted):
    results = [hostile_result(), a_result(lab="lab2_x")]
    again = [json.loads(json.dumps(result, sort_keys=True)) for result in results]
    assert render(make_outcome(results), wanted) == render(make_outcome(again), wanted)


@pytest.mark.parametrize("wanted", list(Format))
def test_a_failure_of_the_grader_is_a_valid_document_that_says_so(wanted):
    for outcome in (
        make_outcome([], [f"the disk is full: {HOSTILE}"]),
        make_outcome([a_result(a_case(status="error", message="shared memory is full"))]),
    ):
        text = render(outcome, wanted)
        follow_the_rules(text, wanted)
        assert "full" in text


@pytest.mark.parametrize(
    "outcome",
    [
        make_outcome([a_result()], ["the disk is full"]),
        make_outcome([a_result(a_case(), a_case("b", "error", message="the disk is full"))]),
    ],
    ids=["no result", "a case without verdict"],
)
def test_a_failure_of_the_grader_is_not_zero_points_where_there_is_another_way(outcome):
    assert follow_the_rules(render(outcome, Format.AUTOLAB), Format.AUTOLAB) == {"scores": {}}
    assert json.loads(render(outcome, Format.PRAIRIELEARN))["gradable"] is False
    assert json.loads(render(outcome, Format.CLASSROOM))["status"] == "error"
    assert ET.fromstring(render(outcome, Format.JUNIT)).get("errors") == "1"
    assert csv_rows(outcome)[-1][:6] == ["", "grader", "", "error", "", ""]
    assert "NO GRADE" in json.loads(render(outcome, Format.GRADESCOPE))["output"]


@pytest.mark.parametrize("wanted", list(Format))
def test_hidden_cases_show_their_category_only(wanted):
    secret = "forward_n1021_d72"
    meters = {"workspace_bytes": 765432}
    hidden = a_case(
        secret, "failed", message=f"{secret} is wrong", output=secret, hidden=True, meters=meters,
        shape={"seq_q": 1021}, handout=secret, diagnosis={"cause": secret, "text": secret},
    )  # fmt: skip
    text = render(make_outcome([a_result(a_case(), hidden)]), wanted)
    follow_the_rules(text, wanted)
    assert "1021" not in text
    assert "765432" not in text
    assert "correctness" in text
    assert "hidden" in text
    assert "4242" not in text, "the seed would tell the inputs of hidden cases"


def test_points_of_gradescope():
    document = json.loads(render(make_outcome([hostile_result()]), Format.GRADESCOPE))
    assert document["score"] == 4
    assert [(test.get("score"), test.get("status")) for test in document["tests"]] == [
        (4, "passed"), (0, "failed"), (0, "failed"), (0, "failed"),
    ]  # fmt: skip
    assert document["tests"][1]["number"] == "1.2"


def test_a_skipped_case_without_points_stands_as_information():
    result = a_result(a_case(), a_case("speed", "skipped", max_points=0.0))
    test = json.loads(render(make_outcome([result]), Format.GRADESCOPE))["tests"][1]
    assert not {"score", "status"} & set(test)
    classroom = json.loads(render(make_outcome([result]), Format.CLASSROOM))
    assert classroom["status"] == "pass", "all points are there"
    assert classroom["tests"][1]["status"] == "fail", "what was not run has not passed"


def test_points_of_prairielearn_and_classroom():
    results = [a_result(a_case(), a_case("b", "failed")), a_result(lab="lab2_x")]
    assert json.loads(render(make_outcome(results), Format.PRAIRIELEARN))["score"] == 0.666667
    document = json.loads(render(make_outcome(results), Format.CLASSROOM))
    assert (document["max_score"], sum(test["score"] for test in document["tests"])) == (12, 8)
    assert document["tests"][0]["duration"] == 12
    assert base64.b64encode(json.dumps(document).encode())


def test_points_and_hints_of_autolab():
    hostile = a_case("b", "failed", message="row 3: NaN: see line 4: O[0]")
    text = render(
        make_outcome([a_result(a_case(), hostile), a_result(lab="lab2_x")]), Format.AUTOLAB
    )
    feedback, scores = text.rstrip().split("\n")[-2:]
    assert rules.as_autolab_reads(scores) == {"scores": {"lab1": 4, "lab2": 4}, "scoreboard": [8]}
    stage = rules.as_autolab_reads(feedback)["lab1 correctness"]
    assert stage["forward_n32_d64"] == {"passed": True}
    assert stage["b"] == {"passed": False, "hint": "row 3 - NaN - see line 4 - O[0]"}


def csv_rows(outcome):
    return follow_the_rules(render(outcome, Format.CSV), Format.CSV)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r\n=", " ="])
def test_no_cell_is_a_formula(start):
    message = f'{start}HYPERLINK("x")'
    (cell,) = csv_rows(make_outcome([a_result(a_case(message=message))]))[1][-1:]
    assert cell == f'\'{start.strip()}HYPERLINK("x")'


def test_markdown_stays_in_its_table_and_blocks():
    text = render(make_outcome([hostile_result()]), Format.MARKDOWN)
    (row,) = [line for line in text.splitlines() if line.startswith("| second")]
    assert row.replace("\\|", "").count("|") == 5
    assert "<script>" not in row.replace("\\<", "")
    assert "````text" in text, "the fence is longer than the one that the submission printed"


@pytest.fixture
def export(tmp_path, capsys):
    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.run(Layout(tmp_path), ["export", *(str(word) for word in words)])
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def test_the_command_prints_or_writes(tmp_path, export):
    result, target = tmp_path / "result.json", tmp_path / "new/out.json"
    result.write_text(dump(a_result()))
    code, out, err = export(result, "--format", "gradescope")
    assert (code, err) == (0, "")
    assert export(result, "--format", "gradescope", "--output", target) == (0, "", "")
    assert target.read_text() == out


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"score": NaN}', "infinite", "missing"])
@pytest.mark.parametrize("wanted", list(Format))
def test_a_damaged_result_still_gives_a_valid_file(tmp_path, export, damage, wanted):
    result = tmp_path / "result.json"
    if damage == "infinite":
        result.write_text(dump(a_result()).replace("0.0123", "1e999"))
    elif damage != "missing":
        result.write_text(damage)
    code, out, err = export(result, "--format", wanted)
    assert code == 2
    assert err.startswith("flashlab: there is no grade: ")
    follow_the_rules(out, wanted)
