"""The files of a student's FlashLab: a list of what may be in it, never of what may not."""

import fnmatch
import os
import subprocess
from pathlib import Path, PurePosixPath

from flashlab import labs
from flashlab.classroom.course import Course
from flashlab.errors import UsageError
from flashlab.grade import VERSION_FILE, grader_version
from flashlab.layout import Layout
from flashlab.package.archive import Member
from flashlab.package.lab_config import without_cases
from flashlab.package.leaks import find_leak, solution_text

TEMPLATES = Path(__file__).parent / "templates"
SUFFIXES = (
    ".cpp", ".hpp", ".h", ".def", ".map", ".py", ".toml", ".j2", ".css", ".json", ".md", "CMakeLists.txt",
)  # fmt: skip
ALLOWED = (  # fnmatch: a star goes over slashes
    "LICENSE", "Makefile", "CMakeLists.txt", "flashlab", "requirements*.lock", ".gitignore",
    ".devcontainer/*", "cmake/*.cmake", "tools/setup.sh",
    "labs/include/*.h", "labs/lab*_*/lab.toml",
    "handouts/en/*", "handouts/zh/*", "handouts/figures/*", "handouts/quiz/*",
    *(f"{folder}/*{suffix}" for folder in ("grader", "reference") for suffix in SUFFIXES),
    "grader/flashlab/package/templates/*",
)  # fmt: skip
SKIPPED_FOLDERS = {".git", ".venv", "build", "__pycache__", ".ruff_cache", ".pytest_cache"}
README = "README.md"


def student_tree(layout: Layout, course: Course | None) -> list[Member]:
    """The members of a student's tree. With `course`, cases that its class.toml hides are left out of every lab.toml.
    UsageError when a file holds lines of a solution, as a stub does that somebody has filled in.
    """
    if not layout.solutions.is_dir():
        raise UsageError(
            f"{layout.shown(layout.solutions)} is missing: without the solutions nothing can say"
            " whether a stub holds one; make packages where they are"
        )
    hidden = {} if course is None else _hidden(course)
    stubs = {layout.shown(lab.stub) for lab in labs.discover(layout)}
    members = []
    for name in _names(layout.root):
        if name not in stubs and not any(fnmatch.fnmatchcase(name, glob) for glob in ALLOWED):
            continue
        path = layout.root / name
        data = path.read_bytes()
        if (cases := hidden.get(PurePosixPath(name).parent.name)) and path.name == "lab.toml":
            data = without_cases(data.decode(), cases, name).encode()
        members.append(Member(name, data, os.access(path, os.X_OK)))
    members.append(Member(README, (TEMPLATES / "student_README.md").read_bytes()))
    members.append(Member(VERSION_FILE, f"{grader_version(layout)}\n".encode()))
    leak = find_leak(members, solution_text(layout))
    if leak is not None:
        raise UsageError(f"{leak}; put the stub back: make stubs")
    return members


def _hidden(course: Course) -> dict[str, list[str]]:
    """The names of public cases that students do not see, for each lab's folder."""
    return {
        item.lab.name: sorted(name for name in item.public_cases if item.hides(name))
        for item in course.labs
    }


def _names(root: Path) -> list[str]:
    """The files that git tracks; where there is no git, all but what is made by building."""
    words = ["git", "-C", str(root), "ls-files", "-z"]
    if (root / ".git").exists():
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(f"git cannot list the files of {root}: {error}") from None
        return sorted(name for name in done.stdout.split("\0") if (root / name).is_file())
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        names += [str((Path(folder) / name).relative_to(root)) for name in files]
    return sorted(names)
