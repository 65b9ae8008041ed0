"""The quiz: what is right gets all points for every student, each mistake is named, and only arithmetic is run."""

import itertools
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from flashlab.errors import UsageError
from flashlab.exports import Format
from flashlab.quiz.bank import Bank, Kind, Question, load_bank
from flashlab.quiz.check import check_sheet
from flashlab.quiz.draw import Drawn, draw
from flashlab.quiz.formula import FormulaError, evaluate
from flashlab.quiz.sheet import Sheet, read_sheet, write_sheet
from flashlab.quiz.units import UnitError, read

ROOT = Path(__file__).resolve().parents[2]
BANK = load_bank(ROOT / "handouts/quiz", ROOT / "solutions/quiz")
IDS = [question.id for question in BANK.questions]


def right_answer(drawn: Drawn):
    """(answer, line) that the key gives for a student's numbers."""
    question, key = drawn.question, BANK.answers[drawn.question.id]
    if question.kind is Kind.NUMBER:
        return f"{evaluate(key.value, drawn.numbers):.12g} {question.unit}", 0
    if question.kind is Kind.FORMULA:
        return key.value, 0
    ids = key.value if isinstance(key.value, list) else [evaluate(key.value, drawn.numbers)]
    letters = [drawn.letter(one) for one in ids]
    return letters, key.lines[0] if key.lines else 0


def result_of(question: Question, given, line=0, student="s", seed=1):
    bank = Bank((question,), BANK.answers)
    return check_sheet(bank, Sheet(student, {question.id: given}, {question.id: line}), seed)[0]


def question(name: str) -> Question:
    return next(one for one in BANK.questions if one.id == name)


def test_there_are_questions_on_every_chapter_and_of_every_kind():
    assert len(BANK.questions) >= 40
    assert {one.kind for one in BANK.questions} == set(Kind)
    assert {one.chapter[0] for one in BANK.questions} == set("123456")


@pytest.mark.parametrize("student", ["alice", "bob", "学生"])
def test_what_is_right_gets_all_points(student):
    given, lines = {}, {}
    for one in BANK.questions:
        given[one.id], lines[one.id] = right_answer(draw(one, student, 5))
    checked = check_sheet(BANK, Sheet(student, given, lines), 5)
    assert [c.drawn.question.id for c in checked if c.share != 1] == []


def every_draw(one: Question):
    names = list(one.draw)
    for values in itertools.product(*one.draw.values()):
        yield Drawn(one, dict(zip(names, values, strict=True)), one.options)


@pytest.mark.parametrize("name", [one.id for one in BANK.questions if one.kind is Kind.NUMBER])
def test_no_mistake_is_right_for_all_numbers_that_can_be_drawn(name):
    """A misconception that gives the right number for some draws is harmless there; for all it would be none."""
    one, key = question(name), BANK.answers[name]
    for mistake in key.mistakes:
        told = [
            abs(evaluate(mistake.value, d.numbers) - evaluate(key.value, d.numbers))
            > key.tolerance * abs(evaluate(key.value, d.numbers))
            for d in every_draw(one)
        ]
        assert sum(told) >= 0.3 * len(told), mistake.value


@pytest.mark.parametrize("name", IDS)
def test_each_mistake_is_explained_and_costs_points(name):
    one, key = question(name), BANK.answers[name]
    for mistake in key.mistakes:
        for student in map(str, range(40)):  # until one has numbers for which the mistake shows
            drawn = draw(one, student, 1)
            if one.kind is Kind.NUMBER:
                given = f"{evaluate(mistake.value, drawn.numbers):.12g} {one.unit}"
            elif one.kind is Kind.FORMULA:
                given = mistake.value
            else:
                given = [drawn.letter(option) for option in mistake.value]
            got = result_of(one, given, student=student)
            if mistake.text["en"] in got.said["en"]:
                break
        assert got.share < 1
        assert mistake.text["en"] in got.said["en"]
        assert mistake.text["zh"] in got.said["zh"]


