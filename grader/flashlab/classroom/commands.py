"""`flashlab class`: the commands, each of which works in the folder of one class."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flashlab import labs, terminal
from flashlab.classroom import show
from flashlab.classroom.course import Course, create_course, read_course
from flashlab.classroom.gradebook import GradebookFormat, read_gradebook, write_gradebook
from flashlab.classroom.grading import grade_again, grade_new
from flashlab.classroom.intake import read_times, take_in
from flashlab.classroom.runner import Runner, run_jobs
from flashlab.classroom.slurm import Slurm
from flashlab.classroom.slurm_run import SlurmRun
from flashlab.classroom.slurm_task import run_task
from flashlab.classroom.store import ClassStore, Kept
from flashlab.classroom.work import Workshop
from flashlab.device import Device, choose, choose_elsewhere
from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.results import check_writable, write_atomically
from flashlab.sandbox import STRICT, level_here

app = typer.Typer(no_args_is_help=True, help="Grade a whole class and keep its grades.")

CourseOption = Annotated[Path, typer.Option("--course", help="The class's folder.")]
LabOption = Annotated[str | None, typer.Option("--lab", help="Only this lab.", show_default=False)]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="At once; default: one per CPU.", show_default=False),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="The same for the whole class.")]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Instead of the class's own.", show_default=False),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Refuse less than the best sandbox.", envvar=STRICT)
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", help="Where to write; default: print.", show_default=False),
]
SlurmOption = Annotated[
    bool, typer.Option("--slurm", help="On the machines of a cluster, as job arrays.")
]
PartitionOption = Annotated[
    str | None, typer.Option("--partition", help="For --slurm.", show_default=False)
]
GpusOption = Annotated[
    int | None, typer.Option("--gpus-per-task", min=1, help="For --slurm.", show_default=False)
]
TimeOption = Annotated[
    str | None,
    typer.Option("--time", help="For --slurm: a task's time limit.", show_default=False),
]
HERE = Path()


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where the class shall be kept.")],
    roster: Annotated[
        Path | None, typer.Option(help="A CSV file of students to copy.", show_default=False)
    ] = None,
) -> None:
    """Make the folder of a class: class.toml and roster.csv, to be filled in."""
    create_course(context.obj, folder, roster)
    _console().print(
        f"edit {folder}/class.toml and {folder}/roster.csv, then: flashlab class grade"
    )


@app.command()
def grade(
    context: typer.Context,
    submissions: Annotated[list[Path], typer.Argument(help="Folders, zip or tar files.")],
    course_folder: CourseOption = HERE,
    lab: LabOption = None,
    jobs: JobsOption = None,
    device: DeviceOption = Device.VGPU,
    seed: SeedOption = None,
    slurm: SlurmOption = False,
    partition: PartitionOption = None,
    gpus: GpusOption = None,
    limit: TimeOption = None,
    times: Annotated[
        Path | None,
        typer.Option(help="CSV file: student,lab,submitted_at.", show_default=False),
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Take in submissions and grade what has no grade yet. Run it again to go on, or with new submissions."""
    console = _console()
    _demand(strict)
    cluster = _cluster(slurm, partition, gpus, limit, jobs, device)
    with _open(context.obj, course_folder) as (course, store):
        only = course.lab(lab) if lab else None
        moments = read_times(course, times) if times else {}
        problems: list[str] = []
        for root in submissions:
            intake = take_in(course, root, only, moments)
            store.keep_submissions(intake.handed)
            problems += intake.problems
            show.intake(console, root, intake)
        workshop = _workshop(context.obj, course, device, seed, cluster)
        chosen = [only] if only else list(course.labs)
        run = _runner(console, store, workshop, cluster, jobs)
        graded = grade_new(store, workshop, chosen, run)
        show.graded(console, graded, problems)
        if graded.failures:
            raise UsageError(f"{len(graded.failures)} submissions have no grade yet; see above")


