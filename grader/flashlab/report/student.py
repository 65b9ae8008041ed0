"""The report of one student: all labs' latest results, what was measured, and the skeleton of an experiment report."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flashlab.handouts import link
from flashlab.layout import Layout
from flashlab.report import experiment, machine, sweeps
from flashlab.report.blocks import (
    Block,
    CaseOutcome,
    Facts,
    Figures,
    Heading,
    Report,
    Score,
    Table,
    Text,
)
from flashlab.report.curves import basis_of, figures_of
from flashlab.report.figure import Axis, Bars, Figure, in_bytes, in_seconds
from flashlab.report.measurements import Measurement, current, short
from flashlab.report.source import annotated
from flashlab.report.sweeps import Sweep, sweep_of
from flashlab.report.tiles import against_tile
from flashlab.results import Result

METERS = (  # columns of the meter table: key, heading, whether the value is bytes
    ("workspace_bytes", "workspace", True),
    ("peak_device_bytes", "peak memory", True),
    ("requested_bytes", "requested", True),
    ("sector_bytes", "sectors × 32 B", True),
    ("distinct_bytes", "distinct", True),
    ("sectors_per_load_request", "sectors per load", False),
    ("launches", "launches", False),
)
TITLE = "FlashLab report"
QUICK = "`./flashlab bench --preset quick`"
CASES_OPEN = 3

SourceOf = Callable[[str, str], str | None]
"""The text of the file at a path, if it still has that SHA-256."""


@dataclass(frozen=True)
class Material:
    """What a report is made of. `gpus` holds the GPUs' profiles."""

    results: list[Result]
    measurements: list[Measurement] = field(default_factory=list)
    source_of: SourceOf = lambda _path, _sha: None
    gpus: Path | None = None


def results_report(results: list[Result]) -> Report:
    """Scores, cases and curves of results alone."""
    blocks = _scores(results)
    for result in results:
        blocks += _lab(result)
    return Report(TITLE, tuple(blocks))


def student_report(material: Material) -> Report:
    """The whole report; a part without data says which command gives them."""
    results = material.results
    graded = {r["lab"]: (r["submission"]["path"], r["submission"]["sha256"]) for r in results}
    measured = current(material.measurements, graded)
    sweep = sweep_of(measured)
    blocks = [*_scores(results), *_side_by_side(material, measured, sweep)]
    for result in results:
        blocks += [*_lab(result), *_source(material, result, measured)]
    blocks += experiment.blocks(results, sweep)
    return Report(TITLE, tuple(blocks))


def _scores(results: list[Result]) -> list[Block]:
    return [Heading(1, TITLE, "top"), _summary(results), Figures((points_figure(results),))]


def feedback_report(results: list[Result]) -> Report:
    """What students of a class get: their graded labs, without sweeps, sources and the experiment report."""
    blocks: list[Block] = [
        Heading(1, "FlashLab feedback", "top"),
        _summary(results),
        Figures((points_figure(results),)),
    ]
    for result in results:
        blocks += _lab(result)
    return Report("FlashLab feedback", tuple(blocks))


def _summary(results: list[Result]) -> Table:
    rows = tuple(
        (
            result["lab"],
            result["title"],
            result["device"]["kind"],
            f"{sum(case['status'] == 'passed' for case in result['cases'])}/{len(result['cases'])}",
            f"{result['score']:g}/{result['max_score']:g}",
        )
        for result in results
    )
    head = ("lab", "title", "device", "passed>", "points>")
    return Table("Scores", head, rows, links=tuple(result["lab"] for result in results))


def points_figure(results: list[Result]) -> Bars:
    """Points of each lab by the groups of its cases, with what is missing."""
    groups = list(dict.fromkeys(c.get("group", "other") for r in results for c in r["cases"]))
    reached = {
        group: tuple(
            float(sum(c["points"] for c in r["cases"] if c.get("group", "other") == group))
            for r in results
        )
        for group in groups
    }
    main = sorted(groups, key=lambda group: -sum(reached[group]))[:5]
    parts = [(group, reached[group]) for group in groups if group in main]
    rest = [reached[group] for group in groups if group not in main]
    if rest:
        parts.append(("other", tuple(sum(values) for values in zip(*rest, strict=True))))
    return Bars(
        "points",
        "Points of each lab",
        "graded",
        "Points that were reached, by groups of cases. The number behind a bar says how many there are.",
        Axis("points"),
        tuple(short(r["lab"]) for r in results),
        tuple(parts),
        tuple(f"{r['score']:g} of {r['max_score']:g}" for r in results),
    )


