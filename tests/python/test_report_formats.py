"""Markdown, PDF, the class, the annotated source, the experiment report, and the command that writes them."""

import json
import re

import pytest
from flashlab.errors import UsageError
from flashlab.report import classroom, pdf, render
from flashlab.report.blocks import Figures, Listing, Question, Table, Text
from flashlab.report.classroom import class_report, load_class
from flashlab.report.html import to_html
from flashlab.report.markdown import to_markdown
from flashlab.report.measurements import read
from flashlab.report.student import Material, student_report
from report_material import LABS, SOURCE, case, line, path_of, result, sweep_lines, write_lines


@pytest.fixture
def report(tmp_path, profiles):
    def make(lines=None, results=None, source=SOURCE):
        bench = write_lines(tmp_path / "bench.jsonl", sweep_lines() if lines is None else lines)
        results = results or [result(lab) for lab in LABS]
        return student_report(Material(results, read([bench]), lambda _p, _s: source, profiles))

    return make


def of_kind(report, kind):
    return [block for block in report.blocks if isinstance(block, kind)]


def question(report, title):
    return next(block for block in of_kind(report, Question) if title in block.title)


def table(report, title):
    return next(block for block in of_kind(report, Table) if title in block.title)


def notes(report):
    return [block.text for block in of_kind(report, Text) if block.note]


def test_everything_is_in_a_full_report(report):
    names = {figure.name for block in of_kind(report(), Figures) for figure in block.figures}
    assert {
        "points",
        "memory",
        "traffic",
        "error",
        "time-h200",
        "speedup-h200",
        "roofline-h200",
        "limiter-h200",
        "tile-traffic-lab3_tiled_attention",
        "tile-time-lab3_tiled_attention",
        "lab1_naive-memory",
    } <= names
    assert len(of_kind(report(), Listing)) == 4, "lab 2 has no measurements"


def test_what_is_missing_names_the_command_that_gives_it(report):
    said = " ".join(notes(report(lines=[])))
    assert "`./flashlab bench --preset quick`" in said
    assert "`./flashlab bench lab4 --device vgpu`" in said
    only_lengths = notes(report(lines=[line("lab1_naive", 128)]))
    assert any("--tile kBr=16,32,64,128" in text for text in only_lengths)


def test_points_that_failed_are_listed_with_the_reason(report):
    failed = line("lab1_naive", 256, status="failed", message="out of memory", meters={})
    rows = table(report([line("lab1_naive", 128), failed]), "not in the figures").rows
    assert rows == (("lab 1", "1 × 256 × 64", "–", "failed: out of memory"),)


def test_annotated_source_has_the_counts_of_its_lines(report):
    listing = of_kind(report(), Listing)[0]
    lines = {one.number: one for one in listing.lines}
    assert lines[3].code == "  int x = 1 < 2 && 3 > 2;"
    assert lines[3].cells == ("75.0 %", "1.25 KiB", "4", "8")
    assert lines[2].cells == ("25.0 %", "", "", "")
    assert lines[3].heat == 1 > lines[2].heat > lines[1].heat == 0
    page = to_html(report())
    assert "int x = 1 &lt; 2 &amp;&amp; 3 &gt; 2;" in page


def test_the_lines_to_look_at_first_say_why(report):
    rows = table(report(), "Lines to look at first").rows
    assert rows[0][:2] == ("3", "`int x = 1 < 2 && 3 > 2;`")
    assert "bank conflicts: 50% of this line's wavefronts are repeats" in rows[0][2]


def test_lines_far_from_any_instruction_are_left_out(report):
    listing = of_kind(report(source=SOURCE + "// comment\n" * 30), Listing)[0]
    assert [one.number for one in listing.lines] == [1, 2, 3, 4, 5]


def test_a_source_that_changed_is_not_annotated(report):
    changed = report(source=None)
    assert of_kind(changed, Listing) == []
    assert f"`{path_of('lab1_naive')}` changed since it was graded" in " ".join(notes(changed))


