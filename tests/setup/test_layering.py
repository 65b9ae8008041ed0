"""The design's arrows between the parts, checked on every #include line.

Lower parts never include higher ones, and no file includes itself in a circle. A new folder under
`grader/` is an error until it has a line in ALLOWED.
"""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

VGPU = "grader/vgpu"
ROOMS = (
    "ptx", "fatbin", "machine", "isa", "program", "host", "ptxas", "compile", "observe", "report",
)  # fmt: skip
EVERY_ROOM = {f"{VGPU}/{room}" for room in ROOMS} | {f"{VGPU}/include"}

# What each part may include besides itself. The ground comes first.
ALLOWED: dict[str, set[str]] = {
    f"{VGPU}/include": set(),
    f"{VGPU}/ptx": set(),
    f"{VGPU}/fatbin": set(),
    f"{VGPU}/machine": set(),
    f"{VGPU}/isa": {f"{VGPU}/machine"},
    f"{VGPU}/program": {f"{VGPU}/ptx", f"{VGPU}/machine", f"{VGPU}/isa"},
    f"{VGPU}/host": set(),
    f"{VGPU}/ptxas": {f"{VGPU}/host", f"{VGPU}/machine"},
    f"{VGPU}/compile": {f"{VGPU}/host", f"{VGPU}/machine", f"{VGPU}/isa", f"{VGPU}/program"},
    f"{VGPU}/observe": {f"{VGPU}/machine"},
    f"{VGPU}/report": {f"{VGPU}/observe", f"{VGPU}/machine"},
    f"{VGPU}/cudart": EVERY_ROOM,
    f"{VGPU}/tool": EVERY_ROOM,
    "reference": set(),
    "labs/include": set(),
    "labs": {"labs/include"},
    "solutions": {"labs/include"},
    "grader/sandbox": set(),
    "grader/worker": {f"{VGPU}/include", "labs/include"},
    "grader/judge/model": {f"{VGPU}/machine"},
    "grader/judge": {"grader/worker", "reference", "labs/include", "grader/judge/model"},
}
# Folders that compilers get as -I. A file's own part is searched first.
INCLUDE_PATH = (
    VGPU,
    f"{VGPU}/include",
    "labs/include",
    "reference/include",
    "grader/judge",
    "grader",
    ".",
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = {".h", ".hpp", ".cuh", ".cpp", ".cu", ".inc"}


def part_of(file: Path) -> str | None:
    """The part that holds a file (relative to the root): the longest name in ALLOWED above it."""
    return next((str(folder) for folder in file.parents if str(folder) in ALLOWED), None)


def sources(root: Path) -> list[Path]:
    """Every C++ and CUDA file of the parts, relative to the root."""
    return sorted(
        file.relative_to(root)
        for top in ("grader", "reference", "labs", "solutions")
        for file in (root / top).rglob("*")
        if file.suffix in SUFFIXES
    )


def resolve(root: Path, file: Path, name: str) -> Path | None:
    """The file of ours that an include names, or None when it is not ours."""
    folders = (file.parent, Path(part_of(file) or "."), *map(Path, INCLUDE_PATH))
    for folder in folders:
        target = (root / folder / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root)
    return None


def include_graph(root: Path) -> tuple[dict[Path, set[Path]], list[str]]:
    """Which file includes which, and what is wrong with single lines."""
    graph: dict[Path, set[Path]] = {}
    wrong: list[str] = []
    for file in sources(root):
        part = part_of(file)
        if part is None:
            wrong.append(f"{file}: no part of the design holds this file: see ALLOWED")
            continue
        graph[file] = set()
        for quote, name in INCLUDE.findall((root / file).read_text(encoding="utf-8")):
            target = resolve(root, file, name)
            if target is None:
                if quote == '"':
                    wrong.append(f'{file}: "{name}" is not a file of ours: write <{name}>')
                continue
            graph[file].add(target)
            other = part_of(target)
            if other != part and other not in ALLOWED[part]:
                wrong.append(f"{file}: {part} may not include {other} ({name})")
    return graph, wrong


def violations(root: Path) -> list[str]:
    """One line for each include against the arrows and for the first include cycle."""
    graph, wrong = include_graph(root)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        wrong.append("include cycle: " + " -> ".join(str(file) for file in error.args[1]))
    return wrong


def test_includes_follow_the_design() -> None:
    assert violations(ROOT) == []


def test_every_part_is_looked_at() -> None:
    graph, _ = include_graph(ROOT)
    crossing = [1 for file in graph for other in graph[file] if part_of(file) != part_of(other)]
    assert {part_of(file) for file in graph} == set(ALLOWED)
    assert len(crossing) >= 20


@pytest.mark.parametrize(
    ("file", "include", "complaint"),
    [
        (
            "grader/vgpu/ptx/lexer.cpp",
            '"machine/warp.hpp"',
            "ptx may not include",
        ),
        ("grader/vgpu/isa/float.cpp", '"observe/counters.hpp"', "isa may not include"),
        ("grader/vgpu/cudart/api.cpp", '"reference/attention.hpp"', "may not include reference"),
        ("grader/worker/main.cpp", "<reference/attention.hpp>", "worker may not include reference"),
        ("grader/worker/main.cpp", '"../judge/points.hpp"', "worker may not include grader/judge"),
        (
            "reference/src/softmax.cpp",
            '"flashlab/lab1.h"',
            "reference may not include",
        ),
        ("solutions/lab1_naive/x.cu", '"machine/warp.hpp"', "solutions may not include"),
        ("labs/include/flashlab/lab1.h", '"vgpu/vgpu.h"', "labs/include may not include"),
        ("grader/vgpu/ptx/lexer.cpp", '"gone.hpp"', "is not a file of ours"),
        ("grader/vgpu/attic/old.cpp", "<vector>", "no part of the design"),
        ("grader/vgpu/machine/warp.hpp", '"machine/block.hpp"', "include cycle"),
    ],
)
def test_a_planted_bad_include_is_found(
    tmp_path: Path, file: str, include: str, complaint: str
) -> None:
    good = {
        "grader/vgpu/machine/warp.hpp": "",
        "grader/vgpu/machine/block.hpp": '#include "machine/warp.hpp"\n',
        "grader/vgpu/observe/counters.hpp": '#include "machine/block.hpp"\n',
        "grader/vgpu/include/vgpu/vgpu.h": "#include <stddef.h>\n",
        "grader/judge/points.hpp": '#include "reference/attention.hpp"\n#include <vector>\n',
        "reference/include/reference/attention.hpp": "",
        "labs/include/flashlab/lab1.h": "",
    }
    for name, text in good.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []

    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(good.get(file, "") + f"  #  include {include}\n", encoding="utf-8")
    assert any(complaint in line for line in violations(tmp_path)), violations(tmp_path)