def _side_by_side(
    material: Material, measured: list[Measurement], sweep: Sweep | None
) -> list[Block]:
    blocks: list[Block] = [Heading(2, "The labs side by side", "side-by-side")]
    if sweep is None:
        blocks.append(
            Text(
                f"No measurements yet, so there are no figures of memory, time and traffic over many N: {QUICK} gives"
                " them.",
                note=True,
            )
        )
        return blocks
    clocks = sweep.clocks
    if any(clock.how == "modelled" for clock in clocks):
        blocks.append(
            Text(
                "A modelled time is no measurement: it is worked out from exact counts of the virtual GPU and the"
                " data sheet of the GPU it is for. Every figure and table says which of the two it shows."
            )
        )
    figures: list[Figure] = list(sweeps.against_length(sweep))
    for clock in clocks[:1]:
        figures += sweeps.against_clock(sweep, clock)
    blocks.append(Figures(tuple(figures)))
    blocks += [Heading(3, "Traffic and time against the size of a tile", "tiles")]
    tiles = against_tile(measured, sweep.clocks)
    blocks.append(
        Figures(tuple(tiles))
        if tiles
        else Text(
            "No sweep over tile sizes yet: `./flashlab bench lab4 --tile kBr=16,32,64,128` gives one.",
            note=True,
        )
    )
    blocks += [Heading(3, "What limits the kernels", "limits"), *_limits(material, sweep)]
    return [*blocks, *_left_out(measured)]


def _limits(material: Material, sweep: Sweep) -> list[Block]:
    figures: list[Figure | None] = []
    for clock in sweep.clocks[:1]:
        if clock.profile and material.gpus is not None:
            peaks = machine.load_peaks(material.gpus / f"{clock.profile}.toml")
            figures.append(machine.roofline(sweep, clock, peaks))
        figures.append(machine.limiters(sweep, clock))
    present = tuple(figure for figure in figures if figure is not None)
    blocks: list[Block] = [Figures(present)] if present else []
    times = machine.time_table(sweep)
    if times:
        blocks.append(times)
    if not present:
        blocks.append(
            Text(
                f"What limits a kernel is modelled from counts of the virtual GPU: {QUICK} with `--device vgpu` gives"
                " it.",
                note=True,
            )
        )
    return blocks


def _left_out(measured: list[Measurement]) -> list[Block]:
    """Points of the bench that no figure shows, with the reason."""
    rows = tuple(
        (short(one.lab), f"{one.heads} × {one.n} × {one.shape['head_dim']}", _tile(one), why)
        for one in measured
        if not one.ok
        for why in [f"{one.record['status']}: {one.record.get('message', '')}"]
    )
    head = ("lab", "B H × N × d", "tile", "why")
    return [Table("Measured, but not in the figures", head, rows)] if rows else []


def _tile(one: Measurement) -> str:
    return " ".join(f"{name}={value}" for name, value in one.tile) or "–"


def _lab(result: Result) -> list[Block]:
    cases, lab = result["cases"], result["lab"]
    provenance, submission = result["provenance"], result["submission"]
    blocks: list[Block] = [
        Heading(2, f"{lab}: {result['title']}", lab),
        Score(result["score"], result["max_score"]),
        Facts(
            (
                ("file", f"`{submission['path']}`"),
                ("SHA-256", f"`{submission['sha256']}`"),
                ("device", f"{result['device']['name']} ({result['device']['kind']})"),
                ("graded", f"{provenance['date']}, grader {provenance['grader_version']}"),
                ("again", f"`{provenance['command']}`"),
                ("compiler", provenance["compiler"]),
                ("host", f"{provenance['host_cpu']}; sandbox {provenance['sandbox']}"),
            )
        ),
    ]
    unsuccessful = [case for case in cases if case["status"] != "passed"]
    if unsuccessful:
        blocks.append(Heading(3, "What to look at", f"{lab}-look"))
        blocks += [_outcome(case, index < CASES_OPEN) for index, case in enumerate(unsuccessful)]
    figures = figures_of(result)
    if figures:
        blocks.append(Heading(3, "Measured against N", f"{lab}-figures"))
        named = (replace(figure, name=f"{lab}-{figure.name}") for figure in figures)
        blocks.append(Figures(tuple(named)))
    blocks += [Heading(3, "Cases", f"{lab}-cases"), _case_table(lab, cases)]
    blocks += _speed(result)
    meters = _meter_table(lab, cases, basis_of(result["device"]))
    if meters:
        blocks += [Heading(3, "Meters", f"{lab}-meters"), meters]
    return blocks


