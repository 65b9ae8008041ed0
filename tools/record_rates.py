"""Records the CPU time that grading takes on the virtual GPU: build, judge and worker, on one thread.

    PYTHONPATH=grader python3 tools/record_rates.py [OUTPUT.json]

Graded are each lab's stub, a file that does not build, the solution, and some kernels of the corpus, as
`class grade` does it. CPU time, unlike the time on the clock, hardly depends on what else the machine does.
tools/class_cost.py makes the table of costs of the record.
"""

import argparse
import contextlib
import datetime
import hashlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from flashlab import labs
from flashlab.classroom.course import read_course
from flashlab.classroom.slurm_files import Array
from flashlab.classroom.work import Job, Workshop
from flashlab.device import Device, choose, host_cpu
from flashlab.errors import UsageError
from flashlab.labs import Lab
from flashlab.layout import Layout
from make_class import make_class, whole_source
from record_gpu import compact_json

RECORD = Layout.of_this_package().root / "handouts/data/class_rates.json"
SEED = 1


class Meter:
    """The CPU time of this process and all below it, by a control group of their own: rusage would leave out what ends
    with its sandbox. Needs root and cgroup2, which may be mounted beside version 1.
    """

    def __init__(self) -> None:
        mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
        root = next((Path(words[1]) for words in mounts if words[2] == "cgroup2"), None)
        if root is None:
            raise UsageError("no cgroup2 is mounted here")
        self._root, self._group = root, root / f"flashlab-rates-{os.getpid()}"
        self._group.mkdir()
        (self._group / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self) -> float:
        """CPU time until now."""
        text = (self._group / "cpu.stat").read_text()
        return int(text.split("usage_usec", 1)[1].split()[0]) / 1e6

    def close(self) -> None:
        """Leaves the group and removes it."""
        (self._root / "cgroup.procs").write_text(str(os.getpid()))
        with contextlib.suppress(OSError):  # something in it has not ended yet
            self._group.rmdir()


def submissions(layout: Layout, lab: Lab, every: int) -> dict[str, list[Path]]:
    """What is graded of a lab, by kind; `syntax` is the stub with an error added."""
    corpus = sorted((layout.root / "tests/corpus" / lab.short).glob("*.cu"))
    return {
        "stub": [lab.stub],
        "syntax": [lab.stub],
        "solution": [lab.solution(layout)],
        "corpus": corpus[::every],
    }


def seconds_of(meter: Meter, workshop: Workshop, lab: Lab, kind: str, path: Path) -> float:
    """CPU time of one grading, with a build of its own: no earlier one has these bytes."""
    text = f"// {os.urandom(8).hex()}\n{whole_source(path)}" + ("}\n" if kind == "syntax" else "")
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    start = meter.seconds()
    done = workshop.run(Job(workshop.key(lab.name, digest), lab.name, digest, data, None))
    spent = meter.seconds() - start
    if done.result is None:
        raise UsageError(f"{path}: {done.failure}")
    refusal = [case["message"] for case in done.result["cases"] if case["group"] == "build"]
    if bool(refusal) != (kind == "syntax"):  # as on a machine so busy that the compiler is stopped
        raise UsageError(f"{path} is no {kind}: {refusal}")
    return round(spent, 2)


def seconds_of_a_start(meter: Meter, layout: Layout, course: Path) -> float:
    """CPU time of a Slurm task that finds nothing to do, in a process of its own."""
    array = Array.create(course / "slurm", Device.VGPU, SEED, 0, [[]])
    start = meter.seconds()
    words = [layout.root / "flashlab", "class", "work", array.folder, "0"]
    subprocess.run(words, check=True, capture_output=True)
    return round(meter.seconds() - start, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Records the CPU time that grading takes.")
    parser.add_argument("output", type=Path, nargs="?", default=RECORD)
    parser.add_argument(
        "--every", type=int, default=12, help="One kernel of so many of the corpus."
    )
    options = parser.parse_args()
    meter = Meter()
    layout = Layout.of_this_package()
    document: dict[str, Any] = {
        "machine": host_cpu(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "command": shlex.join(["tools/record_rates.py", "--every", str(options.every)]),
    }
    with tempfile.TemporaryDirectory() as folder:
        make_class(layout, Path(folder), students=1, seed=SEED, shared=False)
        course = read_course(layout, Path(folder) / "course")
        device = choose(layout, Device.VGPU)
        workshop = Workshop.open(layout, course, device, SEED)
        document["start_seconds"] = seconds_of_a_start(meter, layout, course.folder)
        document["labs"] = {}
        for lab in labs.discover(layout):
            document["labs"][lab.name] = {
                kind: [seconds_of(meter, workshop, lab, kind, path) for path in paths]
                for kind, paths in submissions(layout, lab, options.every).items()
            }
            print(lab.name, document["labs"][lab.name], flush=True)
    meter.close()
    options.output.write_text(compact_json(document), encoding="utf-8")


if __name__ == "__main__":
    main()
