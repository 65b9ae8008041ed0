"""Builds a submission into a shared library, inside the sandbox, or finds it built already."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flashlab.errors import SubmissionError, UsageError
from flashlab.labs import read_source
from flashlab.layout import Layout
from flashlab.sandbox import MIB, Box, Limits, Sandbox
from flashlab.toolchain import Compiler

FLAGS = (
    "-shared", "-cudart", "shared", "-arch=compute_80", "-code=compute_80", "-lineinfo", "-O3",
    "-std=c++17", "-Xcompiler", "-fPIC,-fvisibility=hidden", "-Xlinker", "-z,defs,-z,now",
)  # fmt: skip
TIMEOUT_SECONDS = 60
ERRORS_SHOWN = 5
ERROR_LINE = re.compile(r"^.*(?:\berror\b.*:|undefined reference).*$", re.MULTILINE)
LIMITS = Limits(cpu_seconds=TIMEOUT_SECONDS, file_bytes=256 * MIB, memory_bytes=8192 * MIB)


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
            _keep(work / "out/submission.so", library)
    except OSError as error:
        raise UsageError(f"cannot build in {layout.cache}: {error.strerror}") from None
    return library


def _key(layout: Layout, compiler: Compiler, submission: Submission) -> str:
    digest = hashlib.sha256(submission.staged())
    headers = sorted(path for path in layout.headers.rglob("*") if path.is_file())
    parts = [compiler.version, str(compiler.nvcc), *FLAGS]
    parts += [f"{path}\n{path.read_text(encoding='utf-8')}" for path in headers]
    digest.update("\0".join(parts).encode())
    return digest.hexdigest()[:24]


@contextlib.contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """A folder with `in` for the source and `out`, which the sandbox's user may write; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="work-", dir=parent) as name:
        work = Path(name)
        for folder, mode in ((work, 0o755), (work / "in", 0o755), (work / "out", 0o777)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        yield work


def _compile(layout: Layout, compiler: Compiler, submission: Submission, work: Path) -> None:
    source = work / "in/submission.cu"
    source.write_bytes(submission.staged())
    source.chmod(0o644)
    toolkit = [path for path in (compiler.root, compiler.nvcc) if not path.is_relative_to("/usr")]
    box = Box(
        LIMITS,
        readable=(layout.headers, work / "in", *toolkit),
        writable=(work / "out",),
        folder=layout.root,
    )
    words = [*Sandbox.find(box).launcher(box), str(compiler.nvcc), *FLAGS, f"-I{layout.headers}"]
    words += ["-o", str(work / "out/submission.so"), str(source)]
    environment = {
        "PATH": f"{compiler.nvcc.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(work / "out"),
    }
    log = work / "log"
    code = _run(words, layout.root, environment, log)
    if code is None:
        raise SubmissionError(
            f"{submission.shown_path}: the compiler did not finish within {TIMEOUT_SECONDS} s;"
            " look for endless templates or unrolled loops"
        )
    if code != 0:
        with log.open("rb") as file:
            text = file.read(MIB).decode("utf-8", errors="replace")
        text = text.replace(str(source), submission.shown_path)
        raise SubmissionError(f"{submission.shown_path} does not build", first_errors(text))


def _run(words: list[str], folder: Path, environment: dict[str, str], log: Path) -> int | None:
    """Runs a command with its output in `log`; the exit code, or None when it was killed at the time limit."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def first_errors(text: str) -> str:
    """The first errors of a compiler's output, each with its lines of context, and how many more there are."""
    starts = [match.start() for match in ERROR_LINE.finditer(text)]
    if not starts:
        return text.strip()[:4000] or "the compiler says nothing about why"
    cut = starts[ERRORS_SHOWN] if len(starts) > ERRORS_SHOWN else len(text)
    more = len(starts) - ERRORS_SHOWN
    shown = text[starts[0] : cut].strip()
    return shown[:8000] + (f"\n... and {more} more" if more > 0 else "")


def _keep(built: Path, library: Path) -> None:
    """Moves what the sandbox made into the cache, if it is a plain file: anything else did not come from a linker."""
    if not stat.S_ISREG(built.lstat().st_mode):
        raise SubmissionError("the build left something else than a library")
    library.parent.mkdir(parents=True, exist_ok=True)
    fresh = library.with_suffix(f".{os.getpid()}")
    shutil.copyfile(built, fresh, follow_symlinks=False)
    fresh.chmod(0o755)
    fresh.replace(library)
