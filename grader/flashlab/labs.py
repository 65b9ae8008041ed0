"""The labs of a repository and the submission file of each."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import UsageError
from flashlab.layout import Layout

MAX_SOURCE_BYTES = 1 << 20


@dataclass(frozen=True)
class Lab:
    """One lab: `name` is its folder (lab1_naive), `config` its lab.toml, `source` the file that a student edits."""

    name: str
    number: int
    title: str
    points: float
    config: Path
    source: str

    @property
    def short(self) -> str:
        """The name that commands use, as in lab1."""
        return f"lab{self.number}"

    @property
    def stub(self) -> Path:
        """The file to fill in, which is graded unless another is named."""
        return self.config.parent / self.source

    def solution(self, layout: Layout) -> Path:
        """The staff's file; students' copies of the repository may be without it."""
        return layout.solutions / self.name / self.source


def discover(layout: Layout) -> list[Lab]:
    """Every lab with a lab.toml, in order of number."""
    found = [load(path) for path in layout.labs.glob("lab*_*/lab.toml")]
    return sorted(found, key=lambda lab: lab.number)


def find(layout: Layout, word: str) -> Lab:
    """The lab called `word`: lab1, 1 or lab1_naive."""
    labs = discover(layout)
    for lab in labs:
        if word in (lab.name, lab.short, str(lab.number)):
            return lab
    known = ", ".join(lab.short for lab in labs) or f"none in {layout.labs}"
    raise UsageError(f"unknown lab '{word}'; the labs are: {known}")


def read_source(path: Path) -> bytes:
    """The bytes of a submission, or a line that says why it cannot be one."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the .cu file in it")
    if path.suffix != ".cu":
        raise UsageError(f"{path} is not a .cu file; give the CUDA source to grade")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SOURCE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    return check_source(data, path)


def check_source(data: bytes, path: Path) -> bytes:
    """`data` itself when it can be a submission, else a line that says why not; `path` is its name there."""
    if len(data) > MAX_SOURCE_BYTES:
        raise UsageError(f"{path} is larger than {MAX_SOURCE_BYTES >> 20} MiB; give a source file")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    if b"\0" in data or not data.strip():
        what = "holds NUL bytes" if data.strip() else "is empty"
        raise UsageError(f"{path} {what}; give the CUDA source to grade")
    return data


def load(config: Path) -> Lab:
    """The lab of a lab.toml, whose folder has the lab's name."""
    name = config.parent.name
    match = re.fullmatch(r"lab(\d+)_\w+", name)
    if match is None:
        raise UsageError(f"{config.parent}: a lab's folder is named as in lab1_naive")
    try:
        settings = tomllib.loads(config.read_text(encoding="utf-8"))
        lab = settings["lab"]
        points = float(sum(case["points"] for case in settings["case"]))
        return Lab(name, int(match[1]), lab["title"], points, config, lab["source"])
    except KeyError as error:
        raise UsageError(f"{config}: {error} is missing; compare with another lab's") from None
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{config} cannot be read: {error}") from None


def case_names(lab: Lab) -> list[str]:
    """The names of a lab's cases, in its order."""
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    return [str(case["name"]) for case in settings["case"]]
