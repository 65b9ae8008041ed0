"""The manifest of hostile programs, and how they are built and judged."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flashlab.build import Submission
from flashlab.device import Chosen
from flashlab.judge import Request, run_judge
from flashlab.labs import Lab, find
from flashlab.layout import Layout

LAYOUT = Layout.of_this_package()
LAB = find(LAYOUT, "lab1")
FOLDER = Path(__file__).resolve().parent
CASE, SEED = "forward_n130_d64", 3
INCLUDE = '#include "kernel.cuh"\n'


@dataclass(frozen=True)
class Program:
    """One entry of manifest.toml, which explains the fields."""

    file: str
    class_: str
    refused: str | None = None
    unguarded: str | None = None
    says: str | None = None
    unseen_on_gpu: bool = False
    output: str = ""
    output_without: tuple[str, ...] = ()
    most_output: int | None = None

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.file).stem

    @property
    def honest(self) -> bool:
        """Whether it has to keep its points."""
        return self.class_ == "honest"


def read_manifest() -> list[Program]:
    """All programs, in the manifest's order."""
    entries = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))["program"]
    return [
        Program(**{("class_" if k == "class" else k): v for k, v in e.items()}) for e in entries
    ]


def submission(program: Program) -> Submission:
    """The program as one file, as a student would hand it in."""
    text = (FOLDER / program.file).read_text(encoding="utf-8")
    if INCLUDE not in text:
        raise ValueError(f"{program.file} does not include kernel.cuh")
    shared = (FOLDER / "kernel.cuh").read_text(encoding="utf-8")
    text = text.replace(INCLUDE, shared).replace("@ROOT@", str(LAYOUT.root))
    return Submission(FOLDER / program.file, f"hostile/{program.file}", text.encode())


def judge(library: Path, device: Chosen, lab: Lab = LAB) -> dict[str, Any]:
    """The verdict on the one case that all programs are judged by."""
    request = Request(lab, library, device, CASE, SEED)
    document = run_judge(LAYOUT, request, lambda event: None).document
    (case,) = document["cases"]
    if document["score"] != case["points"]:
        raise RuntimeError(f"{document['score']} points, but the case has {case['points']}")
    return case
