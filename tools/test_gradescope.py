#!/usr/bin/env python3
"""Proves that packages for Gradescope work as Gradescope runs them: in a fresh root (tools/fresh_root.sh) with
/autograder laid out as there, as a root user with no more rights than in a Docker container, and with the default
limits of half a CPU and 768 MiB. Sets up once, grades every submission of tools/make_submissions.py, holds each
results.json to Gradescope's format, and prints a row for it. Exit code 1 when one is not valid, is no grade, or shows
the seed.

  tools/test_gradescope.py [GLOB...]    of LAB/NAME; default: all, which takes about half an hour

ROOT, SUITE and MIRROR choose the root, as for tools/test_fresh_root.sh. Needs root, debootstrap and control groups.
"""

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "tools"), str(PROJECT / "tests/python")]

from control_group import control_group  # noqa: E402
from export_rules import GRADESCOPE, valid  # noqa: E402

CPUS, MEMORY_MIB = 0.5, 768
SEED = 8675309
COURSE = f'title = "A class"\nseed = {SEED}\n' + "".join(
    f'[labs.lab{number}]\nhidden = ["{hidden}"]\n'
    for number, hidden in enumerate(("stable_*", "merge_*", "stable_*", "stable_*", "*_n1_*"), 1)
)
# Docker's: neither mounts nor namespaces, nor a look at other users' processes.
CAPABILITIES = (
    "chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service", "net_raw",
    "sys_chroot", "mknod", "audit_write", "setfcap",
)  # fmt: skip
CONTAINER = [
    "setpriv",
    f"--bounding-set=-all,{','.join(f'+{name}' for name in CAPABILITIES)}",
    "--inh-caps=-all",
]
INSIDE = 'inside "$@"'
METADATA = {
    "id": 1,
    "created_at": "2026-10-01T12:00:00.000000-07:00",
    "assignment": {"id": 1, "title": "Lab", "total_points": "100.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.org", "id": 1, "name": "Ada King"}],
    "previous_submissions": [],
}


def main() -> None:
    globs = sys.argv[1:] or ["*"]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        root = Path(os.environ.get("ROOT") or work / "root")
        shell(root, "make_root")
        subprocess.run([PROJECT / "tools/make_submissions.py", work / "submissions"], check=True)
        cases = sorted(work.glob("submissions/*/*"))
        wanted = [
            case
            for case in cases
            if any(fnmatch.fnmatch(f"{case.parent.name}/{case.name}", glob) for glob in globs)
        ]
        (work / "course").mkdir()
        (work / "course/class.toml").write_text(COURSE, encoding="utf-8")
        (work / "course/roster.csv").write_text("id\n", encoding="utf-8")
        bad, lab = 0, ""
        for case in wanted:
            if case.parent.name != lab:
                lab = case.parent.name
                unpack(work, root, lab)
            bad += not grade(root, case)
    print(f"{len(wanted)} submissions, {bad} of them without a valid grade")
    sys.exit(bool(bad))


def in_root(line: str, *words: str) -> list[str]:
    """The command that runs a line of shell with the functions of tools/fresh_root.sh."""
    return ["bash", "-euc", f". tools/fresh_root.sh; root=$ROOT; {line}", "test_gradescope", *words]


def shell(root: Path, line: str, *words: str) -> None:
    """Runs it; its failure is this program's."""
    environment = {**os.environ, "ROOT": str(root)}
    subprocess.run(in_root(line, *words), cwd=PROJECT, env=environment, check=True)


def unpack(work: Path, root: Path, lab: str) -> None:
    """Makes the image: the first time with everything in it, then only what differs between labs."""
    package = work / f"{lab}.zip"
    words = [
        "./flashlab",
        "package",
        "gradescope",
        lab,
        "--course",
        work / "course",
        "--output",
        package,
    ]
    subprocess.run(words, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    autograder = root / "autograder"
    for folder in ("source", "submission", "results"):
        (autograder / folder).mkdir(parents=True, exist_ok=True)
    fresh = not (autograder / "source/flashlab/build/bin/flashlab-judge").exists()
    shutil.rmtree(autograder / "source/course", ignore_errors=True)
    with zipfile.ZipFile(package) as archive:
        names = [name for name in archive.namelist() if fresh or not name.startswith("flashlab/")]
        archive.extractall(autograder / "source", names)  # which loses what is executable
    shutil.copy(autograder / "source/run_autograder", autograder)
    (autograder / "run_autograder").chmod(0o755)
    start = time.monotonic()
    shell(root, INSIDE, *CONTAINER, "bash", "/autograder/source/setup.sh")
    print(f"{lab}: setup.sh passed in {time.monotonic() - start:.0f} s", flush=True)


def grade(root: Path, case: Path) -> bool:
    """Runs the autograder on one submission; whether its result is valid and a grade."""
    autograder = root / "autograder"
    for folder in ("submission", "results"):
        shutil.rmtree(autograder / folder)
    shutil.copytree(case, autograder / "submission")
    (autograder / "results").mkdir()
    # Each submission has a container of its own, which knows no other's.
    shutil.rmtree(autograder / "source/flashlab/build/cache", ignore_errors=True)
    (autograder / "submission_metadata.json").write_text(json.dumps(METADATA))
    start = time.monotonic()
    with control_group(CPUS, MEMORY_MIB) as group:
        done = subprocess.run(
            in_root(INSIDE, *CONTAINER, "sh", "-c", "cd /autograder && ./run_autograder"),
            cwd=PROJECT,
            env={**os.environ, "ROOT": str(root)},
            preexec_fn=group.enter,
            check=False,
            capture_output=True,
        )
        kills = group.kills
    seconds = time.monotonic() - start
    verdict, ok = judge(autograder / "results/results.json")
    if done.returncode != 0:
        verdict, ok = f"run_autograder ended with {done.returncode}", False
    name = f"{case.parent.name}/{case.name}"
    killed = f", {kills} killed" if kills else ""
    print(
        f"| {name} | {verdict} | {seconds:.0f} s | {group.peak_mib:.0f} MiB{killed} |", flush=True
    )
    return ok


def judge(path: Path) -> tuple[str, bool]:
    """What a result says, and whether it is valid, a grade, and keeps the secrets."""
    try:
        text = path.read_text(encoding="utf-8")
        document = valid(text, GRADESCOPE)
    except Exception as error:  # whatever is wrong with it, Gradescope would refuse it
        return f"NOT VALID: {error!s:.200}", False
    if str(SEED) in text:
        at = text.index(str(SEED))
        return f"SHOWS THE SEED: {text[max(0, at - 80) : at + 20]!r}", False
    if document["extra_data"]["state"] != "graded":
        return f"NO GRADE: {document['output']!r:.200}", False
    first = next((test for test in document["tests"] if test.get("status") == "failed"), None)
    says = "" if first is None else ": " + " ".join(first["output"].split())[:70].replace("|", "/")
    return f"{document['score']:g}{says}", True


if __name__ == "__main__":
    main()
