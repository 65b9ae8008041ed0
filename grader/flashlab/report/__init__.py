"""The HTML report: one file that loads nothing, made from result files alone, so equal results give equal bytes."""

from pathlib import Path
from typing import Any

from flashlab.report.curves import figures_of, in_bytes
from flashlab.results import Result

FOLDER = Path(__file__).parent
METERS = (  # columns of the meter table: key, heading, whether the value is bytes
    ("workspace_bytes", "workspace", True),
    ("peak_device_bytes", "peak memory", True),
    ("requested_bytes", "requested", True),
    ("sector_bytes", "sectors × 32 B", True),
    ("distinct_bytes", "distinct", True),
    ("sectors_per_load_request", "sectors per load", False),
    ("launches", "launches", False),
)


def render(results: list[Result]) -> str:
    """The whole page for `results`, which follow the schema; one section per result."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    return template.render(style=style, labs=[_lab_view(result) for result in results])


def _lab_view(result: Result) -> dict[str, Any]:
    from flashlab.report.plots import draw

    cases = result["cases"]
    return {
        "result": result,
        "passed": sum(case["status"] == "passed" for case in cases),
        "percent": 100 * result["score"] / result["max_score"] if result["max_score"] else 0.0,
        "unsuccessful": [{"output": "", **case} for case in cases if case["status"] != "passed"],
        "largest_error": {case["name"]: _largest_error(case) for case in cases},
        **_meter_table(cases),
        "figures": [
            {
                "svg": draw(figure, prefix=f"{result['lab']}-{figure.name}"),
                "caption": figure.caption,
            }
            for figure in figures_of(result)
        ],
    }


def _largest_error(case: dict[str, Any]) -> str:
    value = (case.get("error") or {}).get("max_abs")
    return "–" if value is None else f"{value:.1e}"


def _meter_table(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Headings and rows of what was measured: only the meters and the cases that have any."""
    present = [
        meter for meter in METERS if any(meter[0] in case.get("meters", {}) for case in cases)
    ]
    rows = []
    for case in cases:
        meters = case.get("meters", {})
        if any(key in meters for key, _, _ in present):
            cells = [_cell(meters.get(key), is_bytes) for key, _, is_bytes in present]
            rows.append((case["name"], cells))
    return {"meter_headings": [heading for _, heading, _ in present], "meter_rows": rows}


def _cell(value: float | None, is_bytes: bool) -> str:
    if value is None:
        return "–"
    return in_bytes(value) if is_bytes else f"{value:.4g}"
