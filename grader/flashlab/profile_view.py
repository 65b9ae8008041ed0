"""What `flashlab profile` shows in a terminal."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flashlab.profile import Growth, Profile, ShapeProfile
from flashlab.profile_lines import Counts, Listing
from flashlab.profile_tiles import sentence
from flashlab.report.figure import in_bytes, in_seconds
from flashlab.terminal import clean

BAR = 20  # characters for 100 %
NO_TIME = "\N{EN DASH}"
FULL = 0.5  # of the blocks that a GPU holds at once
CONTEXT = 1  # lines of the source around those with counts
GROWTH_WORDS = (
    (0.5, "not with N, or hardly"),
    (1.4, "in proportion to N"),
    (9.9, "like a matrix of scores"),
)
RESOURCES = {
    "latency": "latency: too few warps",
    "issue": "instruction issue",
    "fma": "float32 arithmetic",
    "mufu": "special functions",
    "integer": "integer arithmetic",
    "tensor": "tensor cores",
    "shared": "shared-memory bandwidth",
    "l1": "L1 cache lookups",
    "l2": "L2 bandwidth",
    "dram": "device-memory bandwidth",
    "launch": "launching the kernel",
}


def show(console: Console, profile: Profile, whole_source: bool) -> None:
    """Prints everything; the source is listed for the first shape, and in full with `whole_source`."""
    order = profile.order
    for shape in profile.shapes:
        console.print(Text(_title(shape), style="bold"))
        if shape.record["status"] != "ok":
            first = clean(shape.record["message"]).partition("\n")[0]
            console.print(Text(f"the result is {shape.record['status']}: {first}", style="red"))
        console.print(_kernels(shape))
        console.print()
        _speed_of_light(console, shape.modelled)
        console.print()
        for line in _traffic(shape):
            console.print(Text(line))
        console.print()
        _look_here(console, profile, shape)
        console.print()
    if profile.growth:
        _growth(console, profile.growth)
        console.print()
    text = order.submission.data.decode("utf-8", errors="replace")
    console.print(Text(f"{order.submission.shown_path}, {_title(profile.shapes[0])}", style="bold"))
    console.print(_source(text.splitlines(), profile.shapes[0].listing, whole_source))


def _title(shape: ShapeProfile) -> str:
    record = shape.record
    sizes = record["shape"]
    causal = ", causal" if sizes["causal"] else ""
    return (
        f"{record['entry']}: B = {sizes['batch']}, H = {sizes['heads']}, Nq = {sizes['seq_q']},"
        f" Nk = {sizes['seq_k']}, d = {sizes['head_dim']}{causal}"
    )


def short_name(kernel: str) -> str:
    """The name of a kernel without its namespace, return type and parameters."""
    return kernel.partition("(")[0].removeprefix("void ").rpartition("::")[2]


def _kernels(shape: ShapeProfile) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("kernel", "launches", "grid", "block", "registers", "spilled", "shared memory"):
        table.add_column(heading, justify="left" if heading == "kernel" else "right")
    for heading in ("occupancy", "limited by", "modelled"):
        table.add_column(heading, justify="left" if heading == "limited by" else "right")
    groups: dict[tuple[Any, ...], list[int]] = {}  # indices of launches that are alike
    for index, launch in enumerate(shape.record["launches"]):
        key = (launch["kernel"], *launch["grid"], *launch["block"], launch["shared_dynamic_bytes"])
        groups.setdefault(key, []).append(index)
    for launches in groups.values():
        first = shape.record["launches"][launches[0]]
        modelled = shape.modelled["launches"] if shape.modelled else []
        table.add_row(
            Text(short_name(first["kernel"])),
            f"{len(launches)}",
            _size(first["grid"]),
            _size(first["block"]),
            _known(first["registers_per_thread"], "{}"),
            _known(first["spill_store_bytes"], "{} B"),
            in_bytes(first["shared_static_bytes"] + first["shared_dynamic_bytes"]),
            _known(first["occupancy"], "{:.0%}"),
            ", ".join(first["occupancy_limited_by"] or ["?"]).replace("_", " "),
            in_seconds(sum(modelled[i]["seconds"] for i in launches)) if modelled else NO_TIME,
        )
    return table


def _size(sizes: Iterable[int]) -> str:
    shown = [f"{size}" for size in sizes]
    while len(shown) > 1 and shown[-1] == "1":
        shown.pop()
    return " x ".join(shown)


def _known(value: float | None, pattern: str) -> str:
    return "?" if value is None else pattern.format(value)


def _speed_of_light(console: Console, modelled: dict[str, Any] | None) -> None:
    if modelled is None:
        console.print(Text("A time is modelled when the result is right."))
        return
    console.print(
        Text(
            f"{in_seconds(modelled['seconds'])} on an {modelled['name']}: modelled from the counts, not measured."
            f" What each part of the GPU takes of it; the limit is {modelled['limiter']}:"
        )
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    for key, share in sorted(modelled["shares"].items(), key=lambda entry: -entry[1]):
        if share >= 0.005:
            bar = "#" * max(round(BAR * share), 1)
            table.add_row("  " + RESOURCES.get(key, key), f"{share:4.0%}", Text(bar, style="cyan"))
    console.print(table)
    waves = max(launch["waves"] for launch in modelled["launches"])
    if waves < FULL:
        words = f"The blocks of this shape fill {waves:.0%} of the GPU; --shape takes a larger one."
        console.print(Text(words))


def _traffic(shape: ShapeProfile) -> list[str]:
    meters, total = shape.record["meters"], shape.listing.total
    lines = ["global memory: " + sentence(shape.traffic).replace("\n", "\n  ")]
    lines[0] += (
        f"\n  distinct: {in_bytes(meters['distinct_bytes'])}, summed over launches; in sectors: "
    )
    lines[0] += in_bytes(meters["sector_bytes"])
    per_request = [
        f"{kind}s {meters[f'sectors_per_{kind}_request']:.2f}"
        for kind in ("load", "store")
        if f"sectors_per_{kind}_request" in meters
    ]
    if per_request:
        lines.append(
            f"sectors per request: {', '.join(per_request)} (32 neighbouring floats take 4)"
        )
    if total.wavefronts:
        share = total.conflicts / total.wavefronts
        lines.append(
            f"shared memory: {total.wavefronts:,} wavefronts, {share:.1%} of them bank conflicts"
        )
    return lines


def _look_here(console: Console, profile: Profile, shape: ShapeProfile) -> None:
    source = profile.order.submission.path.name
    console.print(Text("look here", style="bold"))
    for launch in shape.record["launches"]:
        if launch["spill_store_bytes"]:
            console.print(
                Text(
                    f"  {short_name(launch['kernel'])} spills {launch['spill_store_bytes']} bytes per thread: it wants"
                    " more registers than it can have; smaller tiles per thread need fewer"
                )
            )
            break
    for hint in shape.hints:
        where = profile.sections.get(hint.topic, "")
        cost = ""
        if hint.share and shape.modelled:
            cost = f": up to {hint.share:.0%} of the modelled time"
        console.print(Text.assemble((f"  {source}:{hint.line}", "bold"), cost))
        text = f"{hint.text}; read {where}" if where else hint.text
        console.print(Padding(Text(text), (0, 0, 0, 4), expand=False))


def _growth(console: Console, growth: Growth) -> None:
    words = next(words for most, words in GROWTH_WORDS if growth.exponent < most)
    console.print(Text(f"scratch memory grows as N^{growth.exponent:.2f}: {words}", style="bold"))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("N", "workspace", "elsewhere", "arrays in local memory"):
        table.add_column(heading, justify="right")
    for point in growth.points:
        sizes = (point[f"{key}_bytes"] for key in ("workspace", "unmetered", "local"))
        table.add_row(f"{point['n']}", *(in_bytes(size) for size in sizes))
    console.print(table)


def _source(text: list[str], listed: Listing, whole: bool) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("instr.", "loaded", "stored", "sect/req", "conflicts", "line"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("source", no_wrap=True, overflow="ellipsis")
    shown = set(range(1, len(text) + 1))
    if not whole:
        around = range(-CONTEXT, CONTEXT + 1)
        shown &= {number + step for number in listed.lines for step in around}
    last = 0
    for number in sorted(shown):
        if number > last + 1:
            table.add_row(*[""] * 5, "...", "")
        last = number
        counts = listed.lines.get(number)
        cells = _cells(counts, listed.total) if counts else [""] * 5
        line = Text(clean(text[number - 1].replace("\t", "  ")), style="" if counts else "dim")
        table.add_row(*cells, f"{number}", line)
    if listed.elsewhere.instructions:
        words = Text("in headers, and what the compiler gives no line", style="dim")
        table.add_row(*_cells(listed.elsewhere, listed.total), "", words)
    return table


def _cells(counts: Counts, total: Counts) -> list[str]:
    per_request = counts.sectors_per_request
    share = 100 * counts.instructions / total.instructions
    return [
        f"{share:.1f} %" if share >= 0.05 else "",
        in_bytes(counts.load_bytes) if counts.load_bytes else "",
        in_bytes(counts.store_bytes) if counts.store_bytes else "",
        "" if per_request is None else f"{per_request:.1f}",
        f"{counts.conflicts:,}" if counts.conflicts else "",
    ]
