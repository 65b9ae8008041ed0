"""Variants of a source with other tile sizes: the value of `constexpr int NAME = VALUE;` is replaced in a snapshot."""

import re
from dataclasses import replace
from itertools import product

from flashlab.bench.shapes import numbers
from flashlab.build import Submission
from flashlab.errors import UsageError

Tile = tuple[tuple[str, int], ...]
CONSTANT = re.compile(rb"\bconstexpr\s+int\s+(\w+)\s*=\s*([^;{}]*);")


def combinations(options: list[str]) -> list[Tile]:
    """Every combination of `NAME=VALUE,VALUE` options; one empty tile when there are none."""
    axes = []
    for option in options:
        name, equals, values = option.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--tile {option}: give a constant and its values, as in kBr=32,64")
        axes.append([(name, value) for value in numbers(values, f"--tile {name}=")])
    return list(product(*axes))


def with_tile(submission: Submission, tile: Tile) -> Submission:
    """`submission` with the constants of `tile` set to its values; each has to be defined exactly once."""
    data = submission.data
    for name, value in tile:
        found = [match for match in CONSTANT.finditer(data) if match[1] == name.encode()]
        if len(found) != 1:
            known = sorted({match[1].decode() for match in CONSTANT.finditer(data)})
            raise UsageError(
                f"{submission.shown_path}: `constexpr int {name} = VALUE;` is there {len(found)} times, and --tile"
                f" needs it once; constants there: {', '.join(known) or 'none'}"
            )
        start, end = found[0].span(2)
        data = data[:start] + str(value).encode() + data[end:]
    return replace(submission, data=data)


def shown(tile: Tile) -> str:
    """As in `kBr=32 kBc=64`."""
    return " ".join(f"{name}={value}" for name, value in tile)
