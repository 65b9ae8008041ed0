"""The command line of `flashlab bench`."""

import importlib.util
import re
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from flashlab.bench import sweep, tables
from flashlab.bench.journal import Journal
from flashlab.bench.series import Bench, KernelSeries, Series
from flashlab.bench.shapes import PRESETS, Shape, grid, preset_shapes
from flashlab.bench.sources import Sources
from flashlab.bench.tiles import combinations
from flashlab.build import FLAGS
from flashlab.device import Device, choose, host_cpu
from flashlab.errors import UsageError
from flashlab.grade import grader_version
from flashlab.layout import Layout
from flashlab.results import check_writable
from flashlab.terminal import clean
from flashlab.toolchain import Compiler, find_compiler

INTERRUPTED = 130  # as shells say it of Ctrl-C
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
PRESETS_HELP = " ".join(f"{name}: {preset.about}." for name, preset in PRESETS.items())


def bench(
    context: typer.Context,
    lab: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LAB...]", help="Default: every lab that computes attention."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help=f"Shapes under a name; default: quick. {PRESETS_HELP}")
    ] = None,
    n: Annotated[str | None, typer.Option("--n", help="Sequence lengths: 256,512,1K.")] = None,
    d: Annotated[str | None, typer.Option("--d", help="Head dimensions; default: 64.")] = None,
    heads: Annotated[str | None, typer.Option(help="Numbers of heads; default: 1.")] = None,
    batch: Annotated[str | None, typer.Option(help="Batch sizes; default: 1.")] = None,
    causal: Annotated[bool, typer.Option("--causal", help="With the causal mask.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Without and with the mask.")] = False,
    tile: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V,V", help="Values for a constexpr int of the source."),
    ] = None,
    submission: Annotated[
        list[Path] | None, typer.Option(help="A .cu file; default: the lab's own.")
    ] = None,
    solution: Annotated[
        bool, typer.Option("--solution", help="The staff's solutions, base and tuned.")
    ] = False,
    device: Annotated[
        list[Device] | None, typer.Option(help="May be repeated; default: auto.")
    ] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(help="GPU whose modelled times are shown; may be repeated; default: h200."),
    ] = None,
    max_seconds: Annotated[
        float, typer.Option(min=0, help="Virtual GPU: skip points above this cost; 0: skip none.")
    ] = 120,
    seed: Annotated[int, typer.Option(min=0, help="Draws the inputs.")] = 1,
    torch: Annotated[bool, typer.Option(help="On a GPU: PyTorch's attention too.")] = True,
    name: Annotated[
        str | None,
        typer.Option(help="Results: build/results/bench/NAME.jsonl; default: the preset's name."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write all points here.")] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Only show which points are there and which are not.")
    ] = False,
) -> None:
    """Measure kernels over shapes, tile sizes and devices. What was measured once is never measured again."""
    layout: Layout = context.obj
    # A pipe has no width: long lines there are better than cut ones.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    shapes, title = _shapes(preset, [batch, heads, n, d], causal, both)
    path = _file(layout, name or title)
    gpus = _gpus(layout, gpu or [])
    if csv is not None:
        check_writable(csv.absolute().parent)
    tiles = combinations(tile or [])
    sources = Sources.find(layout, lab or [], submission or [], solution, tiles)
    compiler = find_compiler(layout)
    all_series: list[Series] = []
    for kind in dict.fromkeys(device or [Device.AUTO]):
        setting = Bench(layout, compiler, choose(layout, kind), seed)
        kernels = sources.series(setting, shapes)
        all_series += kernels
        if setting.device.kind is Device.CUDA and torch:
            all_series += _pytorch(console, setting, kernels)
    virtual = any(series.cost_grows for series in all_series)
    with Journal(path) as journal:
        if journal.dropped:
            console.print("dropped a line that an earlier run had not finished writing")
        points = sweep.plan(all_series)
        if only_list:
            _show_plan(console, journal, points)
            return
        provenance = _provenance(context, layout, compiler, seed)
        follower = Follower(console, journal, points, gpus[0])
        try:
            with follower.bar:
                sweep.run(points, journal, provenance, max_seconds or None, follower)
        except KeyboardInterrupt:
            left = len(points) - len(follower.done)
            console.print(f"stopped; {left} points are left, and the same command goes on")
            raise typer.Exit(INTERRUPTED) from None
    console.print(tables.table(follower.done, gpus, virtual=virtual))
    for note in tables.notes(follower.done, gpus, virtual=virtual):
        console.print(note, markup=False, soft_wrap=True)
    if csv is not None:
        tables.save_csv(csv, follower.done)
    console.print(f"points: {layout.shown(path)}")


