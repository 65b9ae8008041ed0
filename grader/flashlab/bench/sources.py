"""Which kernels a sweep measures: labs, files of theirs, variants by tile."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from flashlab import labs
from flashlab.bench.series import Bench, KernelSeries
from flashlab.bench.shapes import Entry, Shape
from flashlab.bench.tiles import Tile, with_tile
from flashlab.build import Submission, take_snapshot
from flashlab.errors import UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout


def entries(lab: Lab) -> list[Entry]:
    """The functions of a lab."""
    settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
    return [Entry(entry["name"], entry["kind"]) for entry in settings["lab"]["entries"]]


def staff_files(layout: Layout, lab: Lab) -> list[Path]:
    """The staff's solution of a lab and, where there is one, the tuned one."""
    solution = lab.solution(layout)
    return [path for path in (solution, solution.parent / "tuned" / lab.source) if path.exists()]


@dataclass(frozen=True)
class Sources:
    """Files of labs, each with every tile."""

    files: tuple[tuple[Lab, Submission], ...]
    tiles: tuple[Tile, ...]

    @staticmethod
    def find(
        layout: Layout, words: list[str], files: list[Path], solution: bool, tiles: list[Tile]
    ) -> "Sources":
        """The files that the command line names. Without any, a lab's own file; without labs, all about attention."""
        chosen = [labs.find(layout, word) for word in words] or [
            lab
            for lab in labs.discover(layout)
            if any(entry.is_attention for entry in entries(lab))
        ]
        if files and len(chosen) != 1:
            raise UsageError(
                "--submission belongs to one lab; name it, as in: bench lab4 --submission F"
            )
        found = []
        for lab in dict.fromkeys(chosen):
            staff = staff_files(layout, lab) if solution else []
            if solution and not staff:
                raise UsageError(f"there is no solution of {lab.short} in {layout.solutions}")
            paths = [*files, *staff] or [lab.stub]
            found += [(lab, take_snapshot(layout, path)) for path in paths]
        for _, submission in found:
            for tile in tiles:
                with_tile(
                    submission, tile
                )  # a constant that is not there stops the sweep before it starts
        return Sources(tuple(found), tuple(tiles))

    def series(self, bench: Bench, shapes: tuple[Shape, ...]) -> list[KernelSeries]:
        """Every file with every tile and each of its functions; masks only where a function has one."""
        return [
            KernelSeries(bench, lab, entry, submission, tile, kept)
            for lab, submission in self.files
            for tile in self.tiles
            for entry in entries(lab)
            if (kept := tuple(s for s in shapes if entry.takes_mask or not s.causal))
        ]
