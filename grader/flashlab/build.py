"""Builds a submission into a shared library, inside the sandbox, or finds it built already."""

import contextlib
import hashlib
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import read_source
from flashlab.layout import Layout
from flashlab.sandbox import DIES_WITH_US, MIB, Box, Limits, Sandbox
from flashlab.scratch import scratch_folder
from flashlab.submission_rules import (
    RULES,
    check_assembly,
    check_includes,
    check_library,
    explain_link_errors,
    explain_missing_header,
)
from flashlab.toolchain import Compiler

FLAGS = (
    "-shared", "-cudart", "shared", "-arch=compute_80", "-code=compute_80", "-lineinfo", "-O3",
    "-std=c++17", "-Xcompiler", "-fPIC,-fvisibility=hidden", "-Xlinker", "-z,defs,-z,now",
)  # fmt: skip
# How the compiler is kept from saying too much, and what it leaves for submission_rules to look at.
QUIET = ("-Xcompiler", "-fmax-errors=20,-fdiagnostics-color=never", "-Xcudafe", "--error_limit=20")
TRACES = ("-MD", "-MF", "submission.d", "--keep", "-Xcompiler", "-save-temps=obj")
CPU_SECONDS = 60  # of each of the compiler's programs
TIMEOUT_SECONDS = 5 * CPU_SECONDS  # of waiting: other work on the machine takes its share
OUTPUT_BYTES = MIB  # of the compiler's messages that are kept; one that goes on for long is stopped
FLOOD_BYTES = 64 * MIB
SPARE_BYTES = (
    32 * MIB
)  # of the disk; with less a compiler that gives up says nothing about the submission
ERRORS_SHOWN = 5
ERROR_LINE = re.compile(r"^.*(?:\berror\b.*:|undefined reference).*$", re.MULTILINE)
LIMITS = Limits(cpu_seconds=CPU_SECONDS, file_bytes=128 * MIB, memory_bytes=4096 * MIB)
USED_UP = {  # what compilers, assembler and linker say when a limit stops them
    r"out of memory|virtual memory exhausted|memory exhausted|annot allocate memory|bad_alloc": f"needs more than"
    f" {LIMITS.memory_bytes // MIB} MiB of memory to compile"
    if LIMITS.memory_bytes
    else "",
    r"File size limit|file too large|SIGXFSZ": f"makes a file of more than"
    f" {LIMITS.file_bytes // MIB} MiB when it is compiled",
    r"CPU time limit|SIGXCPU": f"takes more than {LIMITS.cpu_seconds} s to compile",
}
KILLED = re.compile(
    r"^nvcc error +: '.*' died due to signal 9\b|: Killed signal terminated program ", re.MULTILINE
)
WHAT_TO_LOOK_FOR = "look for endless includes, macros, templates or loops, and for huge arrays"


@dataclass(frozen=True)
class Submission:
    """A snapshot of the file to grade: what is hashed here is what is built, whatever happens to the file meanwhile."""

    path: Path
    shown_path: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the file as it lies on the disk."""
        return hashlib.sha256(self.data).hexdigest()

    def staged(self) -> bytes:
        """The text for the compiler. It names the original file, so errors and line numbers are the student's own."""
        name = self.shown_path.replace("\\", "\\\\").replace('"', '\\"')
        return f'#line 1 "{name}"\n'.encode() + self.data.removeprefix(b"\xef\xbb\xbf")


def take_snapshot(layout: Layout, path: Path) -> Submission:
    """Reads the submission once."""
    return Submission(path, layout.shown(path), read_source(path))


def build(layout: Layout, compiler: Compiler, submission: Submission) -> Path:
    """The shared library of `submission`; SubmissionError with the compiler's first errors when it does not build."""
    library = layout.cache / _key(layout, compiler, submission) / "submission.so"
    if library.exists():
        return library
    try:
        layout.cache.mkdir(parents=True, exist_ok=True)
        with _work_folder(layout.cache) as work:
            _compile(layout, compiler, submission, work)
            _keep(work, library)
    except OSError as error:
        raise UsageError(f"cannot build in {layout.cache}: {error.strerror}") from None
    return library


