"""tools/make_stubs.py: what it writes, and everything it must refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "make_stubs.py"

SOLUTION = """\
// Header.
int f() {
  // BEGIN SOLUTION
  // HINT 2 lines: return
  // HINT what f is for.
  int answer = 42;

  return answer;
  // END SOLUTION
  return 0;
}
"""
STUB = """\
// Header.
int f() {
  // HINT 2 lines: return
  // HINT what f is for.
  return 0;
}
"""


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("solutions/lab1_x", "labs/lab1_x"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "solutions/lab1_x/x.cu").write_text(SOLUTION)
    return tmp_path


def test_writes_the_solution_minus_its_regions_and_keeps_the_hints(tree: Path) -> None:
    assert run(tree).returncode == 0
    assert (tree / "labs/lab1_x/x.cu").read_text() == STUB
    assert run(tree, "--check").returncode == 0


def test_touches_nothing_but_cu_files(tree: Path) -> None:
    settings = tree / "labs/lab1_x/lab.toml"
    settings.write_text("title = 'x'\n")
    assert run(tree).returncode == 0
    assert settings.read_text() == "title = 'x'\n"
    assert sorted(path.name for path in settings.parent.iterdir()) == ["lab.toml", "x.cu"]


def test_check_shows_the_difference_and_writes_nothing(tree: Path) -> None:
    stub = tree / "labs/lab1_x/x.cu"
    stub.write_text(STUB.replace("return 0", "return 1"))
    result = run(tree, "--check")
    assert result.returncode == 1
    assert "-  return 1;" in result.stdout and "+  return 0;" in result.stdout
    assert "return 1" in stub.read_text()


def test_check_misses_an_absent_stub(tree: Path) -> None:
    result = run(tree, "--check")
    assert result.returncode == 1
    assert "labs/lab1_x/x.cu" in result.stdout


def test_check_sees_a_difference_in_line_ends_only(tree: Path) -> None:
    (tree / "labs/lab1_x/x.cu").write_text(STUB.removesuffix("\n"))
    result = run(tree, "--check")
    assert result.returncode == 1
    assert "line ends differ" in result.stdout


@pytest.mark.parametrize("arguments", [(), ("--check",)])
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("// BEGIN SOLUTION", "// Begin", "x.cu:4: HINT outside a region"),
        ("  // HINT 2 lines: return\n  // HINT what f is for.\n", "", "x.cu:4: a region starts"),
        ("HINT 2 lines: return", "HINT return", "x.cu:4: a region starts"),
        (
            "HINT 2 lines",
            "HINT 3 lines",
            "x.cu:3: the hint promises 3 lines of solution, there are 2",
        ),
        ("  // END SOLUTION\n", "", "x.cu:3: BEGIN SOLUTION without an END"),
        ("  int answer", "  // BEGIN SOLUTION\n  int answer", "x.cu:6: BEGIN SOLUTION inside"),
        ("  return 0", "  // END SOLUTION\n  return 0", "x.cu:10: END SOLUTION without a BEGIN"),
        ("// END SOLUTION", "// END SOLUTION of f", "x.cu:9: a marker must stand alone"),
        (SOLUTION, "int f();\n", "x.cu: no `// BEGIN SOLUTION`"),
    ],
)
def test_refuses_a_solution_with_bad_markers(
    tree: Path, old: str, new: str, message: str, arguments: tuple[str, ...]
) -> None:
    assert SOLUTION.count(old) == 1
    (tree / "solutions/lab1_x/x.cu").write_text(SOLUTION.replace(old, new))
    result = run(tree, *arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert not (tree / "labs/lab1_x/x.cu").exists()


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_refuses_a_tree_without_solutions(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(tmp_path, *arguments)
    assert result.returncode == 1
    assert "nothing to make stubs from" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_refuses_a_stub_without_a_solution(tree: Path, arguments: tuple[str, ...]) -> None:
    assert run(tree).returncode == 0
    (tree / "labs/lab1_x/y.cu").write_text("int y;\n")
    result = run(tree, *arguments)
    assert result.returncode == 1
    assert "labs/lab1_x/y.cu: no solution of this name" in result.stderr


def test_the_project_s_own_stubs_are_up_to_date() -> None:
    result = run(ROOT, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_stub_of_the_project_holds_a_line_of_its_solution() -> None:
    stubs = sorted((ROOT / "labs").glob("*/*.cu"))
    assert stubs
    for stub in stubs:
        text = stub.read_text()
        assert "SOLUTION" not in text
        assert "HINT" in text