def test_drawn_numbers_differ_between_students_and_are_the_same_again():
    one = question("memory_of_all")
    drawn = {tuple(draw(one, str(number), 1).numbers.items()) for number in range(30)}
    assert len(drawn) > 5
    assert draw(one, "alice", 1) == draw(one, "alice", 1)
    assert len({draw(question("theorem"), str(n), 1).letter("n2d") for n in range(30)}) == 4


def test_units():
    assert read("2 GiB", "MiB") == 2048
    assert read("1_000", "") == read("1,000", "") == 1000
    assert read("8.6e0 gflop", "GFLOP") == 8.6
    assert read(12, "MiB") == 12
    for text in ("twelve", "12 13", "5 s", "5 GFLOP", ""):
        with pytest.raises(UnitError):
            read(text, "MiB")


def test_a_wrong_unit_gets_half():
    one = question("memory_of_s")
    right = evaluate(BANK.answers[one.id].value, draw(one, "s", 1).numbers)
    assert result_of(one, f"{right * 1.048576:.9g} MB").share == 1
    assert result_of(one, f"{right * 1.048576:.9g}").share == 0.5
    assert result_of(one, f"{right:.9g} KiB").share == 0.5
    assert result_of(one, f"{right * 1.3:.9g}").share == 0


def test_partial_credit():
    choice = question("steps_and_memory")
    drawn = draw(choice, "s", 1)
    two = [drawn.letter("scores"), drawn.letter("softmax")]
    assert result_of(choice, two).share == pytest.approx(2 / 3)
    assert result_of(choice, [*two, drawn.letter("load")]).share == pytest.approx(1 / 3)
    assert result_of(choice, list("abcd")).share == pytest.approx(2 / 3)
    order = question("order_of_block")
    right, _ = right_answer(draw(order, "s", 1))
    swapped = [right[1], right[0], *right[2:]]
    assert result_of(order, swapped).share == pytest.approx(0.8)
    assert result_of(order, right[::-1]).share == 0
    assert result_of(order, right[:-1]).share == 0
    bug = question("bug_maximum_at_zero")
    letters, line = right_answer(draw(bug, "s", 1))
    assert result_of(bug, letters[0], line).share == 1
    assert result_of(bug, letters[0], line + 1).share == 0.5
    assert result_of(bug, "", line).share == 0.5
    assert result_of(bug, "", 0).said["en"] == "not answered"


def test_formulas_are_compared_by_value():
    one = question("naive_traffic")
    assert result_of(one, "16*N*(N + d)").share == 1
    assert result_of(one, "4*(4*N^2) + 16*d*N").share == 1
    assert result_of(one, "16*N*(N + d) + 1").share == 0
    assert "not one of the variables" in result_of(one, "16*M").said["en"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('id')",
        "().__class__",
        "[1][0]",
        "lambda: 1",
        "exp(x=1)",
        "9**9**9**9",
        "exp(1e9)",
        "1/0",
        "(-8)**0.5",
        "sqrt(-1)",
        "1 +",
        "True",
        "max()",
        "gcd(1)",
        "(" * 300,
        "1+" * 500 + "1",
        "'a' + 1",
        "\0",
    ],
)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(FormulaError):
        evaluate(text, {"N": 3.0})


def test_sheets_go_out_and_come_back(tmp_path):
    for language in ("en", "zh"):
        text = write_sheet(BANK, "alice", 1, language)
        assert list(tomllib.loads(text)) == ["student", *IDS]
        path = tmp_path / f"{language}.toml"
        path.write_text(text, encoding="utf-8")
        assert all(one.share == 0 for one in check_sheet(BANK, read_sheet(path, BANK), 1))
        for mistake in (m for key in BANK.answers.values() for m in key.mistakes):
            assert mistake.text[language] not in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("answer = ", "is not TOML"),
        ("[memory_of_q]\nanswer = 1", "the line student"),
        ('student = "a"\n[nobody]\nanswer = 1', "no question 'nobody'"),
    ],
)
def test_a_bad_sheet_is_one_line(tmp_path, text, problem):
    path = tmp_path / "sheet.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=problem):
        read_sheet(path, BANK)


