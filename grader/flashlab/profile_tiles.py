"""Bytes moved against theory, for the tile sizes of the submission: as its source says, and as the count suggests."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flashlab.report.figure import in_bytes
from flashlab.report.theory import Formula, Theory, naive_traffic, theory_of

FITS_WITHIN = 0.02
SIZES = (1, 2, 4, *range(8, 513, 8))
# What the stubs call the rows of a tile, by what theory counts; the first that a source defines is taken.
NAMES = {
    "keys": ("kBc", "Bc", "kTile"),
    "queries": ("kBr", "Br", "kTile"),
    "queries and of keys": ("kTile", "kBr", "Br"),
}
CONSTANT = re.compile(r"\bconstexpr\s+(?:unsigned\s+|std::)?\w+\s+(\w+)\s*=\s*([^;,{}]+);")
NODES = (
    ast.Expression,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.cmpop,
)
NODES += (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)


@dataclass(frozen=True)
class Tile:
    """Rows of a tile with the bytes that theory gives for them; `name` is the constant of the source, or empty."""

    rows: int
    bytes: float
    name: str = ""


@dataclass(frozen=True)
class Traffic:
    """The bytes that were counted, and what theory says. `tiled` tells which rows a tile has: of keys, for example."""

    counted: float
    what: str
    theory: float | None = None  # without tiles
    tiled: str = ""
    in_source: Tile | None = None
    fitted: Tile | None = None  # None when nothing fits within FITS_WITHIN
    nearest: Tile | None = None
    missing: str = ""  # why there is nothing to compare with


def traffic(
    lab: str, shape: Mapping[str, Any], meters: Mapping[str, float], source: str
) -> Traffic:
    """Compares the traffic of one call with theory, which is for whole squares: seq_q = seq_k and no mask. Lab 1's
    counts bytes that must move, those of tiled kernels the bytes that threads ask for.
    """
    requested = Traffic(meters["requested_bytes"], "asked for by threads")
    theory = theory_of(lab)
    n, d = shape["seq_q"], shape["head_dim"]
    if theory is None:
        return requested
    if shape["seq_k"] != n or shape.get("causal", False):
        return replace(requested, missing="theory has formulas for seq_q = seq_k without a mask")
    heads = shape["batch"] * shape["heads"]
    if theory.tiled is None:
        what = "distinct bytes, summed over launches"
        return Traffic(meters["distinct_bytes"], what, heads * naive_traffic(n, d))
    return _tiled(theory, heads, n, d, requested, source)


def _tiled(theory: Theory, heads: int, n: int, d: int, requested: Traffic, source: str) -> Traffic:
    assert theory.tiled is not None

    def tile(rows: int, name: str = "") -> Tile:
        formula: Formula = theory.tiled(rows)
        return Tile(rows, heads * formula(n, d), name)

    def misfit(candidate: Tile) -> tuple[float, bool, int]:
        # Of sizes that make the same number of tiles, a power of two is likeliest.
        power = candidate.rows & (candidate.rows - 1) == 0
        return round(deviation(requested.counted, candidate), 9), not power, candidate.rows

    constants = constants_of(source, {"d": d})
    named = [name for name in NAMES[theory.tile] if constants.get(name, 0) > 0]
    in_source = tile(constants[named[0]], named[0]) if named else None
    nearest = min((tile(rows) for rows in SIZES if rows <= max(n, 8)), key=misfit)
    if in_source is not None and deviation(requested.counted, in_source) <= deviation(
        requested.counted, nearest
    ):
        nearest = in_source
    fits = deviation(requested.counted, nearest) <= FITS_WITHIN
    return replace(
        requested,
        tiled=theory.tile,
        in_source=in_source,
        fitted=nearest if fits else None,
        nearest=nearest,
    )


def deviation(counted: float, tile: Tile) -> float:
    """How far the count is from theory, as a share of theory."""
    return abs(counted - tile.bytes) / tile.bytes


def constants_of(source: str, known: Mapping[str, int]) -> dict[str, int]:
    """The constants of a source whose value follows from integers, each other and `known`; the first of a name."""
    values = dict(known)
    for name, text in CONSTANT.findall(re.sub(r"//.*|/\*(?:.|\n)*?\*/", "", source)):
        value = _value(text, values)
        if value is not None:
            values.setdefault(name, value)
    return values


def _value(text: str, values: Mapping[str, int]) -> int | None:
    choice = re.fullmatch(r"([^?]+)\?([^?:]+):([^?:]+)", text.strip())
    if choice:
        text = f"({choice[2]}) if ({choice[1]}) else ({choice[3]})"
    try:
        tree = ast.parse(text.strip().replace("/", "//"), mode="eval")
        if not all(isinstance(node, NODES) for node in ast.walk(tree)):
            return None
        result = eval(compile(tree, "constant", "eval"), {"__builtins__": {}}, dict(values))
    except (SyntaxError, NameError, ArithmeticError, TypeError):
        return None
    return result if isinstance(result, int) else None


def sentence(traffic: Traffic) -> str:
    """What the comparison says, in a line or two."""
    counted = f"{in_bytes(traffic.counted)} {traffic.what}"
    if traffic.theory is not None:
        ratio = traffic.counted / traffic.theory
        return f"{counted}; theory: {in_bytes(traffic.theory)}, so {ratio:.2f} times as much"
    if traffic.nearest is None:
        return f"{counted}; {traffic.missing}" if traffic.missing else counted
    lines = [counted]
    if traffic.in_source is not None:
        tile = traffic.in_source
        ratio = traffic.counted / tile.bytes
        lines.append(
            f"theory for tiles of {tile.rows} {traffic.tiled} ({tile.name} in the source):"
            f" {in_bytes(tile.bytes)}; counted {ratio:.3f} times that"
        )
    if traffic.fitted is None:
        off = 100 * deviation(traffic.counted, traffic.nearest)
        lines.append(
            f"no tile size explains the count within {FITS_WITHIN:.0%}: nearest is {traffic.nearest.rows}"
            f" {traffic.tiled}, off by {off:.1f} %; something is read more often than once a tile"
        )
    elif traffic.fitted != traffic.in_source:
        off = 100 * deviation(traffic.counted, traffic.fitted)
        lines.append(
            f"the count fits tiles of {traffic.fitted.rows} {traffic.tiled} best, within {off:.1f} %"
        )
    return "\n".join(lines)
