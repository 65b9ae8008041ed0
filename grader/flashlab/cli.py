"""The commands of `flashlab`. Exit codes: 0 done (whatever the points), 1 the submission does not build or run,
2 usage or environment."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from flashlab import labs, terminal
from flashlab.bench.command import bench
from flashlab.build import Submission, take_snapshot
from flashlab.calibrate_command import calibrate_command
from flashlab.classroom.commands import app as class_app
from flashlab.device import Chosen, Device, choose
from flashlab.errors import FlashLabError, SubmissionError, UsageError
from flashlab.exports.command import export
from flashlab.grade import Graded, Order, build_submission, grade, refused
from flashlab.layout import Layout
from flashlab.package.commands import app as package_app
from flashlab.quiz.command import app as quiz_app
from flashlab.report.format import Format
from flashlab.results import Result, Store, check_writable, dump, write_atomically
from flashlab.sandbox import STRICT
from flashlab.toolchain import find_compiler
from flashlab.worker import Event

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="FlashLab: build, grade and report FlashAttention labs, with or without a GPU.",
)
app.command()(export)
app.add_typer(class_app, name="class")
app.add_typer(package_app, name="package")
app.add_typer(quiz_app, name="quiz")


def main() -> None:
    """Runs the command line on the repository that this package belongs to."""
    run(Layout.of_this_package(), sys.argv[1:])


def run(layout: Layout, arguments: list[str]) -> None:
    """Runs one command and exits with its code; errors that a user can act on become one line."""
    try:
        app(args=arguments, obj=layout, prog_name="flashlab")
    except FlashLabError as error:
        if isinstance(error, SubmissionError) and error.details:
            print(terminal.clean(error.details), file=sys.stderr)
        print(f"flashlab: {terminal.clean(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)


def _console() -> Console:
    # A pipe has no width: long lines there are better than lines broken at 80.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


LabName = Annotated[str, typer.Argument(metavar="LAB", help="lab1, 1 or lab1_naive")]


@app.command("grade")
def grade_command(
    context: typer.Context,
    lab: LabName,
    submission: Annotated[
        Path | None, typer.Option(help="The .cu file; default: the lab's own.", show_default=False)
    ] = None,
    device: Annotated[Device, typer.Option(help="auto: a real GPU if usable.")] = Device.AUTO,
    case: Annotated[str | None, typer.Option(help="Only cases that match this glob.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Repeats the inputs of a run.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the result here.")] = None,
    strict: Annotated[
        bool, typer.Option(help="Refuse to grade in less than the best sandbox.", envvar=STRICT)
    ] = False,
) -> None:
    """Build a submission, grade it, show the cases and keep the result."""
    layout: Layout = context.obj
    console = _console()
    if strict:
        os.environ[STRICT] = "1"
    chosen_lab = labs.find(layout, lab)
    snapshot = take_snapshot(layout, submission or chosen_lab.stub)
    store = Store(layout.results)
    check_writable(store.root)
    if json is not None:
        check_writable(json.absolute().parent)
    order = Order(chosen_lab, snapshot, choose(layout, device), case, seed)
    try:
        graded = _grade(layout, console, order)
    except SubmissionError as error:
        if json is not None:  # platforms need a result of 0 points with the reason, too
            result = refused(layout, order, find_compiler(layout), error.whole)
            write_atomically(json, dump(result))
        raise
    path = store.save(graded.result)
    if json is not None:
        write_atomically(json, dump(graded.result))
    terminal.show_result(console, graded.result)
    console.print(f"result: {layout.shown(path)}; ./flashlab report draws all results")
    if graded.problem is not None:
        raise graded.problem


@app.command("profile")
def profile_command(
    context: typer.Context,
    lab: LabName,
    submission: Annotated[
        Path | None, typer.Option(help="The .cu file; default: the lab's own.", show_default=False)
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            help="As in heads=4,seq=1024,d=64,causal; may be repeated. Default: the largest cases of the lab.",
            show_default=False,
        ),
    ] = None,
    gpu: Annotated[str, typer.Option(help="Whose time is modelled.")] = "h200",
    json: Annotated[Path | None, typer.Option(help="Also write all of it here.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="List the whole source.")] = False,
) -> None:
    """Show what a submission's kernels do on the virtual GPU: time, memory, traffic, and which lines cause it."""
    from flashlab import profile, profile_view

    layout: Layout = context.obj
    console = _console()
    chosen_lab = labs.find(layout, lab)
    snapshot = take_snapshot(layout, submission or chosen_lab.stub)
    shapes = tuple(profile.parse_shape(text) for text in shape or [])
    stored = layout.results / f"profile/{chosen_lab.name}.json"
    for path in (stored, json) if json is not None else (stored,):
        check_writable(path.absolute().parent)
    device = choose(layout, Device.VGPU)
    _show_order(console, snapshot, device)
    _, library = build_submission(layout, snapshot)
    order = profile.Order(
        chosen_lab, snapshot, library, device, shapes or profile.default_shapes(chosen_lab), gpu
    )
    with _progress(console) as bar:
        task = bar.add_task(chosen_lab.short, total=profile.steps(order))
        result = profile.profile(layout, order, lambda: bar.advance(task))
    text = dump(result.document())
    write_atomically(stored, text)
    if json is not None:
        write_atomically(json, text)
    profile_view.show(console, result, whole)


