"""The command line of `flashlab calibrate`."""

import datetime
import difflib
import json as jsons
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from flashlab import calibrate, labs
from flashlab.calibrate_curve import (
    Curve,
    Reached,
    propose,
    reach,
    references,
    with_curve,
)
from flashlab.device import Device, choose, host_cpu
from flashlab.errors import UsageError
from flashlab.grade import grader_version
from flashlab.labs import Lab
from flashlab.layout import Layout
from flashlab.results import check_writable, write_atomically
from flashlab.terminal import clean, points
from flashlab.toolchain import find_compiler

PROBLEM_WIDTH = 40


def calibrate_command(
    context: typer.Context,
    lab: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB...]", help="Default: every lab.")
    ] = None,
    device: Annotated[
        Device, typer.Option(help="What the ratios are of: modelled or measured times.")
    ] = Device.VGPU,
    staff_only: Annotated[
        bool, typer.Option("--staff-only", help="Only the staff's modelled times, not the curve.")
    ] = False,
    naive_share: Annotated[
        float, typer.Option(min=0, max=0.5, help="Part of the points for the naive variant.")
    ] = 0.1,
    json: Annotated[Path | None, typer.Option(help="Also write what was found here.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write lab.toml; otherwise only show the difference.")
    ] = False,
) -> None:
    """Compare known kernels with the thresholds for speed and propose thresholds that fit them."""
    layout: Layout = context.obj
    # A pipe has no width: long lines there are better than cut ones.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    chosen = [labs.find(layout, word) for word in lab or []] or labs.discover(layout)
    chosen = [each for each in dict.fromkeys(chosen) if calibrate.speed_cases(each)]
    if not chosen:
        raise UsageError("no lab here has cases that grade speed")
    if json is not None:
        check_writable(json.absolute().parent)
    found = []
    for each in chosen:
        text = each.config.read_text(encoding="utf-8")
        times = calibrate.staff_times(layout, each)
        fresh = calibrate.with_staff_times(text, times)
        console.print(f"{each.short}: {each.title}", style="bold")
        _show_staff(console, each, times)
        if not staff_only:
            fit = Fit.of(console, layout, each, fresh, device, naive_share)
            fit.show(console)
            found.append({**fit.document(), "staff_seconds": times})
            fresh = with_curve(fresh, fit.proposed)
        _finish(console, layout, each, text, fresh, apply)
    if json is not None:
        document = {"provenance": _provenance(layout), "labs": found}
        write_atomically(json, jsons.dumps(document, indent=1) + "\n")


@dataclass(frozen=True)
class Fit:
    """What the known kernels of a lab reach, and the curve for it."""

    lab: Lab
    device: Device
    curve: Curve
    proposed: Curve
    reached: list[Reached]
    reasons: list[str]

    @staticmethod
    def of(
        console: Console, layout: Layout, lab: Lab, text: str, wanted: Device, naive_share: float
    ) -> "Fit":
        """Has all known kernels of `lab` judged, with `text` as its lab.toml."""
        device = choose(layout, wanted)
        known = list(references(layout, lab))
        bar = track(
            known, lab.short, console=console, transient=True, disable=not console.is_terminal
        )
        reached = [each for one in bar for each in reach(layout, lab, text, device, one)]
        curve = Curve.of(lab)
        proposed, reasons = propose(curve, reached, naive_share)
        return Fit(lab, device.kind, curve, proposed, reached, reasons)

    def show(self, console: Console) -> None:
        """The table and the reasons."""
        console.print(self._table())
        for reason in self.reasons:
            console.print(reason, markup=False, soft_wrap=True)

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "lab": self.lab.name,
            "device": str(self.device),
            "curve": asdict(self.curve),
            "proposed": asdict(self.proposed),
            "reached": [
                {
                    "kernel": each.reference.name,
                    "staff": each.reference.is_staff,
                    "naive": each.reference.is_naive,
                    "case": each.case,
                    "ratio": each.ratio,
                    "high": each.high,
                    "points": each.points,
                    "max_points": each.most,
                    "problem": each.problem,
                }
                for each in self.reached
            ],
        }

    def _table(self) -> Table:
        how = "modelled" if self.device is Device.VGPU else "measured"
        table = Table(box=None, header_style="bold", pad_edge=False)
        table.add_column("kernel", no_wrap=True)
        table.add_column("case", no_wrap=True)
        ends = [f"{each.full:g}..{each.none:g}" for each in (self.curve, self.proposed)]
        for heading in (f"{how} ratio", f"points now, {ends[0]}", f"proposed, {ends[1]}"):
            table.add_column(heading, justify="right")
        for each in self.reached:
            name = Text(each.reference.name + (" (naive)" if each.reference.is_naive else ""))
            if each.problem:
                problem = Text(clean(each.problem), "yellow")
                problem.truncate(PROBLEM_WIDTH, overflow="ellipsis")
                table.add_row(name, each.case, problem)
                continue
            ratio = f"{each.ratio:.3f}" + (
                f" (<= {each.high:.3f})" if each.high > each.ratio else ""
            )
            given = (each.points, self.proposed.points(each.most, each.ratio))
            cells = [f"{points(value)}/{points(each.most)}" for value in given]
            table.add_row(name, each.case, ratio, *cells)
        return table


def _show_staff(console: Console, lab: Lab, times: dict[str, float]) -> None:
    for case in calibrate.speed_cases(lab):
        was, now = case["staff_seconds"], times[case["name"]]
        change = f", {now / was - 1:+.1%} against lab.toml"
        console.print(f"staff, {case['name']}: {now * 1e6:.4g} us modelled{change}", markup=False)


def _finish(
    console: Console, layout: Layout, lab: Lab, before: str, after: str, apply: bool
) -> None:
    shown = layout.shown(lab.config)
    if before == after:
        console.print(f"{shown} is as it should be")
        return
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), shown, shown, lineterm="", n=0
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    if apply:
        write_atomically(lab.config, after)
        console.print(f"{shown} is written")
    else:
        console.print(f"{shown} stays as it is; --apply writes it")


def _provenance(layout: Layout) -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "grader_version": grader_version(layout),
        "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "compiler": find_compiler(layout).version,
        "host_cpu": host_cpu(),
    }
