"""What `flashlab bench` measured: the lines of its files, and which of them belong to one curve."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flashlab.bench import journal
from flashlab.errors import UsageError
from flashlab.report.theory import operations

Shape = dict[str, Any]
# The model's resources and their names (grader/judge/model/model.hpp), in its order.
RESOURCES = {
    "fma": "float32 arithmetic",
    "mufu": "special functions",
    "integer": "integers",
    "tensor": "tensor cores",
    "issue": "issue slots",
    "shared": "shared memory",
    "l1": "L1",
    "l2": "L2",
    "dram": "DRAM",
    "latency": "latency",
    "launch": "launches",
}


@dataclass(frozen=True)
class Clock:
    """How a time came about: measured on a GPU, or modelled for one from counts."""

    how: str
    name: str
    profile: str = ""  # of the modelled GPU: the name of its file in grader/judge/gpus

    @property
    def basis(self) -> str:
        """In words."""
        return f"modelled for {self.name}" if self.how == "modelled" else f"measured on {self.name}"

    @property
    def key(self) -> str:
        """For names of figures."""
        return self.profile or self.how


@dataclass(frozen=True)
class Measurement:
    """One line of a bench file; `tile` maps the constants that a sweep changed to their values."""

    lab: str
    submission: str
    sha256: str
    tile: tuple[tuple[str, int], ...]
    record: dict[str, Any]
    date: str

    @property
    def shape(self) -> Shape:
        """Of the call: batch, heads, seq_q, seq_k, head_dim, scale, causal."""
        return self.record["shape"]

    @property
    def n(self) -> int:
        """Rows of Q."""
        return self.shape["seq_q"]

    @property
    def heads(self) -> int:
        """Of all batches."""
        return self.shape["batch"] * self.shape["heads"]

    @property
    def slice(self) -> tuple[int, int, bool]:
        """What has to be equal for times to be compared over N: heads of all batches, dimension, mask."""
        return self.heads, self.shape["head_dim"], bool(self.shape.get("causal", False))

    @property
    def ok(self) -> bool:
        """Whether the kernel ran and its output was right."""
        return self.record["status"] == "ok"

    @property
    def square(self) -> bool:
        """As many queries as keys."""
        return self.shape["seq_q"] == self.shape["seq_k"]

    @cached_property
    def operations(self) -> float:
        """Floating-point operations, as the papers count them."""
        return operations(self.lab, self.shape)

    def meter(self, name: str) -> float | None:
        """A reading, or None where the device has none."""
        value = self.record.get("meters", {}).get(name)
        return float(value) if isinstance(value, int | float) else None

    @cached_property
    def extra_bytes(self) -> float | None:
        """Device memory besides the tensors: workspace, and what was allocated past it."""
        workspace = self.meter("workspace_bytes")
        return None if workspace is None else workspace + (self.meter("unmetered_bytes") or 0.0)

    @cached_property
    def times(self) -> dict[Clock, float]:
        """Seconds of one call by each clock that it has."""
        found = {}
        timing = self.record.get("timing")
        if timing:
            found[Clock("measured", self.record["device"]["name"])] = float(timing["median_s"])
        for profile, time in self.modelled.items():
            found[Clock("modelled", time["name"], profile)] = float(time["seconds"])
        return found

    @property
    def modelled(self) -> dict[str, dict[str, Any]]:
        """The model's answer by GPU profile; a GPU on which the kernel does not fit has none."""
        return {name: time for name, time in self.record.get("modelled", {}).items() if time}


def read(paths: Iterable[Path]) -> list[Measurement]:
    """The measurements of bench files. Lines of one key are one point; the last one counts."""
    found: dict[str, Measurement] = {}
    for path in paths:
        for line in journal.read(path):
            try:
                found[line["key"]] = _measurement(line)
            except (KeyError, TypeError, AttributeError, ValueError):
                raise UsageError(
                    f"{path}: the line with the key {line['key']} is no point of a sweep; remove it"
                ) from None
    return [found[key] for key in sorted(found)]


def _measurement(document: dict[str, Any]) -> Measurement:
    series, record = document["series"], document["record"]
    tile = tuple(sorted((str(name), int(value)) for name, value in series["tile"].items()))
    for key in ("batch", "heads", "seq_q", "seq_k", "head_dim"):
        record["shape"][key] + 0
    record["status"] + ""
    date = document.get("provenance", {}).get("date", "")
    return Measurement(
        series["lab"], series["submission"], series["sha256"] or "", tile, record, date
    )


def current(
    measurements: Iterable[Measurement], graded: dict[str, tuple[str, str]]
) -> list[Measurement]:
    """Without older versions: of each path in each lab only the version that was graded (`graded` maps a lab to path
    and sha256), or, where none of it was, the one that was measured last."""
    versions: dict[tuple[str, str], dict[str, str]] = {}
    for one in measurements:
        dates = versions.setdefault((one.lab, one.submission), {})
        dates[one.sha256] = max(dates.get(one.sha256, ""), one.date)
    chosen = {}
    for (lab, path), dates in versions.items():
        graded_path, graded_sha = graded.get(lab, ("", ""))
        newest = max(dates, key=lambda sha: (dates[sha], sha))
        chosen[lab, path] = graded_sha if path == graded_path and graded_sha in dates else newest
    return [one for one in measurements if one.sha256 == chosen[one.lab, one.submission]]


def labels(measurements: Iterable[Measurement]) -> dict[tuple[str, str], str]:
    """A short name for each (lab, submission): the lab alone where it has one submission, else the file's place too."""
    paths: dict[str, set[str]] = {}
    for one in measurements:
        paths.setdefault(one.lab, set()).add(one.submission)
    named = {}
    for lab, of_lab in paths.items():
        for path in of_lab:
            plain = len(of_lab) == 1 and lab != "torch"
            named[lab, path] = short(lab) if plain else f"{short(lab)}, {_place(path)}"
    return named


def _place(path: str) -> str:
    parts = Path(path).parts
    if parts[:1] == ("solutions",):
        return "tuned" if "tuned" in parts else "staff"
    return "own" if parts[:1] == ("labs",) else Path(path).stem


def short(lab: str) -> str:
    """A lab's short name in a text: lab 4 for lab4_flash_attention2."""
    return lab.partition("_")[0].replace("lab", "lab ")
