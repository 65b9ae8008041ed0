"""Numbers, excerpts, outputs and figures are what they are made from; a difference is found, with its line."""

import subprocess
import sys

import generated
import pytest
import record
import regions
from flashlab import labs

ROOT = generated.ROOT
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in generated.texts()
}


def test_nothing_would_change():
    assert generated.differences() == []


def test_there_is_something_to_check():
    values = sum(len(regions.VALUE.findall(text)) for text in TEXTS.values())
    blocks = sum(len(regions.BLOCK.findall(text)) for text in TEXTS.values())
    assert values >= 80
    assert blocks >= 12
    assert len(generated.drawings()) >= 16


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("-->273 MB<!--/-->", "-->237 MB<!--/-->", "is 273 MB, the text says 237 MB"),
        ("x += __shfl_xor_sync", "x -= __shfl_xor_sync", "code labs/lab1_naive"),
        ("lab1 is not implemented yet", "lab1 is not there", "output lab1_stub has changed"),
    ],
)
def test_a_seeded_difference_is_found_with_its_line(old, new, complaint):
    name = "handouts/en/1-memory-bound.md"
    text = TEXTS[name]
    assert old in text
    found = regions.stale(text.replace(old, new), name)
    assert found
    assert complaint in found[0]
    line = int(found[0].removeprefix(f"{name}:").partition(":")[0])
    nearby = "\n".join(text.splitlines()[line - 1 : line + 25])
    assert old in nearby


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("one\n<!--=1+1-->2", "x.md:2: <!--= has no end"),
        ("<!--=nobody-->2<!--/-->", "x.md:1: nobody fails: NameError"),
        ("<!--begin code labs/none.cu f-->\n", "x.md:1: <!--begin  has no end"),
        ("<!--begin code labs/none.cu f-->\n<!--end-->", "x.md:1: code labs/none.cu f:"),
        (
            "\n<!--begin code labs/lab1_naive/naive_attention.cu gone-->\n<!--end-->",
            "x.md:2: code labs/lab1_naive/naive_attention.cu gone: no function or type of that name",
        ),
        ("<!--begin magic x-->\n<!--end-->", "x.md:1: magic x: 'magic'"),
    ],
)
def test_a_mistake_in_a_part_is_one_line(text, complaint):
    with pytest.raises(regions.ChapterError) as error:
        regions.refresh(text, "x.md")
    assert str(error.value).startswith(complaint)


def test_a_changed_figure_is_found(tmp_path):
    figures = tmp_path / "figures"
    figures.mkdir()
    for path, drawing in generated.drawings():
        (figures / path.name).write_text(drawing, encoding="utf-8")
    assert generated.differences(tmp_path) == []
    (figures / "traffic.zh.svg").write_text("<svg/>", encoding="utf-8")
    assert generated.differences(tmp_path) == [
        "handouts/figures/traffic.zh.svg: the figure has changed"
    ]


def test_an_excerpt_is_a_part_of_its_file():
    found = 0
    for text in TEXTS.values():
        for block in regions.BLOCK.finditer(text):
            if block["kind"] == "code":
                found += 1
                source = (ROOT / block["argument"].split()[0]).read_text(encoding="utf-8")
                code = block[0].split("```cuda\n")[1].partition("\n```")[0]
                assert all(line in source.splitlines() for line in code.splitlines())
    assert found >= 2


def test_the_terminal_still_shows_what_was_recorded(real_layout):
    checked = 0
    for lab in labs.discover(real_layout):
        recorded = regions.OUTPUT / f"{lab.short}_stub.txt"
        assert record.stub_output(lab) == recorded.read_text(encoding="utf-8"), (
            "`python tools/handouts record`, then `write`, brings it up to date"
        )
        checked += 1
    assert checked == 5


def test_the_command_says_what_differs():
    command = [sys.executable, "tools/handouts", "check"]
    env = {"PYTHONPATH": "grader", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
