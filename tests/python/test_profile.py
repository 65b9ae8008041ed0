"""`flashlab profile`: tile sizes, growth and hints from made-up counts, then the real thing on the virtual GPU."""

import json
from pathlib import Path
from typing import Any

import pytest
from flashlab import cli, labs
from flashlab.errors import UsageError
from flashlab.layout import Layout
from flashlab.profile import default_shapes, growth, parse_shape
from flashlab.profile_lines import Counts, Hint, Listing, hints, listing
from flashlab.profile_tiles import constants_of, sentence, traffic
from flashlab.profile_view import short_name
from flashlab.report.theory import theory_of

SQUARE = {"batch": 2, "heads": 3, "seq_q": 512, "seq_k": 512, "head_dim": 64, "causal": False}
# In one line of these kernels neighbouring threads read rows, and in one they meet in a bank.
SLOW_KERNEL = """#include <flashlab/lab1.h>

__global__ void copy(const float* Q, float* O, int rows, int d) {
  __shared__ float tile[32][32];
  const int row = blockIdx.x * 32 + threadIdx.x;
  float sum = 0.0f;
  for (int c = 0; c < d; ++c) {
    sum += row < rows ? Q[row * d + c] : 0.0f;  // SCATTERED
    tile[threadIdx.x][c % 32] = sum;            // CONFLICTS
  }
  __syncwarp();
  if (row < rows) O[blockIdx.x * 32 + threadIdx.x] = tile[threadIdx.x][0];
}

cudaError_t lab1_naive_attention(const float* Q, const float*, const float*, float* O,
                                 flashlab::AttentionShape shape, flashlab::Workspace&,
                                 cudaStream_t stream) {
  const int rows = shape.batch * shape.heads * shape.seq_q;
  copy<<<(rows + 31) / 32, 32, 0, stream>>>(Q, O, rows, shape.head_dim);
  return cudaGetLastError();
}
"""


def line_of(source: str, words: str) -> int:
    (number,) = [n for n, line in enumerate(source.splitlines(), 1) if words in line]
    return number


# --- tile sizes ---
@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        ("inline constexpr int kBr = 64;", "kBr", 64),
        ("constexpr int kA = 8, kB = 2;\nconstexpr int kBr = 4 * 8;  // kBr = 1;", "kBr", 32),
        ("constexpr int kWarps = 8;\nconstexpr int kBr = kWarps * 4;", "kBr", 32),
        ("template <int d>\ninline constexpr int kBc = 4096 / d;", "kBc", 64),
        (
            "static constexpr int kWarps = d == 128 ? 8 : 4;\nconstexpr int Br = kWarps * 2;",
            "Br",
            8,
        ),
        ("/* constexpr int kBr = 1; */ constexpr unsigned kBr = 7;", "kBr", 7),
        ("constexpr int kBr = sizeof(float);", "kBr", None),
        ("constexpr int kBr = unknown * 2;", "kBr", None),
        ("constexpr int kBr = 1 / 0;", "kBr", None),
        ("constexpr int kBr = __import__('os').getpid();", "kBr", None),
    ],
)
def test_constants_are_read_from_the_source(source: str, name: str, value: int | None) -> None:
    assert constants_of(source, {"d": 64}).get(name) == value


def counted(lab: str, tile: int, factor: float = 1.0) -> dict[str, float]:
    theory = theory_of(lab)
    assert theory is not None and theory.tiled is not None
    return {"requested_bytes": factor * 6 * theory.tiled(tile)(512, 64), "distinct_bytes": 0}


@pytest.mark.parametrize("lab", ["lab3", "lab4", "lab5"])
@pytest.mark.parametrize("tile", [16, 32, 64, 128])
def test_the_count_gives_the_tile_away(lab: str, tile: int) -> None:
    found = traffic(lab, SQUARE, counted(lab, tile, 1.004), "")
    assert found.in_source is None
    assert found.fitted is not None
    assert found.fitted.rows == tile
    assert f"fits tiles of {tile} " in sentence(found)


