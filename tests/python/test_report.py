"""The report: what is on the page, that it is deterministic, alone, and readable without seeing the figures."""

import copy
import html
import re
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from flashlab.report.curves import exponent, figures_of
from flashlab.report.figure import in_bytes, in_seconds
from flashlab.report.html import to_html
from flashlab.report.plots import VARIABLES
from flashlab.report.student import Material, student_report


@pytest.fixture
def result(repository, flashlab) -> dict:
    assert flashlab("grade", "lab1").code == 0
    return repository.latest()


def render(results: list[dict]) -> str:
    return to_html(student_report(Material(results)))


def figure(result: dict, name: str):
    return {figure.name: figure for figure in figures_of(result)}[name]


def series(result: dict, name: str, label: str) -> list:
    return next(list(s.points) for s in figure(result, name).series if s.label.startswith(label))


def test_memory_curve_holds_what_was_measured(result):
    sizes = [32, 64, 130, 256]
    assert series(result, "memory", "workspace") == [(n, 8 * n * n) for n in sizes]
    assert series(result, "memory", "S and P") == [(n, 8 * n * n) for n in sizes]
    result["cases"][1]["meters"]["workspace_bytes"] *= 3
    assert series(result, "memory", "workspace")[1] == (64, 3 * 8 * 64 * 64)


def test_only_square_cases_of_the_commonest_dimension_are_compared(result):
    result["cases"][0]["shape"]["seq_k"] = 999
    result["cases"][1]["shape"]["head_dim"] = 8
    assert [n for n, _ in series(result, "memory", "workspace")] == [130, 256]


def test_a_real_gpu_without_sector_counts_has_fewer_figures(result):
    for case in result["cases"]:
        case["meters"] = {"workspace_bytes": case["meters"]["workspace_bytes"]}
    assert [figure.name for figure in figures_of(result)] == ["memory", "error"]
    assert "requested" not in render([result]).partition("Meters of lab1_naive")[2]


def as_lab(result: dict, name: str, requested: Callable[[int], float]) -> None:
    """Makes the result one of another lab, whose threads asked for so many bytes of each head."""
    result["lab"] = name
    for case in result["cases"]:
        case["meters"]["requested_bytes"] = 2 * requested(case["shape"]["seq_q"])


def test_tiled_labs_are_compared_with_their_own_tiles(result):
    as_lab(result, "lab3_tiled_attention", lambda n: 4 * n * (64 * 2 + 64 + 66))  # one tile
    assert (
        series(result, "traffic", "tiles of 64")[:2] == series(result, "traffic", "requested")[:2]
    )
    assert series(result, "traffic", "tiles of 32")[0] == series(result, "traffic", "requested")[0]
    assert series(result, "traffic", "tiles of 64")[2:] > series(result, "traffic", "requested")[2:]
    assert series(result, "memory", "m and l") == [(n, 8 * n) for n in (32, 64, 130, 256)]


def test_the_second_tiling_moves_less_than_the_first(result):
    as_lab(result, "lab4_flash_attention2", lambda n: 4 * n * (4 * 64 + 1))
    first = series(result, "traffic", "lab 3, tiles of 32")
    second = series(result, "traffic", "tiles of 32")
    assert second[0] == series(result, "traffic", "requested")[0]
    assert all(a > b for (_, a), (_, b) in zip(first, second, strict=True))


def test_the_backward_pass_has_formulas_of_its_own(result):
    as_lab(result, "lab5_backward", lambda n: 4 * n * (13 * 64 + 5))
    assert (
        series(result, "traffic", "tiles of 64")[:2] == series(result, "traffic", "requested")[:2]
    )
    assert "<svg" in render([result])


def test_masked_cases_are_not_compared_with_whole_ones(result):
    result["cases"][1]["shape"]["causal"] = True
    assert [n for n, _ in series(result, "traffic", "requested")] == [32, 130, 256]
    assert [n for n, _ in series(result, "error", "largest")] == [32, 64, 130, 256]


def test_rows_without_n_have_no_figures(result):
    result["lab"] = "lab2_online_softmax"
    assert figures_of(result) == []
    assert render([result]).count("<svg") == 1, "that of the points"


