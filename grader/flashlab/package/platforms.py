"""The files of the packages for platforms."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flashlab.classroom.course import Course
from flashlab.grade import VERSION_FILE, grader_version
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.package.archive import Member, below, to_tar
from flashlab.package.course import Machine, course_members
from flashlab.package.tree import TEMPLATES, student_tree

HANDOUTS = "handouts/"
SPARE_SECONDS = (
    30  # of the platform's time, for starting the container and for this package's own end
)
TREE = "flashlab"


def gradescope(layout: Layout, course: Course | None, lab: Lab, machine: Machine) -> list[Member]:
    """The members of a zip file for Gradescope: setup.sh and run_autograder at its top, the tree and the class."""
    words = _words(lab, machine)
    return [
        *(Member(name, _filled(name, words), True) for name in ("setup.sh", "run_autograder")),
        *below(TREE, _grader(layout, course)),
        *below("course", course_members(course, lab, machine)),
    ]


def autolab(layout: Layout, course: Course | None, lab: Lab, machine: Machine) -> list[Member]:
    """The members of a folder for Autolab: what to upload, and what to make the image of."""
    words = _words(lab, machine)
    secret = [
        Member("run", _filled("autolab_run", words), True),
        Member(VERSION_FILE, f"{grader_version(layout)}\n".encode()),
        *below("course", course_members(course, lab, machine)),
    ]
    return [
        Member("autograde.tar", to_tar(secret)),
        Member("autograde-Makefile", _filled("autograde-Makefile", words)),
        Member("Dockerfile", _filled("autolab_Dockerfile", words)),
        Member("README.md", _filled("autolab_README.md", words)),
        *below(TREE, _grader(layout, course)),
    ]


def classroom(labs: Sequence[Lab]) -> list[Member]:
    """The workflow that GitHub runs in each student's repository, which is a student's tree."""
    words = {
        "STEPS": "\n".join(
            _text("classroom_step.yml", {"LAB": lab.short}).rstrip() for lab in labs
        ),
        "RESULTS": "\n".join(
            f'          {lab.short.upper()}_RESULTS: "${{{{ steps.{lab.short}.outputs.result }}}}"'
            for lab in labs
        ),
        "RUNNERS": ",".join(lab.short for lab in labs),
    }
    return [Member(".github/workflows/classroom.yml", _filled("classroom.yml", words))]


def _grader(layout: Layout, course: Course | None) -> list[Member]:
    """A student's tree without what nobody reads where it grades."""
    return [one for one in student_tree(layout, course) if not one.path.startswith(HANDOUTS)]


def _words(lab: Lab, machine: Machine) -> dict[str, str]:
    return {
        "LAB": lab.short,
        "TITLE": lab.title,
        "POINTS": f"{lab.points:g}",
        "SOURCE": lab.source,
        "SECONDS": str(round(machine.minutes * 60) - SPARE_SECONDS),
        "TIMEOUT": str(round(machine.minutes * 60)),
        "THREADS": str(max(1, round(machine.cpus))),
    }


def _filled(name: str, words: Mapping[str, str]) -> bytes:
    return _text(name, words).encode()


def _text(name: str, words: Mapping[str, str]) -> str:
    text = Path(TEMPLATES / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