def _key(layout: Layout, compiler: Compiler, submission: Submission) -> str:
    digest = hashlib.sha256(submission.staged())
    headers = sorted(path for path in layout.headers.rglob("*") if path.is_file())
    parts = [compiler.version, str(compiler.nvcc), *FLAGS]
    parts += [*QUIET, *map(_text, RULES), str(LIMITS)]
    parts += [f"{path}\n{_text(path)}" for path in headers]
    digest.update("\0".join(parts).encode())
    return digest.hexdigest()[:24]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@contextlib.contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """A folder with `in` for the source and `out`, which the sandbox's user may write; gone at the end."""
    with scratch_folder("work-", parent) as work:
        for folder, mode in ((work, 0o755), (work / "in", 0o755), (work / "out", 0o777)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        yield work


def _compile(layout: Layout, compiler: Compiler, submission: Submission, work: Path) -> None:
    source, out = work / "in/submission.cu", work / "out"
    source.write_bytes(submission.staged())
    source.chmod(0o644)
    toolkit = [path for path in (compiler.root, compiler.nvcc) if not path.is_relative_to("/usr")]
    box = Box(
        LIMITS,
        readable=(layout.headers, work / "in", *toolkit),
        writable=(out,),
        folder=layout.root,
    )
    launcher = Sandbox.find(box).launcher(box)
    words = [
        *DIES_WITH_US,
        *launcher,
        str(compiler.nvcc),
        *FLAGS,
        *QUIET,
        *TRACES,
        f"-I{layout.headers}",
    ]
    words += ["--keep-dir", str(out), "-o", str(out / "submission.so"), str(source)]
    words[words.index("submission.d")] = str(out / "submission.d")
    environment = {
        "PATH": f"{compiler.nvcc.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(out),
    }
    end = _run(words, layout.root, environment)
    text = end.output.replace(str(source), submission.shown_path)
    if end.code != 0 and shutil.disk_usage(out).free < SPARE_BYTES:
        raise UsageError(f"cannot build in {layout.cache}: the disk is full; free some space")
    # Our own limits end it with signals that it reports by other names.
    if end.code != 0 and KILLED.search(end.output):
        raise UsageError(
            f"cannot build {submission.shown_path}: something killed the compiler; is the machine out of memory?"
        )
    try:
        own_names = (str(source), submission.shown_path)
        check_includes(_plain(out / "submission.d"), own_names, layout.headers, compiler.root)
        if end.code != 0:
            raise _failure(end, text)
        check_assembly(_plain(out / "submission.s"))
        check_library(_plain(out / "submission.so"), launcher, layout.headers)
    except SubmissionError as error:
        raise SubmissionError(f"{submission.shown_path} {error}", error.details) from None


def _failure(end: "_End", text: str) -> SubmissionError:
    """Why the compiler gave up, as what to say of the file."""
    if end.code is None:
        return SubmissionError(f"{end.stopped}; {WHAT_TO_LOOK_FOR}")
    if (why := explain_missing_header(text) or explain_link_errors(text)) is not None:
        return SubmissionError(why)
    errors = ERROR_LINE.search(text)
    for said, meaning in USED_UP.items():
        if re.search(said, text if errors is None else errors[0]) or re.search(said, text):
            return SubmissionError(f"{meaning}; {WHAT_TO_LOOK_FOR}", first_errors(text))
    return SubmissionError("does not build", first_errors(text))


@dataclass(frozen=True)
class _End:
    """How a command ended: its exit code, or None and why it was stopped; and the beginning of its output."""

    code: int | None
    output: str
    stopped: str = ""


def _run(words: list[str], folder: Path, environment: dict[str, str]) -> _End:
    """Runs a command and reads its output as it comes, so that it neither blocks nor fills anything."""
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    kept, total, stopped = b"", 0, ""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    try:
        while not stopped:
            left = deadline - time.monotonic()
            if left <= 0:
                stopped = f"the compiler did not finish within {TIMEOUT_SECONDS} s"
            elif select.select([process.stdout], [], [], left)[0]:
                data = os.read(process.stdout.fileno(), MIB)
                if not data:
                    break
                total += len(data)
                kept += data[: max(0, OUTPUT_BYTES - len(kept))]
                if total > FLOOD_BYTES:
                    stopped = f"the compiler wrote more than {FLOOD_BYTES // MIB} MiB of messages"
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(max(0.1, deadline - time.monotonic())) if not stopped else None
            return _End(code, kept.decode("utf-8", errors="replace"), stopped)
        return _End(None, "", f"the compiler did not finish within {TIMEOUT_SECONDS} s")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def first_errors(text: str) -> str:
    """The first errors of a compiler's output, each with its lines of context, and how many more there are."""
    starts = [match.start() for match in ERROR_LINE.finditer(text)]
    if not starts:
        return text.strip()[:4000] or "the compiler says nothing about why"
    cut = starts[ERRORS_SHOWN] if len(starts) > ERRORS_SHOWN else len(text)
    more = len(starts) - ERRORS_SHOWN
    shown = text[starts[0] : cut].strip()
    return shown[:8000] + (f"\n... and {more} more" if more > 0 else "")


def _plain(path: Path) -> Path:
    """`path` itself when it is a plain file or nothing: anything else did not come from a compiler."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise SubmissionError("left something else than files when it was built")
    return path


def _keep(work: Path, library: Path) -> None:
    """Moves what the sandbox made into the cache."""
    library.parent.mkdir(parents=True, exist_ok=True)
    fresh = work / "submission.so"  # a copy, which is ours alone
    shutil.copyfile(work / "out/submission.so", fresh, follow_symlinks=False)
    fresh.chmod(0o755)
    fresh.replace(library)