def test_zero_and_missing_errors(result):
    result["cases"][0]["error"]["max_abs"] = 0
    result["cases"][1]["error"] = None
    assert [n for n, _ in series(result, "error", "largest")] == [32, 130, 256]
    assert "<svg" in render([result])


def test_a_result_without_any_meter_is_still_a_page(result):
    for case in result["cases"]:
        for key in ("shape", "meters", "error", "diagnosis"):
            case.pop(key, None)
    page = render([result])
    assert "forward_n32_d64" in page
    assert page.count("<svg") == 1, "that of the points"


def test_same_results_same_bytes(result):
    assert render([result]) == render([copy.deepcopy(result)])


def test_the_page_loads_nothing(result):
    page = render([result])
    assert not re.search(r"<(?:script|link|img|iframe|object)\b|@import", page)
    addresses = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', page)
    assert addresses
    assert all((a or b).startswith(("#", "data:text/csv")) for a, b in addresses)


def test_every_figure_is_described_in_words(result):
    page = render([result])
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 5
    for svg in figures:
        tree = ET.fromstring(svg)
        name = "{http://www.w3.org/2000/svg}"
        described = [tree.find(f"{name}{tag}") for tag in ("title", "desc")]
        assert [element.get("id") for element in described] == tree.get("aria-labelledby").split()
        assert all(element.text for element in described)
    assert "workspace: 8 KiB at N = 32, 512 KiB at N = 256." in html.unescape(page)


def test_ids_are_unique(result):
    ids = re.findall(r'\bid="([^"]*)"', render([result]))
    assert len(ids) == len(set(ids))


def test_colours_come_from_the_style_alone(result):
    page = render([result])
    body = page.partition("</style>")[2]
    assert "prefers-color-scheme: dark" in page
    for colour, variable in VARIABLES.items():
        assert colour not in body
        assert page.count(f"{variable}:") == 2, "one for light, one for dark"
    assert not re.findall(r"#[0-9a-f]{6}\b", body)


def test_text_of_a_submission_cannot_become_markup(repository, flashlab):
    repository.plan(cases={"status": "failed", "points": 0, "message": "<script>alert(1)</script>"})
    flashlab("grade", "lab1")
    page = render([repository.latest()])
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_growth_is_fitted_on_logarithmic_axes():
    assert exponent([(n, 7 * n**1.5) for n in (32, 64, 256)]) == pytest.approx(1.5)
    assert exponent([(32, 1.0)]) is None


def test_every_figure_has_its_data(result):
    page = render([result])
    links = re.findall(r'download="([^"]*)" href="data:text/csv;charset=utf-8,([^"]*)"', page)
    assert len(links) == page.count("<svg")
    csv = urllib.parse.unquote(dict(links)["lab1_naive-memory.csv"]).splitlines()
    assert csv[0] == 'series,kind,"N, rows of Q and of K",device memory per head (B)'
    assert f"workspace,measured,32.0,{8.0 * 32 * 32}" in csv


def test_every_figure_and_table_of_numbers_says_where_they_are_from(result):
    page = render([result])
    for title in re.findall(r'<p class="title">(.*?)</p>', page, re.DOTALL):
        assert '<span class="basis">' in title
    assert 'Meters of lab1_naive <span class="basis">counted on the virtual GPU</span>' in page


def test_points_are_drawn_by_group(result):
    result["cases"][0]["group"] = "memory"
    result["cases"][1]["points"] = 0
    (bars,) = (
        figure
        for block in student_report(Material([result])).blocks
        for figure in getattr(block, "figures", ())
        if figure.name == "points"
    )
    assert dict(bars.parts) == {"memory": (2.5,), "correctness": (5.0,)}


def test_report_command_writes_the_page(repository, flashlab, result):
    answer = flashlab("report")
    assert answer.code == 0
    assert answer.out.strip() == f"report: {repository.layout.report}"
    page = repository.layout.report.read_text()
    assert result["submission"]["sha256"] in page
    assert "10 of 10 points" in page


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (1000, "1000 B"), (1024, "1 KiB"), (3 << 29, "1.5 GiB")]
)
def test_bytes_in_words(value, text):
    assert in_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(2.5e-9, "2.5 ns"), (1e-3, "1 ms"), (0.0123456, "12.3 ms"), (90, "90 s")]
)
def test_seconds_in_words(value, text):
    assert in_seconds(value) == text
