"""One kernel on one device: what identifies its points, and how one is measured."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from flashlab.bench.shapes import Entry, Shape
from flashlab.bench.tiles import Tile, shown, with_tile
from flashlab.build import FLAGS, Submission, build
from flashlab.device import Chosen, Device, probe_gpu
from flashlab.errors import SubmissionError
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.measure import measure
from flashlab.toolchain import RUNTIME, Compiler

Record = dict[str, Any]
# What of lab.toml changes a record; points, thresholds and handout anchors do not.
MEASURED_SETTINGS = ("limits", "tolerance", "inputs")
DRIVER_VERSION = Path("/proc/driver/nvidia/version")


class Series(Protocol):
    """Points that share everything but the shape."""

    @property
    def label(self) -> dict[str, Any]:
        """Goes into every line as "series": lab, submission, sha256, device, tile."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def entry(self) -> str:
        """The function that is called."""

    @property
    def shapes(self) -> Sequence[Shape]:
        """What is measured."""

    @property
    def cost_grows(self) -> bool:
        """Whether a point takes time in proportion to its work, as on the virtual GPU: only then it is predicted."""

    def operations(self, shape: Shape) -> float | None:
        """Floating-point operations by the usual count; None where there is none."""

    def request(self, shape: Shape) -> dict[str, Any]:
        """The sizes of `shape` as a record names them."""

    def identity(self, shape: Shape) -> dict[str, Any]:
        """Everything that the record depends on. Equal identities need one measurement."""

    def measure(self, shape: Shape) -> Record:
        """The record of one shape, whatever comes of it; raises UsageError when the environment is at fault."""


def key_of(series: Series, shape: Shape) -> str:
    """The name of a point: a hash of its identity."""
    text = json.dumps(series.identity(shape), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def bare_record(entry: str, shape: dict[str, Any], status: str, message: str) -> Record:
    """A record of what could not be measured: skipped, or failed before there was anything to read."""
    return {
        "shape": shape,
        "entry": entry,
        "status": status,
        "message": message,
        "seconds": 0.0,
        "error": None,
        "meters": {},
    }


@dataclass(frozen=True)
class Bench:
    """What all kernels of a sweep share. `seed` draws the inputs; a fixed one makes points comparable."""

    layout: Layout
    compiler: Compiler
    device: Chosen
    seed: int

    @property
    def models(self) -> list[Path]:
        """Profiles of the GPUs whose times are modelled: all, so that a new question needs no new measurement."""
        virtual = self.device.kind is Device.VGPU
        return sorted(self.layout.gpus.glob("*.toml")) if virtual else []

    def config(self, lab: Lab) -> str:
        """A hash of the grader as far as records depend on it: its programs, GPU models, headers, the lab's inputs."""
        layout = self.layout
        files = [layout.measure, layout.worker, *self.models]
        files += sorted(path for path in layout.headers.rglob("*") if path.is_file())
        if self.device.kind is Device.VGPU:
            files.append(self.device.runtime / RUNTIME)
        settings = tomllib.loads(lab.config.read_text(encoding="utf-8"))
        kept = {name: settings.get(name) for name in MEASURED_SETTINGS}
        digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
        for path in files:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    @cached_property
    def device_name(self) -> str:
        """The device with what its speed depends on; the virtual GPU is the same on every machine."""
        if self.device.kind is Device.VGPU:
            return "vgpu"
        driver = DRIVER_VERSION.read_text(encoding="utf-8") if DRIVER_VERSION.exists() else ""
        return f"cuda {probe_gpu().name} {driver.partition(chr(10))[0]}"


@dataclass(frozen=True)
class KernelSeries:
    """A submission's function with tile constants replaced."""

    bench: Bench
    lab: Lab
    function: Entry
    submission: Submission
    tile: Tile
    shapes: tuple[Shape, ...]

    @property
    def label(self) -> dict[str, Any]:
        """See Series."""
        return {
            "lab": self.lab.name,
            "submission": self.submission.shown_path,
            "sha256": self.submission.sha256,
            "device": str(self.bench.device.kind),
            "tile": dict(self.tile),
        }

    @property
    def name(self) -> str:
        """See Series. Lab 2 has several functions, so it says which."""
        path = self.submission.path
        file = f"tuned/{path.name}" if path.parent.name == "tuned" else path.name
        function = "" if self.function.is_attention else self.entry.partition("_")[2]
        return " ".join(filter(None, (self.lab.short, file, function, shown(self.tile))))

    @property
    def entry(self) -> str:
        """See Series."""
        return self.function.name

    @property
    def cost_grows(self) -> bool:
        """See Series."""
        return self.bench.device.kind is Device.VGPU

    def operations(self, shape: Shape) -> float | None:
        """See Series."""
        attends = self.function.is_attention
        return shape.operations(backward=self.function.backward) if attends else None

    def request(self, shape: Shape) -> dict[str, Any]:
        """See Series."""
        return self.function.request(shape)

    def identity(self, shape: Shape) -> dict[str, Any]:
        """See Series. Where the file lies is not part of it."""
        return {
            "lab": self.lab.name,
            "source": self.submission.sha256,
            "tile": self.tile,
            "shape": self.request(shape),
            "seed": self.bench.seed,
            "device": self.bench.device_name,
            "grader": self._config,
            "toolchain": [self.bench.compiler.version, *FLAGS],
        }

    def measure(self, shape: Shape) -> Record:
        """See Series. A variant that does not build or load is a failed point."""
        request = self.request(shape)
        try:
            records = measure(
                self.bench.layout,
                self.lab,
                self._library(),
                self.bench.device,
                [request],
                gpus=[path.stem for path in self.bench.models],
                seed=self.bench.seed,
            )
            return next(iter(list(records)))
        except SubmissionError as error:
            reason = ": ".join([str(error), *error.details.splitlines()[:1]])
            return bare_record(self.entry, request, "failed", reason)

    @cached_property
    def _config(self) -> str:
        return self.bench.config(self.lab)

    @cached_property
    def _built(self) -> Path | SubmissionError:
        """The outcome of the one build."""
        variant = with_tile(self.submission, self.tile)
        try:
            return build(self.bench.layout, self.bench.compiler, variant)
        except SubmissionError as error:
            return error

    def _library(self) -> Path:
        if isinstance(self._built, SubmissionError):
            raise self._built
        return self._built
