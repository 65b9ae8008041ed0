"""The report in a real browser: nothing overflows, everything has words, nothing is loaded, nothing goes wrong, and it
can be printed."""

from pathlib import Path

import pytest
from flashlab.classroom.leaderboard import Board, Key, Leaderboard, Place, to_report
from flashlab.report.classroom import Entry, class_report
from flashlab.report.html import to_html
from flashlab.report.measurements import read
from flashlab.report.pdf import to_pdf
from flashlab.report.student import Material, student_report
from page_checks import OVERFLOWING, WORDLESS, background_is_dark, complaints, contrasts, loaded
from report_material import LABS, SHA, SOURCE, case, result, sweep_lines, write_lines

WIDTHS = (1280, 400)
PAGES = {"full": 5, "class": 2, "leaderboard": 1}  # on paper, at least
SCHEMES = ("light", "dark")
LONG = "an_unbroken_word_that_is_longer_than_any_phone_is_wide_" * 4


def failing_case(number: int):
    diagnosis = {"cause": "dropped_tail", "text": "keys beyond the last whole tile are missing"}
    return case(
        f"forward_{LONG}{number}",
        "correctness",
        32,
        "failed",
        message=f"O[0, 0, 3, 1] is 0, expected 1\n{LONG}",
        output=LONG,
        diagnosis=diagnosis,
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """A report with everything in it, one with next to nothing, and one of a class; long words included."""
    folder = tmp_path_factory.mktemp("report")
    profiles = folder / "gpus"
    profiles.mkdir()
    for gpu in ("h200", "t4"):
        (profiles / f"{gpu}.toml").write_text(
            'name = "NVIDIA Test"\nrates.fma = 100\n[chip]\nmultiprocessors = 100\nclock_hz = 1e9\n'
            "dram_bytes_per_second = 4e12\nl2_bytes_per_second = 8e12\n"
        )
    bench = write_lines(folder / "bench.jsonl", sweep_lines())
    speed = {"how": "modelled", "gpu": "h200", "ratio": 1.2, "seconds": 1e-5, "staff_seconds": 8e-6}
    cases = [failing_case(0), case("speed_n512", "speed", 512, speed=speed), failing_case(1)]
    results = [result(lab) for lab in LABS]
    results[0] = result("lab1_naive", cases, submission={"path": f"labs/{LONG}.cu", "sha256": SHA})
    full = student_report(Material(results, read([bench]), lambda _path, _sha: SOURCE, profiles))
    few = student_report(
        Material([result("lab1_naive", [case("forward_n32", "x", 32, meters={})])])
    )
    students = [
        Entry(f"student_{n}_{LONG if n == 3 else ''}", r) for n in range(20) for r in results
    ]
    key = Key("lab1_naive", "cuda", f"NVIDIA {LONG}", "measured", ())
    places = tuple(Place(n, 24 * "W", 1.5, 1.4, 1.6, 1e-3) for n in range(1, 40))
    boards = (Board(key, "Naive attention", (LONG, LONG + "2"), places),)
    written = {"full": full, "few": few, "class": class_report(students)}
    written["leaderboard"] = to_report(Leaderboard("Leaderboard", boards, ()))
    paths = {}
    for name, report in written.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_text(to_html(report), encoding="utf-8")
    return paths


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["full", "few", "class", "leaderboard"])
def test_page(browser, pages, name, width, scheme):
    browser.open(pages[name], width, scheme)
    browser.evaluate(
        "document.querySelectorAll('details').forEach(details => { details.open = true })"
    )
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(OVERFLOWING) == []
    assert browser.evaluate(WORDLESS) == []
    drawn = browser.evaluate("document.querySelectorAll('svg').length")
    assert (drawn > 0) == (name != "leaderboard")
    assert complaints(browser) == []
    assert loaded(browser) == [pages[name].as_uri()]
    assert background_is_dark(browser) == (scheme == "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_stand_out_from_the_paper(browser, pages, scheme):
    browser.open(pages["full"], 1280, scheme)
    texts = {"--ink", "--soft", "--good", "--bad", "--mild"}
    curves = {"--formula", *(f"--series-{number}" for number in range(1, 7))}
    contrast = contrasts(browser, *texts, *curves)
    assert len(contrast) == 12
    assert {name: ratio for name, ratio in contrast.items() if name in texts and ratio < 4.5} == {}
    assert {name: ratio for name, ratio in contrast.items() if ratio < 3} == {}


@pytest.mark.parametrize("name", ["full", "class", "leaderboard"])
def test_printed(browser, pages, name, tmp_path):
    printed = to_pdf(pages[name].read_text(encoding="utf-8"), tmp_path)
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") >= PAGES[name]
    assert list(tmp_path.iterdir()) == [], "no temporary file stays"


BAD = """<!DOCTYPE html><html><head><link rel="icon" href="http://127.0.0.1:1/icon.png"></head><body>
<p style="width: 2000px">wide</p><img src="http://127.0.0.1:1/picture.png">
<svg role="img" aria-labelledby="none"></svg><script>console.error("oh"); undefinedFunction()</script></body></html>"""


def test_the_checks_see_a_page_that_is_wrong(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(BAD)
    browser.open(page, 400)
    assert browser.evaluate("document.documentElement.scrollWidth") > 400
    assert len(browser.evaluate(OVERFLOWING)) >= 1
    assert len(browser.evaluate(WORDLESS)) == 2
    assert len(complaints(browser)) >= 2
    assert "http://127.0.0.1:1/picture.png" in loaded(browser)
    assert not background_is_dark(browser)
