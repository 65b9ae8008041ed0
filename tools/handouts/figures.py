"""The pictures of the chapters: handouts/figures/NAME.LANGUAGE.svg, drawn from the course's formulas and data.

Colours are CSS variables, set inside each file for light and dark, so that a page may set them too. Text stays text.
"""

import math
import re
import warnings
from collections.abc import Callable

import course_numbers as numbers
import matplotlib
from flashlab.report import plots
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from words import Words, words_of

INK = plots.INK
SOFT, LINE, PAPER, TINT = "#000012", "#000013", "#000014", "#000015"
BLUE, ORANGE, GREEN, PURPLE = "#000021", "#000022", "#000023", "#000024"
VARIABLES = {
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    PAPER: "--paper",
    TINT: "--tint",
    BLUE: "--series-1",
    ORANGE: "--series-2",
    GREEN: "--series-3",
    PURPLE: "--series-4",
}
# After Okabe and Ito, as in the reports; lines and markers differ too.
STYLE = """
svg { --ink: #1d2126; --soft: #5b6570; --line: #c6ccd2; --paper: #fdfdfb; --tint: #eef1f4;
  --series-1: #0072b2; --series-2: #d55e00; --series-3: #008060; --series-4: #a8478a; }
@media (prefers-color-scheme: dark) { svg { --ink: #e4e7ea; --soft: #a3acb5; --line: #454e57; --paper: #15181b;
  --tint: #262c33; --series-1: #56b4e9; --series-2: #f0874a; --series-3: #3fcf9f; --series-4: #dd8fc0; } }
"""
SETTINGS = plots.SETTINGS | {"axes.grid": False, "lines.linewidth": 1.6}


