"""Building a submission with the real compiler: names and lines are the student's, the cache is exact."""

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from flashlab import build as building
from flashlab import toolchain
from flashlab.build import FLAGS, Submission, build, first_errors, take_snapshot
from flashlab.errors import SubmissionError, UsageError
from flashlab.layout import Layout
from flashlab.toolchain import Compiler, find_compiler

ROOT = Path(__file__).parents[2]
SOURCE = """#include "flashlab/lab1.h"
__global__ void fill(float* o) { o[threadIdx.x] = 1.f; }
cudaError_t lab1_naive_attention(const float* Q, const float* K, const float* V, float* O,
                                 flashlab::AttentionShape shape, flashlab::Workspace& workspace,
                                 cudaStream_t stream) {
  fill<<<1, 32, 0, stream>>>(O);
  return cudaGetLastError();
}
"""


@pytest.fixture(scope="module")
def layout(tmp_path_factory) -> Layout:
    root = tmp_path_factory.mktemp("repo")
    (root / "labs/lab1_naive").mkdir(parents=True)
    (root / "labs/include").symlink_to(ROOT / "labs/include")
    return Layout(root)


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return find_compiler(Layout(ROOT))


def submission(layout: Layout, text: str) -> Submission:
    path = layout.labs / "lab1_naive/naive_attention.cu"
    path.write_text(text)
    return take_snapshot(layout, path)


def test_a_good_file_becomes_a_library_with_its_entry(layout, compiler):
    library = build(layout, compiler, submission(layout, SOURCE))
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True
    ).stdout
    assert "T lab1_naive_attention" in symbols
    assert "fill" not in symbols, "everything but the entry is hidden"
    needed = subprocess.run(
        ["readelf", "-d", str(library)], capture_output=True, text=True, check=True
    ).stdout
    assert "libcudart.so.13" in needed


def test_the_same_file_is_not_built_twice(layout, compiler, monkeypatch):
    library = build(layout, compiler, submission(layout, SOURCE))
    monkeypatch.setattr(building, "_compile", lambda *words: pytest.fail("built again"))
    assert build(layout, compiler, submission(layout, SOURCE)) == library


@pytest.mark.parametrize("changed", ["source", "compiler", "flags", "header"])
def test_everything_that_matters_is_in_the_key(layout, compiler, monkeypatch, tmp_path, changed):
    (tmp_path / "labs/include").mkdir(parents=True)
    (tmp_path / "labs/include/a.h").write_text("int a;")
    here = Layout(tmp_path)
    before = building._key(here, compiler, Submission(Path("a.cu"), "a.cu", b"int b;"))
    assert before == building._key(here, compiler, Submission(Path("a.cu"), "a.cu", b"int b;"))
    data = b"int b;"
    if changed == "source":
        data = b"int c;"
    elif changed == "compiler":
        compiler = dataclasses.replace(compiler, version="nvcc V13.9")
    elif changed == "flags":
        monkeypatch.setattr(building, "FLAGS", (*FLAGS, "-g"))
    else:
        (tmp_path / "labs/include/a.h").write_text("int d;")
    assert before != building._key(here, compiler, Submission(Path("a.cu"), "a.cu", data))


def test_errors_have_the_students_path_and_line(layout, compiler):
    with pytest.raises(SubmissionError) as caught:
        build(layout, compiler, submission(layout, SOURCE.replace("= 1.f", "= one")))
    assert "labs/lab1_naive/naive_attention.cu does not build" in str(caught.value)
    first = caught.value.details.splitlines()[0]
    assert first == 'labs/lab1_naive/naive_attention.cu(2): error: identifier "one" is undefined'


def test_the_nvcc_on_the_path_may_be_a_wrapper(layout, compiler, monkeypatch, tmp_path):
    wrapper = tmp_path / "my bin/nvcc"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {compiler.nvcc} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(toolchain, "_candidates", lambda layout: [wrapper])
    found = find_compiler(layout)
    assert (found.nvcc, found.root) == (wrapper, compiler.root)
    assert build(layout, found, submission(layout, SOURCE)).exists()


def test_a_missing_function_is_found_when_linking(layout, compiler):
    text = SOURCE.replace("  fill<<<", "  extern void helper();\n  helper();\n  fill<<<")
    with pytest.raises(SubmissionError) as caught:
        build(layout, compiler, submission(layout, text))
    assert "undefined reference to `helper()'" in caught.value.details


def test_the_rules_are_in_the_key(layout, compiler, monkeypatch, tmp_path):
    here = Submission(Path("a.cu"), "a.cu", b"int b;")
    before = building._key(layout, compiler, here)
    (tmp_path / "rules").write_text("others")
    monkeypatch.setattr(building, "RULES", (tmp_path / "rules",))
    assert before != building._key(layout, compiler, here)


def test_a_flood_of_messages_is_stopped(layout, monkeypatch, tmp_path):
    nvcc = tmp_path / "bin/nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("#!/bin/sh\nyes error: again\n")
    nvcc.chmod(0o755)
    flooding = Compiler(nvcc, tmp_path, "13.0", "flooding")
    with pytest.raises(SubmissionError, match="the compiler wrote more than 64 MiB") as caught:
        build(layout, flooding, submission(layout, SOURCE))
    assert len(caught.value.details) < 10_000


