"""Records what the programs of tests/vgpu/field print on a real GPU; the virtual GPU must print the same.

    PYTHONPATH=grader python3 tools/record_field.py handouts/data/field_h200.json [PROGRAM ...]

Needs nvcc and a machine with a GPU; run from the repository's root. Every program is built as CMake builds it and runs
twice: one whose output is not the same both times is refused. With names only these are recorded, and the rest of the
file stays.
"""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flashlab.layout import Layout
from flashlab.toolchain import find_compiler
from record_gpu import provenance

LAYOUT = Layout.of_this_package()
FOLDER = LAYOUT.root / "tests/vgpu/field"


def flags(source: Path) -> list[str]:
    """What nvcc gets for a program, as in tests/vgpu/field/CMakeLists.txt: a line `// nvcc: ...` adds to it."""
    own = [
        line[9:].split() for line in source.read_text().splitlines() if line.startswith("// nvcc: ")
    ]
    words = own[0] if own else []
    arch = [] if any(word.startswith("-arch") for word in words) else ["-arch=compute_80"]
    return ["-cudart", "shared", *arch, *words]


def build(source: Path, folder: Path) -> Path:
    """Compiles one program."""
    binary = folder / source.stem
    command = [str(find_compiler(LAYOUT).nvcc), *flags(source), "-o", str(binary), str(source)]
    subprocess.run(command, check=True)
    return binary


def run(binary: Path) -> dict[str, Any]:
    """Exit code and lines of standard output."""
    done = subprocess.run([str(binary)], capture_output=True, text=True, timeout=120)
    return {"exit": done.returncode, "output": done.stdout.splitlines()}


def main() -> int:
    """Builds, runs and writes."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(sys.argv[1])
    sources = [FOLDER / f"{name}.cu" for name in sys.argv[2:]] or sorted(FOLDER.glob("*.cu"))
    old = (
        json.loads(target.read_text())["programs"] if len(sys.argv) > 2 and target.exists() else {}
    )
    with tempfile.TemporaryDirectory() as folder:
        with ThreadPoolExecutor() as pool:
            binaries = list(pool.map(lambda source: build(source, Path(folder)), sources))
        recorded = {binary.name: run(binary) for binary in binaries}
        unsteady = [binary.name for binary in binaries if run(binary) != recorded[binary.name]]
    if unsteady:
        print(
            f"record_field: another output in a second run: {', '.join(unsteady)}", file=sys.stderr
        )
        return 1
    document = {"provenance": provenance(), "programs": dict(sorted((old | recorded).items()))}
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    failed = [name for name, result in recorded.items() if result["exit"] != 0]
    print(f"{len(recorded)} programs recorded; exit code not 0: {', '.join(failed) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