def test_a_tile_of_the_source_is_compared_with_the_count() -> None:
    source = "constexpr int kBr = 96;"
    as_said = traffic("lab4", SQUARE, counted("lab4", 96), source)
    assert as_said.in_source == as_said.fitted
    assert "96 queries (kBr in the source)" in sentence(as_said)
    assert "counted 1.000 times that" in sentence(as_said)
    assert "fits" not in sentence(as_said)
    otherwise = traffic("lab4", SQUARE, counted("lab4", 32), source)
    assert otherwise.fitted is not None
    assert otherwise.fitted.rows == 32
    assert "fits tiles of 32 queries best" in sentence(otherwise)


def test_a_count_that_no_tile_explains_is_said_to_be_one() -> None:
    found = traffic("lab4", SQUARE, counted("lab4", 512, 1.3), "")
    assert found.fitted is None
    assert found.nearest is not None
    assert "no tile size explains the count within 2%" in sentence(found)


def test_theory_is_for_whole_squares() -> None:
    meters = counted("lab4", 64)
    for other in ({"causal": True}, {"seq_k": 100}):
        found = traffic("lab4", {**SQUARE, **other}, meters, "constexpr int kBr = 64;")
        assert found.nearest is None
        assert "seq_q = seq_k without a mask" in sentence(found)
    assert sentence(traffic("lab2", SQUARE, meters, "")).endswith("asked for by threads")


def test_naive_attention_has_a_formula_without_tiles() -> None:
    meters = {"requested_bytes": 1e9, "distinct_bytes": 2 * 6 * (16 * 512**2 + 16 * 512 * 64)}
    assert "so 2.00 times as much" in sentence(traffic("lab1", SQUARE, meters, ""))


# --- growth ---
@pytest.mark.parametrize(
    ("scratch", "exponent"),
    [
        (lambda n: 0, 0.0),
        (lambda n: 65536, 0.0),
        (lambda n: 8 * n, 1.0),
        (lambda n: 4 * n * n, 2.0),
        (lambda n: 2 * n * n, 2.0),
    ],
)
@pytest.mark.parametrize("meter", ["workspace_bytes", "unmetered_bytes"])
def test_growth_is_the_exponent_of_n(scratch: Any, exponent: float, meter: str) -> None:
    empty = {"workspace_bytes": 0, "unmetered_bytes": 0, "local_bytes": 0}
    records = [
        {"shape": {"seq_k": n}, "meters": {**empty, meter: scratch(n)}} for n in (256, 512, 1024)
    ]
    found = growth(records)
    assert found is not None
    assert found.exponent == pytest.approx(exponent, abs=0.01)
    assert [point["n"] for point in found.points] == [256, 512, 1024]


def test_one_size_has_no_growth() -> None:
    assert growth([]) is None


# --- lines ---
SHARES = {"l1": 0.6, "l2": 0.2, "dram": 0.1, "shared": 0.5}


def hint_about(line: Counts) -> Hint:
    """What is said of a line that stands beside a harmless one."""
    harmless = Counts(instructions=10, load_bytes=128, requests=1, sectors=4, wavefronts=2)
    total = Counts()
    for counts in (line, harmless):
        for name in ("instructions", "load_bytes", "store_bytes", "requests", "sectors"):
            setattr(total, name, getattr(total, name) + getattr(counts, name))
        for name in ("local_sectors", "wavefronts", "conflicts"):
            setattr(total, name, getattr(total, name) + getattr(counts, name))
    first = hints(Listing({7: line, 8: harmless}, Counts(), total), 1e4, SHARES)[0]
    assert first.line == 7
    return first


