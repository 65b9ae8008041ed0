"""What `flashlab demo` measures: the staff's kernels over N and over tiles, quickly, for the figures of its report."""

from pathlib import Path

from rich.console import Console

from flashlab import labs
from flashlab.bench import sweep
from flashlab.bench.command import Follower
from flashlab.bench.journal import Journal
from flashlab.bench.series import Bench, Series
from flashlab.bench.shapes import grid
from flashlab.bench.sources import Sources, entries, staff_files
from flashlab.bench.tiles import combinations
from flashlab.build import FLAGS, take_snapshot
from flashlab.device import Chosen, host_cpu
from flashlab.grade import grader_version
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler

SEED = 1
GPU = "h200"
# 16 heads: with one block for each head, as in lab 3, a single head would leave nearly all of a GPU idle.
LENGTHS = grid("1", "16", "128,256,512,1K", "64", (False,))
ONE_LENGTH = grid("1", "16", "512", "64", (False,))
# The lab with tuned kernel and tiles too; all of them would take a minute.
DETAILED = "lab4"
TILES = tuple(combinations(["kBr=16,32,64,128"]))


def measure_solutions(layout: Layout, console: Console, device: Chosen) -> Path:
    """Measures on the virtual GPU what no earlier demo has measured; the file with all points."""
    compiler = find_compiler(layout)
    bench = Bench(layout, compiler, device, SEED)
    series: list[Series] = []
    for lab in labs.discover(layout):
        files = tuple((lab, take_snapshot(layout, path)) for path in staff_files(layout, lab))
        kept = files if lab.short == DETAILED else files[:1]
        attention = any(entry.is_attention for entry in entries(lab))
        series += Sources(kept, ((),)).series(bench, LENGTHS if attention else ONE_LENGTH)
        if lab.short == DETAILED:
            series += Sources(files[:1], TILES).series(bench, ONE_LENGTH)
    provenance = {
        "grader_version": grader_version(layout),
        "command": "./flashlab demo",
        "compiler": compiler.version,
        "flags": list(FLAGS),
        "host_cpu": host_cpu(),
        "seed": SEED,
    }
    path = layout.demo_results / "bench" / "demo.jsonl"
    with Journal(path) as journal:
        points = sweep.plan(series)
        follow = Follower(console, journal, points, GPU)
        with follow.bar:
            sweep.run(points, journal, provenance, None, follow)
    return path