@app.command()
def regrade(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    lab: LabOption = None,
    student: Annotated[
        str | None, typer.Option(help="Only this student.", show_default=False)
    ] = None,
    jobs: JobsOption = None,
    device: DeviceOption = Device.VGPU,
    seed: SeedOption = None,
    slurm: SlurmOption = False,
    partition: PartitionOption = None,
    gpus: GpusOption = None,
    limit: TimeOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the new results the grades.")
    ] = False,
    strict: StrictOption = False,
) -> None:
    """Grade again with the present grader and lab.toml, and show what would change. Only --apply changes grades."""
    console = _console()
    _demand(strict)
    cluster = _cluster(slurm, partition, gpus, limit, jobs, device)
    with _open(context.obj, course_folder) as (course, store):
        only = course.lab(lab) if lab else None
        person = course.roster.find(student) if student else None
        if student and person is None:
            raise UsageError(f"{student!r} is not in {course.folder / 'roster.csv'}")

        def chosen(kept: Kept) -> bool:
            right_lab = only is None or kept.lab == only.lab.name
            return right_lab and (person is None or kept.student == person.id)

        workshop = _workshop(context.obj, course, device, seed, cluster)
        run = _runner(console, store, workshop, cluster, jobs)
        changes, failures = grade_again(store, workshop, chosen, run)
        show.changes(console, changes)
        if apply:
            store.set_grades((c.submission.student, c.submission.lab, c.key) for c in changes)
            console.print(f"{len(changes)} grades are from the present grader now")
        elif changes:
            console.print("no grade was changed; the same command with --apply does it")
        show.failures(console, failures)
        if failures:
            raise UsageError(f"{len(failures)} submissions could not be graded again; see above")


@app.command(hidden=True)
def work(context: typer.Context, folder: Path, index: int) -> None:
    """One task of an array: grades its shard. Slurm starts it."""
    run_task(context.obj, folder, index)


@app.command()
def gradebook(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    wanted: Annotated[GradebookFormat, typer.Option("--format")] = GradebookFormat.PLAIN,
    output: OutputOption = None,
) -> None:
    """Write the grades, penalties for lateness included, as a CSV file."""
    with _open(context.obj, course_folder) as (course, store):
        book = read_gradebook(course, store)
        _write(output, write_gradebook(book, wanted))
        for person, lab, entry in book.ungraded():
            what = f"{person.id}, {lab}: no grade ({entry.state}), so the cell is empty"
            print(f"note: {terminal.clean(what)}", file=sys.stderr)


@app.command()
def feedback(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    output: Annotated[
        Path | None, typer.Option(help="Default: feedback/ in the class.", show_default=False)
    ] = None,
) -> None:
    """Write one page per student, with hidden cases by their category only."""
    from flashlab.classroom.feedback import feedback_pages

    with _open(context.obj, course_folder) as (course, store):
        folder = output or course.folder / "feedback"
        check_writable(folder)
        count = 0
        for student, page in feedback_pages(read_gradebook(course, store)):
            write_atomically(folder / f"{student.id}.html", page)
            count += 1
        _console().print(f"{count} pages in {folder}")


@app.command()
def report(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    output: Annotated[
        Path | None, typer.Option(help="Default: report.html in the class.", show_default=False)
    ] = None,
) -> None:
    """Write the page of the whole class: points, cases, commonest mistakes, memory against time."""
    from flashlab.classroom.report import report_of_class
    from flashlab.report.html import to_html

    with _open(context.obj, course_folder) as (course, store):
        path = output or course.folder / "report.html"
        write_atomically(path, to_html(report_of_class(read_gradebook(course, store), store)))
        _console().print(f"report: {path}")