def _outcome(case: dict[str, Any], is_open: bool) -> CaseOutcome:
    rerun = case.get("rerun", "") if case["status"] != "skipped" else ""
    output = case.get("output", "")
    place = case.get("handout", "") if case["status"] != "passed" else ""
    file = link(place, Layout.of_this_package().root)
    read = f"{place}: `{file}`" if file else place
    return CaseOutcome(case["status"], case["name"], case["message"], output, rerun, is_open, read)


def _case_table(lab: str, cases: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (
            f"`{case['name']}`",
            case["status"],
            f"{case['points']:g}/{case['max_points']:g}",
            _largest_error(case),
        )
        for case in cases
    )
    return Table(f"Cases of {lab}", ("case", "status", "points>", "max error>"), rows, "graded")


def _largest_error(case: dict[str, Any]) -> str:
    value = (case.get("error") or {}).get("max_abs")
    return "–" if value is None else f"{value:.1e}"


def _speed(result: Result) -> list[Block]:
    """The cases that are graded for speed: how many times as long as the staff's kernel."""
    rows = []
    bases = set()
    for case in result["cases"]:
        speed = case.get("speed")
        if not speed or speed.get("ratio") is None:
            continue
        bases.add(f"{speed['how']} for {speed['gpu']}")
        limiter = speed.get("limiter") or "–"
        ratio = f"{speed['ratio']:.2f}"
        # A modelled time is exact: its interval is a point.
        if speed.get("low") is not None and speed["low"] != speed.get("high"):
            ratio += f" ({speed['low']:.2f} to {speed['high']:.2f})"
        rows.append(
            (
                f"`{case['name']}`",
                ratio,
                in_seconds(speed["seconds"]) if speed.get("seconds") else "–",
                in_seconds(speed["staff_seconds"]) if speed.get("staff_seconds") else "–",
                limiter,
                f"{case['points']:g}/{case['max_points']:g}",
            )
        )
    if not rows:
        return []
    head = ("case", "time / staff's>", "time>", "staff's>", "limiter", "points>")
    table = Table(f"Speed of {result['lab']}", head, tuple(rows), ", ".join(sorted(bases)))
    return [Heading(3, "Speed", f"{result['lab']}-speed"), table]


def _meter_table(lab: str, cases: list[dict[str, Any]], basis: str) -> Table | None:
    """What was measured: only the meters and the cases that have any."""
    present = [
        meter for meter in METERS if any(meter[0] in case.get("meters", {}) for case in cases)
    ]
    rows = []
    for case in cases:
        meters = case.get("meters", {})
        if any(key in meters for key, _, _ in present):
            cells = (_cell(meters.get(key), is_bytes) for key, _, is_bytes in present)
            rows.append((f"`{case['name']}`", *cells))
    head = ("case", *(f"{heading}>" for _, heading, _ in present))
    return Table(f"Meters of {lab}", head, tuple(rows), basis) if rows else None


def _cell(value: float | None, is_bytes: bool) -> str:
    if value is None:
        return "–"
    return in_bytes(value) if is_bytes else f"{value:.4g}"


def _source(material: Material, result: Result, measured: list[Measurement]) -> list[Block]:
    """The source with what each line costs, at the largest shape that was measured of just this file."""
    lab, submission = result["lab"], result["submission"]
    heading = Heading(3, "Annotated source", f"{lab}-source")
    of_file = [
        one
        for one in measured
        if one.lab == lab and one.sha256 == submission["sha256"] and one.ok and not one.tile
    ]
    text = material.source_of(submission["path"], submission["sha256"])
    if text is None:
        why = f"`{submission['path']}` changed since it was graded; `./flashlab grade` grades it again."
        return [heading, Text(f"No annotated source: {why}", note=True)]
    found = annotated(of_file, text)
    if found:
        return [heading, *found]
    command = f"./flashlab bench {lab.partition('_')[0]} --device vgpu"
    return [
        heading,
        Text(f"No counts by line of this file yet: `{command}` gives them.", note=True),
    ]