@pytest.mark.parametrize(
    ("line", "words", "share", "topic"),
    [
        (
            Counts(1, load_bytes=12800, requests=100, sectors=3200),
            "32.0 sectors where 4.0", 0.6 * 2800 / 3204, "traffic",
        ),
        (Counts(1, wavefronts=30, conflicts=24), "80% of this line's wavefronts", 0.5 * 24 / 32, "conflicts"),
        (Counts(1, local_sectors=400), "local memory", 0.6 * 400 / 404, "memory"),
        (
            Counts(1, load_bytes=12800, requests=100, sectors=3200),
            "32.0 sectors where 4.0", 0.6 * 2800 / 3204, "traffic",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_waste_has_its_hint(
    line: Counts, words: str, share: float, topic: str
) -> None:
    hint = hint_about(line)
    assert words in hint.text
    assert hint.share == pytest.approx(share)
    assert hint.topic == topic


@pytest.mark.parametrize(
    "line",
    [
        Counts(100, load_bytes=400, requests=100, sectors=100),  # all lanes read one float
        Counts(100, load_bytes=9000, requests=70, sectors=282),
        Counts(100, wavefronts=1000),
    ],
)
def test_what_is_as_it_should_be_is_only_heavy(line: Counts) -> None:
    hint = hint_about(line)
    assert hint.text.startswith("91% of all instructions")
    assert (hint.share, hint.topic) == (0.0, "")


def test_waste_of_what_nobody_waits_for_is_not_worth_a_look() -> None:
    line = Counts(10, wavefronts=30, conflicts=24)
    listed = Listing({7: line}, Counts(), line)
    assert hints(listed, 1e4, {"shared": 0.5})[0].share > 0
    assert hints(listed, 1e4, {"shared": 0.01})[0].share == 0


def test_lines_of_headers_are_kept_apart() -> None:
    line = {"warp_instructions": 5, "warp_instructions_by_class": {"fma32": 5}}
    launches = [
        {"lines": [{"file": "a.cu", "line": 3, **line}, {"file": "a.cu", "line": 0, **line}]},
        {"lines": [{"file": "a.cu", "line": 3, **line}, {"file": "math.h", "line": 3, **line}]},
    ]
    listed = listing(launches, lambda file: file == "a.cu")
    assert {number: counts.instructions for number, counts in listed.lines.items()} == {3: 10}
    assert listed.lines[3].classes == {"fma32": 10}
    assert (listed.elsewhere.instructions, listed.total.instructions) == (10, 20)


# --- shapes and names ---
def test_shapes_are_words_with_commas() -> None:
    assert parse_shape("heads=4, seq=1024,d=64,causal") == {
        "heads": 4, "seq_q": 1024, "seq_k": 1024, "head_dim": 64, "causal": True,
    }  # fmt: skip
    assert parse_shape("seq_q=3,seq_k=5,d=8,scale=0.5,entry=x")["scale"] == 0.5


@pytest.mark.parametrize(
    "text", ["", "seq=4", "d=4", "seq=0,d=4", "seq=4,d=4,width=3", "seq=a,d=4"]
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shape"):
        parse_shape(text)


def test_the_default_is_the_largest_case_of_each_entry_point(tmp_path: Path) -> None:
    def case(entry: str, seq: int, *words: str, causal: bool = False) -> str:
        shape = f"{{ seq_q = {seq}, seq_k = {seq}, head_dim = 8, causal = {str(causal).lower()} }}"
        return "\n".join(["[[case]]", f'entry = "{entry}"', f"shape = {shape}", *words, ""])

    config = tmp_path / "lab.toml"
    config.write_text(
        '[lab]\nentries = [{ name = "a" }, { name = "b" }]\n'
        + case("a", 64)
        + case("a", 128)
        + case("a", 4096, 'device = "cuda"')
        + case("a", 256, causal=True)
        + case("b", 32)
    )
    lab = labs.Lab("lab9_x", 9, "", 100, config, "x.cu")
    found = [(shape["entry"], shape["seq_q"]) for shape in default_shapes(lab)]
    assert found == [("a", 128), ("b", 32)]


def test_kernels_have_short_names() -> None:
    assert short_name("void lab4::flash<64>(float const*, int)") == "flash<64>"
    assert short_name("copy(float*)") == "copy"


# --- the whole command ---
class Scratch(Layout):
    """The real repository with results elsewhere."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"


@pytest.fixture
def scratch(real_layout: Layout, tmp_path: Path) -> Layout:
    layout = Scratch(real_layout.root)
    object.__setattr__(layout, "folder", tmp_path)
    return layout


def run(layout: Layout, *words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.run(layout, ["profile", *[str(word) for word in words]])
    return int(ended.value.code or 0)


def test_profile_of_a_solution(
    scratch: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = labs.find(scratch, "lab4").solution(scratch)
    shapes = ("--shape", "heads=2,seq=128,d=32", "--shape", "seq=100,d=64,causal")
    output = tmp_path / "profile.json"
    assert run(scratch, "lab4", "--submission", solution, *shapes, "--json", output) == 0
    shown = capsys.readouterr().out
    for words in (
        "modelled from the counts, not measured",
        "64 queries (kBr in the source)",
        "counted 1.000 times that",
        "flash_attention2<32>",
        "scratch memory grows as N^0.00",
        "look here",
        "tile.K[j][c] = inside",
    ):
        assert words in shown
    assert "Lab 4, FlashAttention-2, forward" not in shown  # a line without counts
    document = json.loads(output.read_text())
    stored = scratch.results / "profile/lab4_flash_attention2.json"
    assert json.loads(stored.read_text()) == document
    first, second = document["shapes"]
    assert second["record"]["shape"]["causal"] is True
    assert first["record"]["status"] == "ok"
    for key, meter in (("load_bytes", "global_load_bytes"), ("store_bytes", "global_store_bytes")):
        lines = sum(line[key] for line in first["lines"].values()) + first["elsewhere"][key]
        assert lines == first["record"]["meters"][meter] > 0
    load = line_of(solution.read_text(), "tile.K[j][c] = inside")
    # K is read by each of 2 blocks of a head.
    assert first["lines"][str(load)]["load_bytes"] == 2 * 2 * 128 * 32 * 4
    assert document["memory_growth"]["exponent"] == pytest.approx(0, abs=0.01)
    assert [point["n"] for point in document["memory_growth"]["points"]] == [256, 512, 1024, 2048]


def test_profile_names_the_lines_that_are_slow(
    scratch: Layout, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "slow.cu"
    source.write_text(SLOW_KERNEL)
    assert run(scratch, "lab1", "--submission", source, "--shape", "heads=64,seq=512,d=64") == 0
    shown = capsys.readouterr().out
    assert "the result is wrong" in shown
    assert "A time is modelled when the result is right." in shown
    told = [line.rstrip() for line in shown[shown.index("look here") :].splitlines()]
    places = [f"slow.cu:{line_of(SLOW_KERNEL, words)}" for words in ("SCATTERED", "CONFLICTS")]
    assert places == sorted([told[1].strip(), told[3].strip()])
    said = [
        " ".join(" ".join(told[told.index(f"  {place}") + 1 :][:2]).split()) for place in places
    ]
    assert "a request of 32 lanes touches 32.0 sectors where 4.0 would do" in said[0]
    assert "read handout 1, section 7" in said[0]
    assert "97% of this line's wavefronts are repeats" in said[1]


def test_profile_says_what_a_line_may_cost(
    scratch: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = labs.find(scratch, "lab1").solution(scratch)
    assert run(scratch, "lab1", "--submission", solution, "--shape", "heads=8,seq=128,d=64") == 0
    shown = capsys.readouterr().out
    line = line_of(solution.read_text(), "dot += q[c] * k[c]")
    assert f"naive_attention.cu:{line}: up to " in shown
    assert "scratch memory grows as N^2.00: like a matrix of scores" in shown


def test_the_whole_source_on_request(scratch: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    solution = labs.find(scratch, "lab2").solution(scratch)
    words = ("lab2", "--submission", solution, "--shape")
    shape = "entry=lab2_row_softmax,seq_q=4,seq_k=64,d=1"
    assert run(scratch, *words, shape, "--all") == 0
    shown = capsys.readouterr().out
    assert f"{len(solution.read_text().splitlines())}  " in shown
    assert "#include <flashlab/lab2.h>" in shown


def test_a_stub_cannot_be_profiled(scratch: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(scratch, "lab4", "--shape", "seq=64,d=32") == 1
    said = capsys.readouterr().err
    assert "cannot be profiled: lab4 is not implemented yet" in said
    assert not (scratch.results / "profile/lab4_flash_attention2.json").exists()


def test_an_unknown_gpu_and_a_bad_shape_are_one_line(
    scratch: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = labs.find(scratch, "lab4").solution(scratch)
    words = ("lab4", "--submission", solution, "--shape")
    assert run(scratch, *words, "seq=64,d=32", "--gpu", "abacus") == 2
    assert "abacus" in capsys.readouterr().err
    assert run(scratch, *words, "seq=x") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
