"""The pages of `flashlab class`: feedback, report and similar."""

import json
import os
import re
from html.parser import HTMLParser

import pytest
from flashlab import sandbox

SOURCE = "naive_attention.cu"
VOID = {"meta", "br", "hr", "img", "link", "input"}
KERNEL = """
__global__ void scores(const float* q, const float* k, float* s, int n, int d, float scale) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= n) return;
  float most = -INFINITY;
  for (int column = 0; column < n; ++column) {
    float sum = 0.0f;
    for (int i = 0; i < d; ++i) sum += q[row * d + i] * k[column * d + i];
    s[row * n + column] = sum * scale;
    most = fmaxf(most, sum * scale);
  }
  float whole = 0.0f;
  for (int column = 0; column < n; ++column) whole += expf(s[row * n + column] - most);
  for (int column = 0; column < n; ++column) s[row * n + column] = expf(s[row * n + column] - most) / whole;
}
"""
OTHER = """
template <int Tile> __device__ void load(float (&tile)[Tile][Tile + 1], const float* from, int stride) {
  for (int y = threadIdx.y; y < Tile; y += blockDim.y) tile[y][threadIdx.x] = from[y * stride + threadIdx.x];
  __syncthreads();
}
extern "C" int launch(float* out, const float* in) { return out == in ? 1 : static_cast<int>(cudaGetLastError()); }
"""


class Tags(HTMLParser):
    """Fails when tags do not nest; keeps their names and the text."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f" {data} "


def read(path):
    page = path.read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert "script" not in tags.seen
    assert not re.search(r'(?:src|href)="(?!#|data:)', page), "a page loads nothing"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    return tags


@pytest.fixture
def graded(repository, course, flashlab):
    """Grades the named students' submissions, each with a plan for the judge and a text."""

    def run(*words, **students):
        for student, (text, plan) in students.items():
            path = repository.layout.root / "subs" / student / SOURCE
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n// {student} PLAN {json.dumps(plan)}\n")
            os.utime(path, (1790845200, 1790845200))
        answer = flashlab("class", "grade", path.parents[1], "--course", course, *words)
        assert answer.code == 0, answer.err
        return course

    return run


def wrong(cause, message):
    diagnosis = {"cause": cause, "text": message}
    return {"cases": {"status": "failed", "points": 0, "message": message, "diagnosis": diagnosis}}


def test_the_report_counts(graded, flashlab):
    course = graded(
        s1=("// a", {}),
        s2=("// b", wrong("no_scale", "scale is missing\nmore")),
        s3=("SYNTAX_ERROR", {}),
    )
    assert flashlab("class", "report", "--course", course).code == 0
    page = read(course / "report.html")
    words = " ".join(page.text.split())
    assert "lab graded refused missing pending error lab 1 2 1 0 0 0" in words
    assert "no_scale 1 scale is missing" in words
    assert "lab 1 forward_n32_d64 correctness 1 2 50 % 0" in words
    assert "Memory against time" not in words, "one passed: a mark alone says nothing"
    assert "No case has had different verdicts" in words


def test_the_report_lists_what_a_person_should_look_at(graded, flashlab):
    course = graded(s1=("static int calls = 0;", {}), s2=("// b", {}))
    flashlab("class", "report", "--course", course)
    words = " ".join(read(course / "report.html").text.split())
    assert "s1 lab 1 10 line 1 keeps something from one call to the next" in words
    assert "s2 lab 1 10 line" not in words
    assert re.search(r"Sandboxes of the results: 2 in (bubblewrap|landlock|limits)", words)
    course = graded(s1=("// a", {}))
    flashlab("class", "report", "--course", course)
    assert (
        "No submission has anything that a person should look at"
        in read(course / "report.html").text
    )