def test_counts_of_other_files_alone_annotate_nothing(report):
    elsewhere = line("lab1_naive", 128)
    for counts in elsewhere["record"]["launches"][0]["lines"]:
        counts["file"] = "flashlab/workspace.h"
    assert of_kind(report(lines=[elsewhere]), Listing) == []


def test_counts_of_another_version_do_not_annotate_this_one(report):
    other = [line(lab, 128) for lab in ("lab1_naive",)]
    other[0]["series"]["sha256"] = "0" * 64
    assert of_kind(report(lines=other), Listing) == []


def test_the_experiment_report_has_the_measured_numbers(report):
    whole = report()
    memory = table(whole, "Memory besides the tensors")
    assert memory.rows[-1] == ("1024", "8 MiB", "8 KiB", "0 B", "100.0 %")
    time = table(whole, "Time of one call")
    assert time.basis == "modelled for NVIDIA H200"
    assert time.rows[-1] == ("1 × 1024 × 64", "83.9 µs", "41.9 µs", "10.5 µs", "8.00×")
    loops = " ".join(question(whole, "Which loop").facts)
    assert "lab 3, keys outside: threads ask for 24.74 MiB per head at N = 1024" in loops
    growth = " ".join(question(whole, "grows as N").facts)
    assert "lab 1, fitted for one head: " in growth
    assert "operations as N^2.00" in growth
    backward = " ".join(question(whole, "recomputing").facts)
    assert "Time: 10.5 µs forward, 31.5 µs backward, 3.00 times" in backward


def test_questions_without_numbers_say_how_to_get_them(report):
    facts = question(report(lines=[]), "Which loop").facts
    assert facts == ("Not measured yet: `./flashlab bench --preset quick` gives the numbers.",)


def test_the_graded_file_is_the_one_in_the_tables(report):
    lines = [line("lab4_flash_attention2", 128) for _ in range(2)]
    lines[1]["series"]["submission"] = "another/a.cu"
    lines[1]["key"] = "another"
    lines[1]["record"]["meters"]["workspace_bytes"] = 12345
    memory = table(report(lines, [result("lab4_flash_attention2")]), "Memory besides the tensors")
    assert memory.rows[0][1] == "0 B"


def test_speed_cases_have_a_table_that_says_how(report):
    speed = {
        "how": "modelled",
        "gpu": "h200",
        "ratio": 1.25,
        "seconds": 1e-5,
        "staff_seconds": 8e-6,
    }
    graded = result("lab4_flash_attention2", [case("speed_n512", "speed", 512, speed=speed)])
    found = table(report(results=[graded]), "Speed of lab4")
    assert found.basis == "modelled for h200"
    assert found.rows[0][:4] == ("`speed_n512`", "1.25", "10 µs", "8 µs")


def test_equal_inputs_equal_bytes(report):
    assert to_html(report()) == to_html(report())
    assert to_markdown(report(), "files") == to_markdown(report(), "files")


def test_markdown_has_its_figures_and_data_beside_it(report):
    written = to_markdown(report(), "files")
    named = set(re.findall(r"\(files/([^)]*)\)", written.text))
    assert named == set(written.files)
    assert all(name.endswith((".svg", ".csv")) for name in named)
    picture = written.files["memory.svg"]
    assert "var(--" not in picture
    assert "#0000" not in picture, "every colour that stands for another is replaced"
    assert "Your answer:" in written.text


def test_text_cannot_become_markdown_or_html(report):
    nasty = case(
        "a|b_`c`", "x", 32, "failed", message="```\n<script>\n# no heading", output="a ``` b"
    )
    written = to_markdown(report(results=[result("lab1_naive", [nasty])]), "files").text
    outside = re.sub(r"^(````+)\n.*?^\1$", "", written, flags=re.DOTALL | re.MULTILINE)
    assert "# no heading" in written
    assert "<script>" not in outside
    assert "# no heading" not in outside
    assert r"a\|b" in written