def test_only_the_labs_headers_can_be_included(layout, compiler):
    secret = layout.root / "solution.h"
    secret.write_text("int secret;")
    with pytest.raises(SubmissionError) as caught:
        build(layout, compiler, submission(layout, f'#include "{secret}"\n' + SOURCE))
    assert "solution.h: No such file" in caught.value.details


def test_a_byte_order_mark_is_no_error(layout, compiler):
    snapshot = submission(layout, "\ufeff" + SOURCE)
    assert build(layout, compiler, snapshot).exists()
    assert snapshot.data.startswith(b"\xef\xbb\xbf"), "the hash is that of the file as it is"


def test_a_compiler_that_does_not_end_is_stopped(layout, monkeypatch, tmp_path):
    nvcc = tmp_path / "bin/nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("#!/bin/sh\nsleep 60\n")
    nvcc.chmod(0o755)
    monkeypatch.setattr(building, "TIMEOUT_SECONDS", 1)
    slow = Compiler(nvcc, tmp_path, "13.0", "slow")
    start = time.monotonic()
    with pytest.raises(SubmissionError, match="did not finish within 1 s"):
        build(layout, slow, submission(layout, SOURCE))
    assert time.monotonic() - start < 20, "the compiler's processes are killed, not waited for"
    assert not list(layout.cache.glob("work-*")), "nothing is left behind"


def test_a_compiler_that_takes_too_much_cpu_time_is_stopped(layout, monkeypatch, tmp_path):
    nvcc = tmp_path / "bin/nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("#!/bin/sh\n/bin/sh -c 'while :; do :; done'\nexit 1\n")
    nvcc.chmod(0o755)
    monkeypatch.setattr(building, "LIMITS", dataclasses.replace(building.LIMITS, cpu_seconds=1))
    busy = Compiler(nvcc, tmp_path, "13.0", "busy")
    with pytest.raises(SubmissionError, match="takes more than 60 s to compile"):
        build(layout, busy, submission(layout, SOURCE))


def test_a_library_that_the_toolkit_lacks_is_refused_as_one_that_it_has(layout, compiler):
    with pytest.raises(SubmissionError, match="write the kernel yourself"):
        build(layout, compiler, submission(layout, "#include <cublasnowhere.h>\n" + SOURCE))


@pytest.mark.parametrize(
    "line",
    [
        "nvcc error   : 'cicc' died due to signal 9 (Kill signal)",
        "g++: fatal error: Killed signal terminated program cc1plus",
    ],
)
def test_a_compiler_that_the_machine_kills_is_not_the_submissions_fault(layout, tmp_path, line):
    nvcc = tmp_path / "bin/nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text(f'#!/bin/sh\necho "{line}"\nexit 9\n')
    nvcc.chmod(0o755)
    killed = Compiler(nvcc, tmp_path, "13.0", line[:3])
    with pytest.raises(UsageError, match="something killed the compiler"):
        build(layout, killed, submission(layout, SOURCE))


@pytest.mark.parametrize("free", [0, 1 << 40])
def test_a_full_disk_is_not_the_submissions_fault(layout, compiler, monkeypatch, free):
    monkeypatch.setattr(building.shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(UsageError if free == 0 else SubmissionError) as caught:
        build(layout, compiler, submission(layout, SOURCE.replace("= 1.f", "= one")))
    assert ("the disk is full" in str(caught.value)) == (free == 0)


DISK = """
import sys
from pathlib import Path
from flashlab.build import build, take_snapshot
from flashlab.errors import FlashLabError
from flashlab.layout import Layout
from flashlab.toolchain import find_compiler
layout = Layout(Path(sys.argv[1]))
try:
    build(layout, find_compiler(Layout(Path(sys.argv[2]))), take_snapshot(layout, Path(sys.argv[3])))
except FlashLabError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def test_a_disk_that_fills_up_while_compiling(layout):
    """build/cache lies on a tmpfs of half a megabyte, less than the compiler's own files need."""
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no mount namespace can be made here")
    source = submission(layout, SOURCE + "// a source of its own\n").path
    layout.cache.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-c", DISK, str(layout.root), str(ROOT), str(source)]
    mount = f'mount -t tmpfs -o size=500k none {layout.cache} && exec "$@"'
    done = subprocess.run(
        [*namespace, "sh", "-c", mount, "sh", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "grader")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr.startswith("UsageError: cannot build in"), done.stderr
    assert "free some space" in done.stderr


def test_an_unwritable_cache_is_one_line(layout, compiler, tmp_path):
    (tmp_path / "build").write_text("")
    here = Layout(tmp_path)
    with pytest.raises(UsageError, match="cannot build in"):
        build(here, compiler, submission(layout, SOURCE))


def test_first_errors_stops_after_five():
    text = "".join(f"a.cu({n}): error: number {n}\n  source\n\n" for n in range(1, 8))
    shown = first_errors("a.cu(1): warning: w\n" + text + "7 errors detected\n")
    assert shown.startswith("a.cu(1): error: number 1\n")
    assert "number 5" in shown
    assert "number 6" not in shown
    assert shown.endswith("... and 2 more")
