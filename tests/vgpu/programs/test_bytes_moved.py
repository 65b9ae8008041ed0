"""The staff kernels of labs 1, 3 and 4 move the bytes of global memory that their headers say, within 2 %."""

import json
import subprocess
from collections.abc import Callable
from math import ceil
from pathlib import Path

import pytest
from flashlab.layout import Layout

BUILD = Layout.of_this_package().root / "build"

SHAPES = [  # B, H, Nq, Nk, d
    (1, 1, 128, 128, 32),
    (1, 1, 256, 256, 64),
    (1, 1, 192, 192, 128),
    (1, 1, 200, 333, 64),
    (1, 1, 333, 200, 128),
    (2, 3, 100, 160, 32),
]


def lab1(nq: int, nk: int, d: int) -> float:
    """Bytes for one head: solutions/lab1_naive/naive_attention.cu."""
    return nq * (8.25 * nk * d + 20 * nk + 4 * d)


def lab3(nq: int, nk: int, d: int) -> float:
    """Bytes for one head: solutions/lab3_tiled_attention/tiled_attention.cu, where Bc is 4096 / d."""
    passes = ceil(nk / (4096 // d))
    return 4 * (2 * nk * d + passes * nq * d + (2 * passes - 1) * nq * (d + 2))


def lab4(nq: int, nk: int, d: int) -> float:
    """Bytes for one head: solutions/lab4_flash_attention2/flash_attention2.cu."""
    blocks = ceil(nq / 64)
    return 4 * nq * (d + 1) + 8 * nk * d * blocks + 4 * d * 64 * blocks


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("formula", [lab1, lab3, lab4])
def test_bytes_moved_agree_with_the_formula(
    formula: Callable[[int, int, int], float], shape: tuple[int, ...], tmp_path: Path
) -> None:
    counters = tmp_path / "counters.json"
    words = [str(BUILD / "bin/vgpu"), "run", "--counters", "json", "--output", str(counters)]
    words += [str(BUILD / "tests/vgpu/programs" / f"{formula.__name__}_launches")]
    subprocess.run([*words, *map(str, shape), "0"], check=True, timeout=60)
    moved = sum(
        launch["global_load_bytes"] + launch["global_store_bytes"]
        for launch in json.loads(counters.read_text())
    )
    batch, heads, nq, nk, d = shape
    assert moved == pytest.approx(batch * heads * formula(nq, nk, d), rel=0.02)
