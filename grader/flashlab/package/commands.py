"""`flashlab package`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flashlab import labs
from flashlab.classroom.course import Course, read_course
from flashlab.errors import UsageError
from flashlab.exports import Format, render
from flashlab.layout import Layout
from flashlab.package.archive import Member, below, to_tar_gz, to_zip
from flashlab.package.course import Machine
from flashlab.package.platforms import autolab, classroom, gradescope
from flashlab.package.run import outcome_of
from flashlab.package.tree import student_tree
from flashlab.results import write_atomically, write_bytes_atomically

app = typer.Typer(no_args_is_help=True, help="Pack the course for students and for platforms.")

STUDENT_FOLDER = "flashlab"  # what a student's archive unpacks to
LabName = Annotated[str, typer.Argument(metavar="LAB", help="lab1, 1 or lab1_naive")]
CourseOption = Annotated[
    Path | None,
    typer.Option(
        "--course", help="The class's folder: its seed, its hidden cases.", show_default=False
    ),
]
FileOption = Annotated[Path, typer.Option("--output", help="The file to write.")]
FolderOption = Annotated[Path, typer.Option("--output", help="The folder to write to.")]
Cpus = Annotated[float, typer.Option(min=0.1, help="Of the platform's container.")]
Memory = Annotated[int, typer.Option(help="Of the platform's container, in MiB.")]
Minutes = Annotated[float, typer.Option(min=1, help="The platform's time limit.")]


@app.command()
def student(context: typer.Context, output: FileOption, course: CourseOption = None) -> None:
    """Pack what students get into a tar.gz file: stubs, grader, handouts, public cases; nothing of the solutions."""
    layout: Layout = context.obj
    members = student_tree(layout, _course(layout, course))
    _write(output, to_tar_gz(below(STUDENT_FOLDER, members)), len(members))


@app.command("gradescope")
def gradescope_command(
    context: typer.Context,
    lab: LabName,
    output: FileOption,
    course: CourseOption = None,
    cpus: Cpus = 0.5,
    memory: Memory = 768,
    minutes: Minutes = 10,
) -> None:
    """Pack the autograder of a lab into a zip file for Gradescope. It holds the seed: for instructors only."""
    layout: Layout = context.obj
    machine = Machine(cpus, memory, minutes)
    members = gradescope(layout, _course(layout, course), labs.find(layout, lab), machine)
    _write(output, to_zip(members), len(members))


@app.command("autolab")
def autolab_command(
    context: typer.Context,
    lab: LabName,
    output: FolderOption,
    course: CourseOption = None,
    cpus: Cpus = 1,
    memory: Memory = 2048,
    minutes: Minutes = 5,
) -> None:
    """Write the autograder of a lab for Autolab, and what to make its image of. For instructors only."""
    layout: Layout = context.obj
    machine = Machine(cpus, memory, minutes)
    _write_all(output, autolab(layout, _course(layout, course), labs.find(layout, lab), machine))


@app.command("classroom")
def classroom_command(
    context: typer.Context,
    output: FolderOption,
    lab: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated; default: all labs.", show_default=False),
    ] = None,
) -> None:
    """Write the workflow with which GitHub Classroom grades; the folder is an unpacked student package."""
    layout: Layout = context.obj
    chosen = [labs.find(layout, word) for word in lab] if lab else labs.discover(layout)
    _write_all(output, classroom(chosen))


@app.command()
def run(
    context: typer.Context,
    lab: LabName,
    course: Annotated[Path, typer.Option(help="The class's folder.")],
    submission: Annotated[Path, typer.Option(help="The folder that the platform filled.")],
    output: FileOption,
    wanted: Annotated[Format, typer.Option("--format", help="The platform's format.")],
) -> None:
    """Grade what one student handed in on a platform; the packages call this. Exit code 2: the file says why there is
    no grade.
    """
    outcome = outcome_of(context.obj, course, lab, submission)
    write_atomically(output, render(outcome, wanted))
    if outcome.failure is not None:
        raise UsageError(f"there is no grade: {outcome.failure}")


def _course(layout: Layout, folder: Path | None) -> Course | None:
    return None if folder is None else read_course(layout, folder)


def _write(output: Path, data: bytes, files: int) -> None:
    write_bytes_atomically(output, data)
    sys.stdout.write(f"{output}: {files} files, {len(data) / 1e6:.1f} MB\n")


def _write_all(folder: Path, members: list[Member]) -> None:
    for member in members:
        path = folder / member.path
        write_bytes_atomically(path, member.data)
        path.chmod(member.mode)
    sys.stdout.write(f"{folder}: {len(members)} files\n")
