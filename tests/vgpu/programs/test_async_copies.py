"""What the virtual GPU must show of asynchronous copies that a correct program cannot."""

import subprocess

from flashlab.layout import Layout

BUILD = Layout.of_this_package().root / "build"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a test program on the virtual GPU."""
    words = [BUILD / "bin/vgpu", "run", BUILD / "tests/vgpu/programs" / program, *arguments]
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=60, check=False
    )


def test_data_are_not_there_before_the_wait() -> None:
    """Nobody may look at a copy that is on its way: it shows as NaN, on every run."""
    forgotten = run("cp_async", "no-wait")
    assert forgotten.returncode == 1
    assert "got nan" in forgotten.stdout.lower().replace("-nan", "nan")
    assert run("cp_async").returncode == 0