def test_strict_grading_needs_the_best_sandbox(graded, flashlab, repository, monkeypatch):
    course = graded(s1=("// a", {}))
    monkeypatch.setattr(sandbox.Sandbox, "is_full", property(lambda self: False))
    monkeypatch.setenv(sandbox.STRICT, "0")
    for words in (("grade", repository.layout.root / "subs"), ("regrade",)):
        assert flashlab("class", *words, "--course", course).code == 0
        monkeypatch.setenv(sandbox.STRICT, "0")
        answer = flashlab("class", *words, "--course", course, "--strict")
        assert (answer.code, answer.err.count("\n")) == (2, 1)
        assert "the sandbox is only" in answer.err
        monkeypatch.setenv(sandbox.STRICT, "0")


def test_the_report_shows_memory_against_time_and_flaky_cases(graded, flashlab, repository):
    timed = {"cases": {"meters": {"peak_device_bytes": 1 << 21, "host_seconds": 0.25}}}
    course = graded(s1=("// a", timed), s2=("// b", timed))
    repository.plan()
    (repository.lab / "lab.toml").write_text(
        (repository.lab / "lab.toml").read_text() + "\n# new\n"
    )
    flashlab("class", "report", "--course", course)
    before = (course / "report.html").read_bytes()
    flashlab("class", "report", "--course", course)
    assert (course / "report.html").read_bytes() == before
    page = read(course / "report.html")
    assert "Memory against time in lab 1" in page.text
    assert "passed the case forward_n130_d64" in page.text


def test_a_case_with_two_verdicts_for_one_submission_is_flaky(graded, flashlab, repository):
    course = graded(s1=("// a", {}), s2=("// b", {}))
    judge = repository.layout.judge
    judge.write_text(
        judge.read_text().replace(
            '"status": "passed"', '"status": "failed" if n == 64 else "passed"'
        )
    )
    assert flashlab("class", "regrade", "--course", course).code == 0
    flashlab("class", "report", "--course", course)
    words = " ".join(read(course / "report.html").text.split())
    assert "lab 1 forward_n64_d64 2 4" in words
    assert "forward_n32_d64 2 4" not in words


def test_pages_survive_hostile_text(graded, flashlab):
    hostile = "</pre></script><script>alert(1)</script>\x1b[2J\x00\u202e<svg onload=x>"
    plan = wrong(hostile, hostile)
    plan["cases"] |= {"output": hostile * 10_000}
    course = graded(s1=(hostile.replace("\x00", "") + KERNEL, plan), s2=(KERNEL, plan))
    for command in ("feedback", "report", "similar"):
        assert flashlab("class", command, "--course", course).code == 0
    pages = [course / "feedback/s1.html", course / "report.html", course / "similar.html"]
    for page in pages:
        assert "alert(1)" in read(page).text
    assert pages[0].stat().st_size < 2_000_000


def test_similar_finds_copies_and_nothing_else(graded, flashlab, repository):
    renamed = KERNEL.replace("scores", "s_kernel").replace("column", "j").replace("  ", "    ")
    course = graded(s1=(KERNEL, {}), s2=(f"// my own work\n{renamed}", {}), s3=(OTHER, {}))
    answer = flashlab("class", "similar", "--course", course)
    assert answer.out.startswith("1 pairs to look at")
    page = read(course / "similar.html")
    assert "s1 and s2" in page.text
    assert "s3" not in page.text
    assert "mark" in page.seen
    before = (course / "similar.html").read_bytes()
    flashlab("class", "similar", "--course", course)
    assert (course / "similar.html").read_bytes() == before


def test_what_the_stub_gives_is_not_similar(graded, flashlab, repository):
    repository.stub.write_text(KERNEL)
    course = graded(s1=(KERNEL + OTHER, {}), s2=(KERNEL + "// nothing added", {}))
    assert flashlab("class", "similar", "--course", course).out.startswith("0 pairs")
    repository.stub.write_text("// an empty stub\n")
    assert flashlab("class", "similar", "--course", course).out.startswith("1 pairs")
