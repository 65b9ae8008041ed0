"""`flashlab report`: from stored results and measurements to a file."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.report.blocks import Report
from flashlab.report.classroom import class_report, load_class
from flashlab.report.format import Format
from flashlab.report.html import to_html
from flashlab.report.markdown import to_markdown
from flashlab.report.measurements import read
from flashlab.report.pdf import to_pdf
from flashlab.report.student import Material, student_report
from flashlab.results import Result, Store, check_writable, write_atomically, write_bytes_atomically

NAMES = {Format.HTML: "index.html", Format.MARKDOWN: "report.md", Format.PDF: "report.pdf"}


def student(layout: Layout, results: list[Result], bench: Iterable[Path]) -> Report:
    """The report of `results` with the measurements in the files `bench`."""

    def source_of(path: str, sha256: str) -> str | None:
        try:
            data = (layout.root / path).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        return data.decode("utf-8", errors="replace")

    return student_report(Material(results, read(bench), source_of, layout.gpus))


def stored(layout: Layout) -> Report:
    """The report of the latest result of every lab and of all sweeps."""
    results = Store(layout.results).all_latest()
    if not results:
        raise UsageError("there are no results yet; run: ./flashlab grade lab1")
    return student(layout, results, sorted(layout.bench.glob("*.jsonl")))


def of_class(places: list[Path]) -> Report:
    """The report of a class: result files and folders of them."""
    return class_report(load_class(places))


def write(layout: Layout, report: Report, form: Format, output: Path | None) -> Path:
    """Writes the report where people asked for it, else into build/report; the path."""
    path = output or layout.report.parent / NAMES[form]
    check_writable(path.absolute().parent)
    if form is Format.MARKDOWN:
        folder = path.with_name(f"{path.stem}_files")
        written = to_markdown(report, folder.name)
        for name, text in written.files.items():
            write_atomically(folder / name, text)
        write_atomically(path, written.text)
    elif form is Format.PDF:
        write_bytes_atomically(path, to_pdf(to_html(report), path.absolute().parent))
    else:
        write_atomically(path, to_html(report))
    return path
