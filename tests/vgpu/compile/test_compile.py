"""The compiled path (VGPU_COMPILE=1) gives the results and counts of the interpreter, and keeps what it made."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flashlab.layout import Layout

ROOT = Layout.of_this_package().root
BUILD = ROOT / "build"
PROGRAMS = BUILD / "tests/vgpu/programs"
NAMES = sorted(source.stem for source in (ROOT / "tests/vgpu/programs").glob("*.cu"))
FLASH = PROGRAMS / "flash_one_thread_per_row"
EXPRESSIONS = BUILD / "tests/vgpu/compile/expressions"


@dataclass
class Outcome:
    """What a program printed, what the virtual GPU said, and the counters without times."""

    code: int
    output: str
    messages: str
    counters: list[dict[str, Any]]


def run(program: Path, cache: Path, *words: str, **environment: str) -> Outcome:
    """Runs a program with one CPU thread: how often it asks for a lock depends on time otherwise."""
    counters = cache.parent / "counters.json"
    counters.unlink(missing_ok=True)
    command = [str(BUILD / "bin/vgpu"), "run", "--threads", "1", "--counters", "json"]
    done = subprocess.run(
        [*command, "--output", str(counters), str(program), *words],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), **environment},
    )
    launches = json.loads(counters.read_text())
    for launch in launches:
        del launch["seconds"]
    return Outcome(done.returncode, done.stdout, done.stderr, launches)


def libraries(cache: Path) -> list[Path]:
    return sorted(cache.glob("flashlab/compiled/*.so"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def compiler_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each time that g++ makes a library."""
    real, log, folder = shutil.which("g++"), tmp_path / "runs", tmp_path / "bin"
    assert real is not None
    folder.mkdir()
    log.touch()
    script = folder / "g++"
    script.write_text(f'#!/bin/sh\n[ $1 = --version ] || echo "$@" >>{log}\nexec {real} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return log


@pytest.mark.parametrize("name", NAMES)
def test_results_and_counts_are_the_interpreter_s(name: str, cache: Path) -> None:
    interpreted = run(PROGRAMS / name, cache, VGPU_COMPILE="0")
    assert libraries(cache) == []
    assert run(PROGRAMS / name, cache, VGPU_COMPILE="1") == interpreted


@pytest.mark.parametrize("isa", ["baseline", "wide"])
def test_every_instruction_gives_the_same_bits(isa: str, cache: Path) -> None:
    interpreted = run(EXPRESSIONS, cache, VGPU_COMPILE="0", VGPU_ISA=isa)
    compiled = run(EXPRESSIONS, cache, VGPU_COMPILE="1", VGPU_ISA=isa)
    assert len(interpreted.output.splitlines()) >= 60
    assert compiled == interpreted
    assert len(libraries(cache)) == len(interpreted.counters)


def replace(library: Path, source: str) -> None:
    """Puts other machine code in the place of a cached library."""
    made = library.with_suffix(".made")
    words = ["g++", "-shared", "-fPIC", "-nostdlib", "-x", "c++", "-", "-o", str(made)]
    subprocess.run(words, input=source, text=True, check=True)
    content = made.read_bytes()
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    library.write_bytes(content + f"{digest:016x}".encode())


def test_cached_code_is_what_runs(cache: Path, compiler_runs: Path) -> None:
    passed = run(FLASH, cache, "256", VGPU_COMPILE="1")
    (library,) = libraries(cache)
    assert len(compiler_runs.read_text().splitlines()) == 1
    assert run(FLASH, cache, "256", VGPU_COMPILE="1") == passed
    assert len(compiler_runs.read_text().splitlines()) == 1
    # Code that does nothing: the loop's counter stays where it is.
    replace(library, 'extern "C" void region_0() {} extern "C" void region_1() {}')
    compiler_runs.write_text("")
    endless = run(FLASH, cache, "256", VGPU_COMPILE="1", VGPU_TIMEOUT="1")
    assert (passed.code, endless.code) == (0, 1)
    assert "the kernel ran too long" in endless.output
    assert compiler_runs.read_text() == ""


def test_a_damaged_library_is_made_again(cache: Path, compiler_runs: Path) -> None:
    passed = run(FLASH, cache, "256", VGPU_COMPILE="1")
    (library,) = libraries(cache)
    whole = library.read_bytes()
    for count, damaged in enumerate(
        [whole[: len(whole) // 2], b"", whole[:5000] + b"?" + whole[5001:]], 2
    ):
        library.write_bytes(damaged)
        assert run(FLASH, cache, "256", VGPU_COMPILE="1") == passed
        assert len(compiler_runs.read_text().splitlines()) == count
        assert library.read_bytes()[-16:].isalnum()


def test_a_library_that_others_could_write_is_made_again(cache: Path, compiler_runs: Path) -> None:
    passed = run(FLASH, cache, "256", VGPU_COMPILE="1")
    (library,) = libraries(cache)
    library.chmod(0o666)
    assert run(FLASH, cache, "256", VGPU_COMPILE="1") == passed
    assert len(compiler_runs.read_text().splitlines()) == 2
    library.parent.chmod(0o777)
    refused = run(FLASH, cache, "256", VGPU_COMPILE="1")
    assert "is not a folder that this user alone can write" in refused.messages
    assert refused.output == passed.output


def test_each_vector_width_has_its_library(cache: Path) -> None:
    for isa in "baseline", "wide":
        assert run(FLASH, cache, "64", VGPU_COMPILE="1", VGPU_ISA=isa).code == 0
    wide = "avx512f" in Path("/proc/cpuinfo").read_text()
    assert len(libraries(cache)) == (2 if wide else 1)


def test_without_a_compiler_everything_is_interpreted(cache: Path, tmp_path: Path) -> None:
    interpreted = run(FLASH, cache, "256")
    done = run(FLASH, cache, "256", VGPU_COMPILE="1", PATH=str(tmp_path))
    assert done.messages.splitlines() == [
        "vgpu: no machine code, kernels are interpreted: g++ cannot be run: No such file or directory"
    ]
    assert (done.output, done.counters) == (interpreted.output, interpreted.counters)


def test_without_a_cache_folder_everything_is_interpreted(tmp_path: Path) -> None:
    done = run(FLASH, tmp_path / "cache", "64", VGPU_COMPILE="1", XDG_CACHE_HOME="", HOME="")
    assert "neither XDG_CACHE_HOME nor HOME" in done.messages
    assert done.code == 0


def test_checks_are_made_by_the_interpreter(cache: Path) -> None:
    assert run(FLASH, cache, "64", VGPU_COMPILE="1", VGPU_CHECK="all").code == 0
    assert libraries(cache) == []


def test_a_setting_that_is_none_is_named(cache: Path) -> None:
    done = run(FLASH, cache, "64", VGPU_COMPILE="yes")
    assert done.messages == "vgpu: VGPU_COMPILE=yes is not 0 or 1; it is ignored\n"
    assert libraries(cache) == []


def test_the_tables_of_instructions_are_found(tmp_path: Path) -> None:
    table = tmp_path / "table.cpp"
    table.write_text('    {"add.u32", "a + b"},\n')
    script = ROOT / "tests/vgpu/compile/expressions.py"
    done = subprocess.run(
        [sys.executable, str(script), str(table), str(tmp_path / "out.cu")],
        capture_output=True,
        text=True,
    )
    assert "1 instructions found" in done.stderr
    assert done.returncode == 1
