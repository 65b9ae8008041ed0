"""Records what the judge says of every hostile program, and of the honest ones beside them, on a real GPU.

    PYTHONPATH=grader:tests/cheats/hostile python3 tools/record_cheats.py OUTPUT.json

tests/cheats/hostile/test_hostile_record.py holds the record, handouts/data/hostile_h200.json, to the manifest.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flashlab import build as building
from flashlab.device import Device, choose
from flashlab.errors import SubmissionError
from flashlab.sandbox import level_here
from flashlab.toolchain import find_compiler
from hostile_programs import LAYOUT, Program, judge, read_manifest, submission
from record_gpu import compact_json, provenance

LONGEST = 2000  # characters of a message that are kept
COMPILE_SECONDS = 20


def built(program: Program) -> Path | str:
    """The library, or why it was refused."""
    try:
        return building.build(LAYOUT, find_compiler(LAYOUT), submission(program))
    except SubmissionError as error:
        return f"{error}\n{error.details}"


def shortened(message: str) -> str:
    """The beginning of a message, on one line and without the place of this copy."""
    return message.replace(str(LAYOUT.root), "").replace("\n", " ")[:LONGEST]


def verdict(built: Path | str) -> dict[str, Any]:
    """The refusal, or the judge's verdict in short."""
    if isinstance(built, str):
        return {"refused": shortened(built)}
    case = judge(built, choose(LAYOUT, Device.CUDA))
    kept = {key: case[key] for key in ("status", "points", "max_points")}
    return kept | {"message": shortened(case["message"])}


def main() -> int:
    """Builds all programs at once, and judges them one after another, for some take all that the device has."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    building.TIMEOUT_SECONDS = COMPILE_SECONDS
    programs = read_manifest()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        libraries = list(pool.map(built, programs))
    verdicts = {}
    for program, library in zip(programs, libraries, strict=True):
        verdicts[program.name] = verdict(library)
        print(f"{program.name}: {verdicts[program.name]}", flush=True)
    document = {"provenance": provenance(), "sandbox": level_here(), "verdicts": verdicts}
    Path(sys.argv[1]).write_text(compact_json(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