def test_without_a_browser_pdf_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf, "BROWSERS", ("no-such-browser",))
    with pytest.raises(UsageError, match="apt-get install chromium"):
        pdf.to_pdf("<p>page</p>", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_fails_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(pdf, "BROWSERS", ("false",))
    with pytest.raises(UsageError, match="false could not print the page: exit code 1"):
        pdf.to_pdf("<p>page</p>", tmp_path)


def write_result(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def at(date, score_cases):
    graded = result("lab1_naive", score_cases)
    graded["provenance"]["date"] = date
    return graded


def test_a_class_has_the_newest_result_of_every_student(tmp_path):
    good, bad = [case("a", "x", 32)], [case("a", "x", 32, "failed")]
    write_result(tmp_path / "class/ann/old.json", at("2026-11-01T00:00:00Z", bad))
    write_result(tmp_path / "class/ann/new.json", at("2026-11-02T00:00:00Z", good))
    write_result(tmp_path / "class/bob.json", at("2026-11-01T00:00:00Z", bad))
    write_result(tmp_path / "cy.json", at("2026-11-01T00:00:00Z", good))
    entries = load_class([tmp_path / "class", tmp_path / "cy.json"])
    assert [(entry.student, entry.result["score"]) for entry in entries] == [
        ("ann", 10),
        ("bob", 0),
        ("cy", 10),
    ]


def test_a_class_report_counts_results_cases_and_causes(tmp_path):
    diagnosis = {"cause": "dropped_tail", "text": "keys are missing"}
    lost = case("hard", "x", 32, "failed", diagnosis=diagnosis)
    entries = [classroom.Entry(f"s{n}", result("lab1_naive", [lost])) for n in range(3)]
    entries.append(classroom.Entry("s3", result("lab1_naive", [case("hard", "x", 32)])))
    report = class_report(entries)
    assert table(report, "Labs").rows == (("lab1_naive", "4", "0 %", "0 %", "1", "3"),)
    assert table(report, "Points of every student").rows[3] == ("s3", "10", "10")
    assert table(report, "Causes").rows == (("dropped_tail", "3", "keys are missing"),)
    figures = {
        figure.name: figure for block in of_kind(report, Figures) for figure in block.figures
    }
    assert dict(figures["hardest-lab1_naive"].parts) == {"failed": (3.0,)}
    points = figures["class-points"].series
    assert sorted(x for x, _ in points[0].points) == [0, 0, 0, 100]
    assert len(set(points[0].points)) == 4, "no student hides another"


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_class_command(repository, flashlab, tmp_path, form):
    write_result(tmp_path / "class/ann.json", result("lab1_naive"))
    output = tmp_path / f"out/class.{form}"
    answer = flashlab("report", "--class", tmp_path / "class", "--format", form, "--output", output)
    assert (answer.code, answer.out.strip()) == (0, f"report: {output}")
    assert "ann" in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "missing", "does not exist"),
        (lambda folder: folder, "no result files"),
    ],
)
def test_a_class_that_is_not_there(repository, flashlab, tmp_path, make, said):
    (tmp_path / "empty").mkdir()
    answer = flashlab("report", "--class", make(tmp_path / "empty"))
    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_report_reads_what_bench_has_measured(repository, flashlab):
    flashlab("grade", "lab1")
    write_lines(repository.layout.bench / "quick.jsonl", [line("lab1_naive", 128, modelled={})])
    assert flashlab("report", "--format", "markdown").code == 0
    page = (repository.layout.report.parent / "report.md").read_text(encoding="utf-8")
    assert "### Memory" in page
    assert (repository.layout.report.parent / "report_files/memory.csv").exists()


def test_results_alone_make_a_page_without_measurements_and_experiment():
    page = render([result(lab) for lab in LABS])
    assert "Points of each lab" in page
    assert "Experiment report" not in page
    assert 'class="note"' not in page