def test_odd_answers_cost_their_own_points_only(tmp_path):
    path = tmp_path / "sheet.toml"
    odd = ["[1, 2]", "true", "{ a = 1 }", '"\\u0000"', "1e999", "-5", '["z", "z"]']
    entries = (f"[{name}]\nanswer = {odd[n % len(odd)]}\n" for n, name in enumerate(IDS))
    path.write_text('student = "a"\n' + "".join(entries))
    checked = check_sheet(BANK, read_sheet(path, BANK), 1)
    assert all(0 <= one.share < 1 for one in checked)


def test_a_bank_that_contradicts_itself_is_refused(tmp_path):
    def bank(question_text, answer_text=""):
        (tmp_path / "q").mkdir(exist_ok=True)
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "q/1-x.toml").write_text(question_text)
        (tmp_path / "a/1-x.toml").write_text(answer_text)
        return load_bank(tmp_path / "q", tmp_path / "a")

    good = (
        '[[question]]\nid = "a"\nkind = "number"\nsection = "1"\npoints = 1\nen = "x"\nzh = "x"\n'
    )
    assert bank(good, '[a]\nvalue = "1"\nen = "x"\nzh = "x"\n').answers
    for text, answers, problem in (
        (good + good, "", "twice"),
        (good, '[b]\nvalue = "1"\nen = "x"\nzh = "x"\n', "differ"),
        (good.replace('zh = "x"\n', ""), "", "no text in 'zh'"),
        (good.replace("number", "essay"), "", "essay"),
        (good + "colour = 1\n", "", "unknown key"),
        (good.replace("number", "choice"), "", "options"),
        (good, '[a]\nen = "x"\nzh = "x"\n', "missing"),
    ):
        with pytest.raises(UsageError, match=problem):
            bank(text, answers)


def test_the_command(flashlab, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("handouts/quiz", "solutions/quiz"):
        target = repository.layout.root / folder
        target.mkdir(parents=True)
        for file in (ROOT / folder).glob("*.toml"):
            (target / file.name).write_bytes(file.read_bytes())
    assert flashlab("quiz", "make", "alice").code == 0
    assert "already" in flashlab("quiz", "make", "alice").err
    assert "no name" in flashlab("quiz", "make", "../x").err
    text = Path("quiz_alice.toml").read_text().replace("[memory_of_q]", "[memory_of_q]\nspare = 1")
    Path("quiz_alice.toml").write_text(text)
    answer = flashlab("quiz", "check", "quiz_alice.toml", "--json", "out.json")
    assert answer.code == 0
    assert f"0 of {sum(one.points for one in BANK.questions):g}\n" in answer.out
    document = json.loads(Path("out.json").read_text())[0]
    assert document["score"] == 0
    assert document["max_score"] == sum(one.points for one in BANK.questions)
    for wanted in Format:
        exported = flashlab("export", "out.json", "--format", wanted)
        assert (exported.code, exported.err) == (0, "")
        assert "quiz" in exported.out
    graded = json.loads(flashlab("export", "out.json", "--format", "gradescope").out)
    assert graded["score"] == 0
    assert sum(test["max_score"] for test in graded["tests"]) == document["max_score"]
    assert (
        "memory_of_q,1-memory-bound,failed,0,1"
        in flashlab("export", "out.json", "--format", "csv").out
    )
    assert "read: handout 1, section 1" in graded["tests"][0]["output"]
    assert flashlab("quiz", "make", "bob").code == 0
    both = ("quiz_alice.toml", "quiz_bob.toml")
    assert flashlab("quiz", "check", *both, "--json", "both.json").code == 0
    assert "one student at a time" in flashlab("export", "both.json", "--format", "csv").err
    for file in (repository.layout.root / "solutions/quiz").glob("*.toml"):
        file.unlink()
    assert "instructors' side" in flashlab("quiz", "check", "quiz_alice.toml").err


def test_points_are_rounded():
    one = replace(question("steps_and_memory"), points=1.0)
    drawn = draw(one, "s", 1)
    assert result_of(one, [drawn.letter("scores")]).points == 0.33