@app.command()
def leaderboard(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    output: Annotated[
        Path | None, typer.Option(help="Default: leaderboard/ in the class.", show_default=False)
    ] = None,
) -> None:
    """Write how fast right kernels are, by lab and device; who is in leaderboard.csv appears, under a pseudonym."""
    from flashlab.classroom.leaderboard import make_leaderboard, to_csv, to_json, to_report
    from flashlab.classroom.pseudonyms import read_entrants
    from flashlab.report.html import to_html

    with _open(context.obj, course_folder) as (course, store):
        entrants = read_entrants(course.folder / "leaderboard.csv", course.roster)
        found = make_leaderboard(read_gradebook(course, store), store, entrants)
        folder = output or course.folder / "leaderboard"
        check_writable(folder)
        write_atomically(folder / "leaderboard.html", to_html(to_report(found)))
        write_atomically(folder / "leaderboard.json", to_json(found))
        write_atomically(folder / "leaderboard.csv", to_csv(found))
        show.leaderboard(_console(), found, folder)


@app.command()
def similar(
    context: typer.Context,
    course_folder: CourseOption = HERE,
    lab: LabOption = None,
    least: Annotated[
        int, typer.Option(min=1, max=100, help="Share of one's own code, per cent.")
    ] = 70,
    output: Annotated[
        Path | None, typer.Option(help="Default: similar.html in the class.", show_default=False)
    ] = None,
) -> None:
    """List pairs of submissions that share code, for a human to judge; what the stub gives does not count."""
    from flashlab.classroom.similar import similar_pairs
    from flashlab.classroom.similar_page import similar_page

    with _open(context.obj, course_folder) as (course, store):
        kept = [item for item in store.submissions() if item.refusal is None]
        pairs = []
        for chosen in [course.lab(lab)] if lab else course.labs:
            name = chosen.lab.name
            groups: dict[tuple[str, str], list[str]] = {}  # those who handed in together
            for item in kept:
                if item.lab == name:
                    groups.setdefault((item.found_in, item.sha256), []).append(item.student)
            codes = {
                " + ".join(students): store.source(sha256).decode("utf-8", errors="replace")
                for (_, sha256), students in groups.items()
            }
            stub = labs.find(context.obj, name).stub
            pairs += similar_pairs(chosen.lab.short, stub, codes, least / 100)
        path = output or course.folder / "similar.html"
        write_atomically(path, similar_page(f"{course.title}: similar code", pairs, least / 100))
        _console().print(f"{len(pairs)} pairs to look at: {path}")


def _cluster(
    wanted: bool,
    partition: str | None,
    gpus: int | None,
    limit: str | None,
    jobs: int | None,
    device: Device,
) -> Slurm | None:
    """The cluster to grade on, or None for this machine alone."""
    if device is Device.CUDA and gpus is None and wanted:
        gpus = 1
    options = {"--partition": partition, "--gpus-per-task": gpus, "--time": limit}
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    if not wanted:
        if given:
            raise UsageError(f"{given[0].partition('=')[0]} is for --slurm")
        return None
    if jobs is not None:
        raise UsageError("--jobs is for this machine; with --slurm the cluster decides")
    return Slurm.find(given)


def _workshop(
    layout: Layout, course: Course, device: Device, seed: int | None, cluster: Slurm | None
) -> Workshop:
    chosen = choose(layout, device) if cluster is None else choose_elsewhere(layout, device)
    return Workshop.open(layout, course, chosen, seed)


def _runner(
    console: Console,
    store: ClassStore,
    workshop: Workshop,
    cluster: Slurm | None,
    jobs: int | None,
) -> Runner:
    if cluster is not None:
        return SlurmRun(console, workshop, cluster, store.has_result)
    return lambda todo, keep: run_jobs(console, todo, jobs or _cpus(), workshop.run, keep)


@contextlib.contextmanager
def _open(layout: Layout, folder: Path) -> Iterator[tuple[Course, ClassStore]]:
    """The class of a folder, for this process alone."""
    course = read_course(layout, folder)
    check_writable(folder)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another flashlab is at work in {folder}; wait for its end") from None
        store = ClassStore(course.database)
        try:
            yield course, store
        finally:
            store.close()


def _demand(strict: bool) -> None:
    if strict:
        os.environ[STRICT] = "1"
        level_here()  # before any work


def _write(output: Path | None, text: str) -> None:
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_atomically(output, text)


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


def _console() -> Console:
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)