@app.command()
def status(context: typer.Context) -> None:
    """Show every lab with its last score, and which comes next."""
    layout: Layout = context.obj
    store = Store(layout.results)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("lab", "title", "points", "left", "graded", "file"):
        table.add_column(heading, justify="right" if heading in ("points", "left") else "left")
    next_lab = None
    for lab in labs.discover(layout):
        result = store.latest(lab.name)
        table.add_row(lab.short, lab.title, *_status_cells(layout, lab, result))
        if next_lab is None and (result is None or result["score"] < lab.points):
            next_lab = lab
    console = _console()
    console.print(table)
    console.print(f"next: make {next_lab.short}" if next_lab else "every lab has all its points")


@app.command("report")
def report_command(
    context: typer.Context,
    of_class: Annotated[
        list[Path] | None,
        typer.Option(
            "--class",
            metavar="FOLDER",
            help="Results of many: a folder or a result file; may be repeated. Default: your own, build/results.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="markdown: a text to edit, with files beside it."),
    ] = Format.HTML,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; default: one in build/report.")
    ] = None,
) -> None:
    """Write figures, tables and an experiment report from the stored results and measurements."""
    from flashlab.report import command

    layout: Layout = context.obj
    report = command.of_class(of_class) if of_class else command.stored(layout)
    _console().print(f"report: {command.write(layout, report, form, output)}", soft_wrap=True)


@app.command()
def demo(context: typer.Context) -> None:
    """Grade and measure the staff solution of every lab on the virtual GPU and write the report."""
    from flashlab.demo import measure_solutions
    from flashlab.report import command

    layout: Layout = context.obj
    console = _console()
    device = choose(layout, Device.VGPU)
    store = Store(layout.demo_results)
    check_writable(store.root)
    results = []
    for lab in labs.discover(layout):
        solution = lab.solution(layout)
        if not solution.exists():
            console.print(f"{lab.short}: no solution in {layout.shown(solution.parent)}")
            continue
        graded = _grade(layout, console, Order(lab, take_snapshot(layout, solution), device))
        store.save(graded.result)
        results.append(graded.result)
        terminal.show_result(console, graded.result)
        console.print()
        if graded.problem is not None:
            raise graded.problem
    if not results:
        raise UsageError(f"{layout.solutions} holds no solution of any lab")
    console.print(terminal.score_table(results))
    console.print("\nmeasuring the solutions over N and over tiles")
    bench = measure_solutions(layout, console, device)
    report = command.student(layout, results, [bench])
    path = command.write(layout, report, Format.HTML, None)
    console.print(f"report: {path}", soft_wrap=True)


@app.command()
def doctor(context: typer.Context) -> None:
    """Show what was found, what is missing with the command for it, and which device would be used."""
    from flashlab.doctor import examine

    findings = examine(context.obj)
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        missing = bool(finding.cure) and finding.required
        mark = (
            Text("missing", "bold red") if missing else Text("ok" if not finding.cure else "note")
        )
        table.add_row(mark, finding.subject, Text(finding.found, overflow="fold"))
        if finding.cure:
            table.add_row("", "", Text(f"-> {finding.cure}", "bold"))
    _console().print(table)
    cures = [finding for finding in findings if finding.cure and finding.required]
    if cures:
        raise UsageError(f"{len(cures)} of {len(findings)} parts are missing; commands above")


app.command("bench")(bench)
app.command("calibrate")(calibrate_command)


def _grade(layout: Layout, console: Console, order: Order) -> Graded:
    _show_order(console, order.submission, order.device)
    compiler, library = build_submission(layout, order.submission)
    with _progress(console) as bar:
        task = bar.add_task(order.lab.short, total=None)

        def follow(event: Event) -> None:
            if event.get("event") == "start":
                bar.update(task, total=event.get("cases"))
            elif event.get("event") == "case":
                bar.advance(task)

        return grade(layout, order, compiler, library, follow)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show_order(console: Console, submission: Submission, device: Chosen) -> None:
    console.print(f"file: {submission.shown_path}", markup=False)
    console.print(f"sha256: {submission.sha256}")
    console.print(f"device: {device.kind}")


def _status_cells(layout: Layout, lab: labs.Lab, result: Result | None) -> tuple[str, ...]:
    whole = terminal.points(lab.points)
    if result is None:
        return f"-/{whole}", whole, "never", layout.shown(lab.stub)
    if result["submission"]["path"] != layout.shown(lab.stub):
        file = f"graded: {result['submission']['path']}"
    elif not lab.stub.exists():
        file = "missing"
    else:
        now = take_snapshot(layout, lab.stub).sha256
        file = "as graded" if now == result["submission"]["sha256"] else "changed since"
    score = f"{terminal.points(result['score'])}/{whole}"
    left = terminal.points(lab.points - result["score"])
    return score, left, result["provenance"]["date"], file