def draw(name: str, language: str) -> str:
    """The SVG text of a figure."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph"
        )  # the reader's fonts draw the text, not ours
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        svg = plots.print_svg(FIGURES[name](words_of(language)))
    svg = plots.embeddable(svg, name, VARIABLES)
    return re.sub(r"(<svg\b[^>]*>)", rf"\1<style>{STYLE}</style>", svg, count=1) + "\n"


def _blank(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure without axes; a unit is an inch."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    return figure, axes


def _box(axes: Axes, x: float, y: float, w: float, h: float, text: str, colour: str = INK) -> None:
    style = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch((x, y), w, h, boxstyle=style, fc=PAPER, ec=colour, lw=1.3))
    axes.text(x + w / 2, y + h / 2, text, ha="center", va="center", color=INK)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color=colour, lw=1.4)
    )


def _room(axes: Axes, y: float, h: float, width: float, title: str) -> None:
    """A band across the picture: device memory, or the chip."""
    axes.add_patch(Rectangle((0.05, y), width - 0.1, h, fc=TINT, ec="none"))
    axes.text(0.15, y + h - 0.08, title, ha="left", va="top", color=SOFT, fontsize=8.5)


def data_flow(words: Words) -> Figure:
    """Naive and tiled attention: what moves between device memory and chip."""
    figure, axes = _blank(6.6, 4.75)
    for base, title in ((2.45, words["naive"]), (0.1, words["tiled"])):
        axes.text(0.05, base + 2.12, title, ha="left", va="center", weight="bold")
        _room(axes, base + 1.1, 0.9, 6.6, words["device_memory"])
        _room(axes, base, 0.85, 6.6, words["chip"])
    top, low = 2.45 + 1.2, 2.45 + 0.12
    for x, name in ((0.5, "Q, K"), (1.9, "S"), (3.3, "P"), (4.5, "V"), (5.7, "O")):
        _box(axes, x, top, 0.6, 0.45, name, ORANGE if name in "SP" else INK)
    for x, name in ((1.0, "τ Q Kᵀ"), (2.5, "softmax"), (4.5, "P V")):
        _box(axes, x, low, 0.9, 0.42, name, BLUE)
    moves = (
        ((0.8, top), (1.25, low + 0.42), INK),
        ((1.65, low + 0.42), (2.05, top), ORANGE),
        ((2.3, top), (2.75, low + 0.42), ORANGE),
        ((3.15, low + 0.42), (3.5, top), ORANGE),
        ((3.8, top), (4.65, low + 0.42), ORANGE),
        ((4.8, top), (4.95, low + 0.42), INK),
        ((5.3, low + 0.42), (5.9, top), INK),
    )
    for start, end, colour in moves:
        _arrow(axes, start, end, colour)
    top, low = 0.1 + 1.2, 0.1 + 0.12
    for x, name in ((0.5, "Q"), (1.9, "K, V"), (5.7, "O")):
        _box(axes, x, top, 0.6, 0.45, name)
    _box(axes, 1.0, low, 1.0, 0.42, words["tiles"], BLUE)
    _box(axes, 2.7, low, 0.9, 0.42, "S, P", GREEN)
    _box(axes, 4.3, low, 1.0, 0.42, "m, ℓ, O", GREEN)
    for start, end, colour in (
        ((0.8, top), (1.3, low + 0.42), INK),
        ((2.2, top), (1.7, low + 0.42), INK),
        ((2.0, low + 0.21), (2.7, low + 0.21), GREEN),
        ((3.6, low + 0.21), (4.3, low + 0.21), GREEN),
        ((5.1, low + 0.42), (5.9, top), INK),
    ):
        _arrow(axes, start, end, colour)
    return figure


def _walk(words: Words, keys_outside: bool) -> Figure:
    """The order in which pairs of tiles are visited, as four frames."""
    tiles, side = 4, 0.27
    figure, axes = _blank(6.6, 2.15)
    frames = (1, 4, 7, 16)
    for number, steps in enumerate(frames):
        x0, y0 = 0.42 + 1.6 * number, 0.42
        order = [(i, j) for j in range(tiles) for i in range(tiles)]
        if not keys_outside:
            order = [(i, j) for i in range(tiles) for j in range(tiles)]
        for step, (i, j) in enumerate(order, 1):
            now = step == steps
            done = step < steps
            colour = ORANGE if now else BLUE if done else TINT
            x, y = x0 + j * side, y0 + (tiles - 1 - i) * side
            axes.add_patch(Rectangle((x, y), side, side, fc=colour, ec=PAPER, lw=1.2))
            if done or now:
                axes.text(
                    x + side / 2,
                    y + side / 2,
                    str(step),
                    ha="center",
                    va="center",
                    color=PAPER,
                    fontsize=7,
                )
        i, j = order[steps - 1]
        axes.add_patch(Rectangle((x0 - 0.12, y0 + (tiles - 1 - i) * side), 0.07, side, fc=ORANGE))
        axes.add_patch(Rectangle((x0 + j * side, y0 + tiles * side + 0.05), side, 0.07, fc=ORANGE))
        axes.text(
            x0 + tiles * side / 2,
            y0 + tiles * side + 0.24,
            words["keys"] + " →",
            ha="center",
            fontsize=8,
        )
        axes.text(
            x0 - 0.24,
            y0 + tiles * side / 2,
            "← " + words["queries"],
            ha="center",
            va="center",
            rotation=90,
            fontsize=8,
        )
        axes.text(
            x0 + tiles * side / 2,
            y0 - 0.22,
            words["step"].format(steps),
            ha="center",
            color=SOFT,
            fontsize=8,
        )
    title = words["fa1_walk"] if keys_outside else words["fa2_walk"]
    axes.text(0.1, 2.02, title, ha="left", va="center", fontsize=8.5)
    return figure


def online_softmax(words: Words) -> Figure:
    """m and l of one row over eight tiles; the scores were chosen so that the maximum grows three times."""
    scores = [
        [0.5, 1.2, -0.3, 0.8], [1.0, 0.2, 0.9, -1.0], [2.4, 1.1, 0.3, 0.6], [0.1, 2.0, 1.7, -0.5],
        [1.5, 0.4, 2.2, 1.9], [3.6, 0.7, 1.4, 2.1], [0.9, 3.1, 2.5, 0.0], [1.8, 2.9, 3.3, 1.1],
    ]  # fmt: skip
    m, total, maxima, sums, raw = -math.inf, 0.0, [], [], []
    for tile in scores:
        new = max(m, *tile)
        total = total * math.exp(m - new) + sum(math.exp(s - new) for s in tile)
        m = new
        maxima.append(m)
        sums.append(total)
        raw.append(total * math.exp(m))
    figure = Figure(figsize=(6.6, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = range(1, len(scores) + 1)
    for step, tile in zip(steps, scores, strict=True):
        left.plot([step] * len(tile), tile, "o", color=SOFT, ms=3)
    left.step(steps, maxima, where="mid", color=ORANGE, label=words["maximum"])
    left.plot([], [], "o", color=SOFT, ms=3, label=words["scores"])
    right.plot(steps, sums, "s-", color=BLUE, ms=4, label=words["sum_l"])
    right.plot(steps, raw, "^--", color=PURPLE, ms=4, label=words["raw_sum"])
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xlabel(words["tile"])
        axes.set_xticks(list(steps))
        axes.grid(color=LINE, lw=0.5)
        axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8.5)
    return figure


def traffic(words: Words) -> Figure:
    """Bytes for one head against the size of a tile: naive, FA-1, FA-2."""
    n, d = 4096, 64
    tiles = [8, 16, 32, 64, 128, 256, 512]
    figure = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = figure.subplots()
    curves: list[tuple[str, Callable[[int], float], str, str, str]] = [
        (words["naive"], lambda _: numbers.naive_bytes(n, d), INK, "-", ""),
        ("FlashAttention-1, Bc", lambda t: numbers.fa1_bytes(n, d, t), ORANGE, "--", "s"),
        ("FlashAttention-2, Br", lambda t: numbers.fa2_bytes(n, d, t), BLUE, "-", "o"),
    ]
    for label, formula, colour, dash, marker in curves:
        values = [formula(tile) / 1e6 for tile in tiles]
        axes.plot(tiles, values, color=colour, ls=dash, marker=marker, ms=5, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(tiles, [str(tile) for tile in tiles])
    axes.set_yticks([30, 100, 300, 1000], ["30", "100", "300", "1000"])
    axes.minorticks_off()
    axes.set_xlabel(words["rows_of_tile"])
    axes.set_ylabel(words["mb_per_head"])
    axes.grid(color=LINE, lw=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8.5)
    return figure


def memory(words: Words) -> Figure:
    """Memory beyond the tensors against N: S and P, m and l, L."""
    sizes = [2**k for k in range(9, 16)]
    figure = Figure(figsize=(5.4, 3.0), layout="constrained")
    axes = figure.subplots()
    for label, formula, colour, dash, marker in (
        ("S, P: 8 N²", lambda n: 8 * n * n, INK, "-", ""),
        ("m, ℓ: 8 N", lambda n: 8 * n, ORANGE, "--", "s"),
        ("L: 4 N", lambda n: 4 * n, BLUE, "-", "o"),
    ):
        axes.plot(
            sizes,
            [formula(n) for n in sizes],
            color=colour,
            ls=dash,
            marker=marker,
            ms=5,
            label=label,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xticks(sizes, [f"{n // 1024} K" if n >= 1024 else str(n) for n in sizes])
    ticks = {
        2**11: "2 KiB",
        2**15: "32 KiB",
        2**20: "1 MiB",
        2**25: "32 MiB",
        2**30: "1 GiB",
        2**33: "8 GiB",
    }
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
    axes.set_xlabel("N")
    axes.set_ylabel(words["bytes_per_head"])
    axes.grid(color=LINE, lw=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8.5)
    return figure


def roofline(words: Words) -> Figure:
    """An H200's rooflines and where naive and flash attention lie, by the formulas for N = 4096, d = 64."""
    gpu = numbers.H200
    figure = Figure(figsize=(5.4, 3.3), layout="constrained")
    axes = figure.subplots()
    for label, peak, colour, dash in (
        ("float32", gpu.fp32, BLUE, "-"),
        ("bfloat16", gpu.bf16, ORANGE, "--"),
    ):
        xs = [1, peak / gpu.dram, 4096]  # the ridge is between
        ys = [min(peak, x * gpu.dram) / 1e12 for x in xs]
        axes.plot(xs, ys, color=colour, ls=dash, label=label)
    n, d = 4096, 64
    work = numbers.flops(n, d)
    once = 16 * n * d + 4 * n  # every tensor once
    for label, x, peak, marker, colour in (
        (words["naive"] + ", float32", work / numbers.naive_bytes(n, d), gpu.fp32, "s", BLUE),
        (
            words["naive"] + ", bfloat16",
            2 * work / numbers.naive_bytes(n, d),
            gpu.bf16,
            "s",
            ORANGE,
        ),
        (words["flash"] + ", float32", work / once, gpu.fp32, "o", BLUE),
        (words["flash"] + ", bfloat16", 2 * work / once, gpu.bf16, "o", ORANGE),
    ):
        axes.plot(
            [x],
            [min(peak, x * gpu.dram) / 1e12],
            marker,
            color=colour,
            ms=7,
            label=label,
            ls="none",
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([1, 4, 16, 64, 256, 1024, 4096], ["1", "4", "16", "64", "256", "1024", "4096"])
    axes.set_yticks([5, 20, 67, 300, 989], ["5", "20", "67", "300", "989"])
    axes.minorticks_off()
    axes.set_xlabel(words["intensity"])
    axes.set_ylabel("TFLOP/s")
    axes.grid(color=LINE, lw=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8.5)
    return figure


def backward_graph(words: Words) -> Figure:
    """What depends on what in the backward pass."""
    figure, axes = _blank(6.6, 3.3)
    places = {
        "Q": (0.2, 2.6), "K": (0.2, 1.9), "V": (0.2, 1.2), "dO": (0.2, 0.5), "O": (1.5, 0.05), "L": (1.5, 2.85),
        "S": (1.5, 2.2), "P": (2.8, 2.2), "dP": (2.8, 1.0), "D": (2.8, 0.2), "dS": (4.2, 1.5),
        "dV": (5.7, 2.6), "dK": (5.7, 1.5), "dQ": (5.7, 0.5),
    }  # fmt: skip
    again = {"S", "P", "dP", "dS", "D"}
    results = {"dQ", "dK", "dV"}
    w, h = 0.6, 0.36
    edges = (
        ("Q", "S"), ("K", "S"), ("S", "P"), ("L", "P"), ("V", "dP"), ("dO", "dP"), ("dO", "D"), ("O", "D"),
        ("P", "dS"), ("dP", "dS"), ("D", "dS"), ("P", "dV"), ("dS", "dK"), ("dS", "dQ"),
    )  # fmt: skip
    for a, b in edges:
        (xa, ya), (xb, yb) = places[a], places[b]
        _arrow(axes, (xa + w, ya + h / 2), (xb, yb + h / 2), SOFT)
    for name, (x, y) in places.items():
        colour = GREEN if name in again else ORANGE if name in results else INK
        _box(axes, x, y, w, h, name, colour)
    axes.text(3.9, 2.72, "+ dO", color=SOFT, fontsize=8.5)
    axes.text(5.05, 1.85, "+ Q", color=SOFT, fontsize=8.5)
    axes.text(5.05, 0.95, "+ K", color=SOFT, fontsize=8.5)
    axes.text(3.4, 3.15, words["again"], color=GREEN, ha="center", va="center", fontsize=8.5)
    axes.text(5.95, 3.15, words["results"], color=ORANGE, ha="center", va="center", fontsize=8.5)
    return figure


FIGURES: dict[str, Callable[[Words], Figure]] = {
    "data-flow": data_flow,
    "walk-fa1": lambda words: _walk(words, keys_outside=True),
    "walk-fa2": lambda words: _walk(words, keys_outside=False),
    "online-softmax": online_softmax,
    "memory": memory,
    "traffic": traffic,
    "roofline": roofline,
    "backward": backward_graph,
}
