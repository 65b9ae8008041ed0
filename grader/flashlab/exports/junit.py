"""JUnit XML, which continuous-integration servers read. There is no official specification of it."""

from typing import Any
from xml.etree import ElementTree as ET

from flashlab.exports.outcome import Outcome, explanation, number, short
from flashlab.results import Result

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(outcome: Outcome) -> str:
    """One suite per lab; a `failure` is the submission's fault, an `error` the grader's; times are seconds."""
    suites = [_suite(result) for result in outcome.results]
    if outcome.failure is not None and not any(int(suite.get("errors", 0)) for suite in suites):
        suites.append(_grader_suite(outcome.failure))
    root = ET.Element("testsuites", {"name": "flashlab", **_totals(suites)})
    root.extend(suites)
    ET.indent(root, " ")
    return HEAD + ET.tostring(root, encoding="unicode") + "\n"


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    keys = ("tests", "failures", "errors", "skipped")
    totals = {key: str(sum(int(suite.get(key, 0)) for suite in suites)) for key in keys}
    return {**totals, "time": f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}"}


def _suite(result: Result) -> ET.Element:
    count = [case["status"] for case in result["cases"]].count
    seconds = sum(case.get("seconds", 0) for case in result["cases"])
    suite = ET.Element(
        "testsuite",
        {
            "name": result["lab"],
            "tests": str(len(result["cases"])),
            "failures": str(count("failed")),
            "errors": str(count("error")),
            "skipped": str(count("skipped")),
            "time": f"{seconds:.3f}",
            "timestamp": result["provenance"]["date"].removesuffix("Z"),
        },
    )
    score = f"{number(result['score'])}/{number(result['max_score'])}"
    _properties(suite, device=result["device"]["name"], score=score)
    for case in result["cases"]:
        suite.append(_case(result, case))
    return suite


def _case(result: Result, case: dict[str, Any]) -> ET.Element:
    element = ET.Element(
        "testcase",
        {
            "name": case["name"],
            "classname": f"{short(result)}.{case.get('group', 'other')}",
            "time": f"{case.get('seconds', 0):.3f}",
        },
    )
    _properties(element, score=f"{number(case['points'])}/{number(case['max_points'])}")
    first = case["message"].partition("\n")[0]
    if case["status"] == "skipped":
        ET.SubElement(element, "skipped", {"message": first})
    elif case["status"] != "passed":
        tag = "failure" if case["status"] == "failed" else "error"
        kind = (case.get("diagnosis") or {}).get("cause", case["status"])
        body = ET.SubElement(element, tag, {"message": first, "type": kind})
        body.text = explanation(case)
    return element


def _grader_suite(failure: str) -> ET.Element:
    suite = ET.Element(
        "testsuite", {"name": "grader", "tests": "1", "errors": "1", "time": "0.000"}
    )
    suite.set("failures", "0")
    suite.set("skipped", "0")
    case = ET.SubElement(
        suite, "testcase", {"name": "grader", "classname": "grader", "time": "0.000"}
    )
    body = ET.SubElement(case, "error", {"message": failure.partition("\n")[0], "type": "grader"})
    body.text = failure
    return suite


def _properties(parent: ET.Element, **values: str) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", {"name": name, "value": value})