class Follower:
    """Shows how far a sweep is: a bar with rate and time left in a terminal, a line per point elsewhere."""

    def __init__(
        self, console: Console, journal: Journal, points: list[sweep.Point], gpu: str
    ) -> None:
        self.done: list[sweep.Done] = []
        self._console, self._gpu, self._points = console, gpu, len(points)
        self._start = time.monotonic()
        self._measured = self._seconds = self._work = 0.0
        # Points that are there already cost nothing, so the time left counts the work of the others.
        missing = [point for point in points if not sweep.is_settled(journal, point)]
        self._left = float(sum(point.shape.work for point in missing))
        columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        self.bar = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self.bar.add_task(f"0/{self._points}", total=len(points))

    def __call__(self, done: sweep.Done) -> None:
        """Takes note of a finished point."""
        self.done.append(done)
        if done.fresh:
            self._left -= done.point.shape.work
            if done.line["record"]["status"] != "skipped":
                self._measured += 1
                self._work += done.point.shape.work
        self.bar.update(self._task, advance=1, description=self._told())
        if not self._console.is_terminal:
            self._console.print(tables.progress_line(done, self._gpu), markup=False, soft_wrap=True)

    def _told(self) -> str:
        counted = f"{len(self.done)}/{self._points}"
        if not self._work:
            return counted
        spent = time.monotonic() - self._start
        rate = 60 * self._measured / spent
        left = spent * self._left / self._work
        return f"{counted}, {rate:.1f} points/min, {left / 60:.0f} min {left % 60:.0f} s left"


def _shapes(
    preset: str | None, axes: list[str | None], causal: bool, both: bool
) -> tuple[tuple[Shape, ...], str]:
    """The shapes to measure and what to call them."""
    own = any(axis is not None for axis in axes) or causal or both
    if preset is not None and own:
        raise UsageError(
            f"--preset {preset} has its own shapes; leave out --n, --d, --heads, --batch and masks"
        )
    if not own:
        return preset_shapes(preset or "quick"), preset or "quick"
    batch, heads, n, d = (
        axis or default for axis, default in zip(axes, ("1", "1", "256,512,1K", "64"), strict=True)
    )
    masks = (False, True) if both else (causal,)
    return grid(batch, heads, n, d, masks), "sweep"


def _file(layout: Layout, name: str) -> Path:
    if NAME.fullmatch(name) is None:
        raise UsageError(f"--name {name}: use letters, digits, '.', '_' and '-'")
    return layout.bench / f"{name}.jsonl"


def _gpus(layout: Layout, names: list[str]) -> list[str]:
    known = sorted(path.stem for path in layout.gpus.glob("*.toml"))
    for name in names:
        if name not in known:
            raise UsageError(f"unknown GPU '{name}'; there are models of: {', '.join(known)}")
    return names or ["h200"]


def _pytorch(console: Console, setting: Bench, kernels: list[KernelSeries]) -> list[Series]:
    """Every backend on the shapes of the kernels, forward and backward as they are."""
    if importlib.util.find_spec("torch") is None:
        console.print("PyTorch is not installed, so its attention is not measured")
        return []
    from flashlab.bench.sdpa import BACKENDS, SdpaSeries

    shapes: dict[bool, dict[Shape, None]] = {}
    for kernel in kernels:
        if kernel.function.is_attention:
            shapes.setdefault(kernel.function.backward, {}).update(dict.fromkeys(kernel.shapes))
    return [
        SdpaSeries(backend, backward, setting.device_name, tuple(wanted), setting.seed)
        for backward, wanted in shapes.items()
        for backend in BACKENDS
    ]


def _show_plan(console: Console, journal: Journal, points: list[sweep.Point]) -> None:
    for point in points:
        line = journal.lines.get(point.key)
        state = line["record"]["status"] if line else "missing"
        device = point.series.label["device"]
        words = f"{state:8} {device:5} {clean(point.series.name)}  {point.shape}"
        console.print(words, markup=False, soft_wrap=True)
    there = sum(sweep.is_settled(journal, point) for point in points)
    console.print(f"{there} of {len(points)} points are there")


def _provenance(
    context: typer.Context, layout: Layout, compiler: Compiler, seed: int
) -> dict[str, object]:
    return {
        "grader_version": grader_version(layout),
        "command": command_line(context),
        "compiler": compiler.version,
        "flags": list(FLAGS),
        "host_cpu": host_cpu(),
        "seed": seed,
    }


def command_line(context: typer.Context) -> str:
    """The command as a person would type it: every option that is not at its default."""
    words = ["./flashlab", context.info_name or ""]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if value is None or value == parameter.default:
            continue
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        if parameter.param_type_name == "argument":
            words += [str(each) for each in values]
        elif isinstance(value, bool):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        else:
            words += [word for each in values for word in (parameter.opts[0], str(each))]
    return shlex.join(words)
