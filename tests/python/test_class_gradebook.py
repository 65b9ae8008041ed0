"""Late days, penalties and the CSV files of `flashlab class gradebook`."""

import csv
import datetime
import io

import pytest
from flashlab.classroom.course import LatePolicy, read_course
from flashlab.classroom.gradebook import (
    Entry,
    Gradebook,
    GradebookFormat,
    State,
    write_gradebook,
)
from flashlab.classroom.late import Lateness, lateness
from flashlab.classroom.roster import Roster, Student

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
DUE = datetime.datetime(2026, 10, 1, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def klass(repository, course):
    def make(text=""):
        if text:
            (course / "class.toml").write_text(text)
        return read_course(repository.layout, course)

    return make


def policy(klass, **late):
    course = klass()
    return course.__class__(**{**vars(course), "late": LatePolicy(**late)})


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (-DAY, 0),
        (0 * DAY, 0),
        (10 * MINUTE, 0),
        (11 * MINUTE, 1),
        (DAY + 10 * MINUTE, 1),
        (DAY + 11 * MINUTE, 2),
    ],
)
def test_a_begun_day_counts_after_the_grace(klass, after, days):
    course = policy(klass, grace=10 * MINUTE, penalty_per_day=0.1)
    late = lateness(course, "s1", {"lab1_naive": DUE + after})["lab1_naive"]
    assert late == Lateness(days, 0, 1 - 0.1 * days)


def test_points_are_never_negative_and_end_after_the_last_day(klass):
    course = policy(klass, penalty_per_day=0.4)
    assert lateness(course, "s1", {"lab1_naive": DUE + 5 * DAY})["lab1_naive"].factor == 0
    course = policy(klass, penalty_per_day=0.1, free_days=9, max_days=2)
    late = lateness(course, "s1", {"lab1_naive": DUE + 3 * DAY})["lab1_naive"]
    assert late == Lateness(3, 0, 0.0), "free days are not spent on what they cannot save"


def test_free_days_go_to_the_labs_in_the_order_of_their_due_times(repository, klass):
    for number, name in ((2, "lab2_b"), (3, "lab3_c")):
        folder = repository.layout.labs / name
        folder.mkdir()
        text = (
            (repository.lab / "lab.toml").read_text().replace('id = "lab1"', f'id = "lab{number}"')
        )
        (folder / "lab.toml").write_text(text)
    course = klass(
        'title = "x"\nseed = 1\n[late]\nfree_days = 3\npenalty_per_day = 10\n'
        "[labs.lab1]\ndue = 2026-10-08T12:00:00Z\n[labs.lab2]\ndue = 2026-10-01T12:00:00Z\n[labs.lab3]\n"
    )
    times = {"lab1_naive": DUE + 9 * DAY, "lab2_b": DUE + 2 * DAY, "lab3_c": DUE + 99 * DAY}
    assert lateness(course, "s1", times) == {
        "lab2_b": Lateness(2, 2, 1.0),
        "lab1_naive": Lateness(2, 1, 0.9),
        "lab3_c": Lateness(0, 0, 1.0),
    }


def test_an_extension_is_for_one_student(klass):
    course = klass(
        'title = "x"\nseed = 1\n[late]\npenalty_per_day = 50\n[labs.lab1]\ndue = 2026-10-01T12:00:00Z\n'
        '[[extensions]]\nstudent = "s2"\nlab = "lab1"\ndue = 2026-10-03T14:00:00+02:00\n'
    )
    times = {"lab1_naive": DUE + DAY}
    assert lateness(course, "s1", times)["lab1_naive"].factor == 0.5
    assert lateness(course, "s2", times)["lab1_naive"].factor == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'labs' is missing"),
        ('title = "x"\nseed = 1\n[labs.lab1]\ndue = "tomorrow"\n', "due of lab1 needs the form"),
        (
            'title = "x"\nseed = 1\n[labs.lab1]\ndue = 2026-10-01T12:00:00\n',
            "due of lab1 needs the form",
        ),
        ('title = "x"\nseed = -1\n[labs.lab1]\n', "seed is a whole number"),
        ('title = "x"\nseed = 1\n[labs.lab1]\ndeu = 1\n', "unknown entry 'deu'"),
        ('title = "x"\nseed = 1\n[labs.lab9]\n', "unknown lab 'lab9'"),
        ('title = "x"\nseed = 1\ntimezone = "Mars"\n[labs.lab1]\n', "unknown timezone 'Mars'"),
        ('title = "x"\nseed = 1\n[late]\npenalty_per_day = 300\n[labs.lab1]\n', "per cent value"),
        ("title = ", "cannot read"),
    ],
)
def test_a_wrong_class_file_is_one_line(flashlab, course, text, reason):
    (course / "class.toml").write_text(text or 'title = "x"\nseed = 1\n')
    answer = flashlab("class", "gradebook", "--course", course)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert reason in answer.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id\n", "has no student"),
        ("name\nAda\n", "'' is no id"),
        ("id\n../x\n", "'../x' is no id"),
        ("id\nab\nAB\n", "the id AB is there twice"),
    ],
)
def test_a_wrong_roster_is_one_line(flashlab, course, text, reason):
    (course / "roster.csv").write_text(text)
    answer = flashlab("class", "gradebook", "--course", course)
    assert answer.code == 2
    assert reason in answer.err


def book(klass, **names):
    """A gradebook with every state, as read from the database, without one."""
    course = klass()
    people = [Student("s1", **names), *(Student(f"s{i}", "Bo") for i in range(2, 6))]
    entries = [
        Entry(State.GRADED, 87.125, 100.0, Lateness(1, 0, 0.9)),
        Entry(State.REFUSED, 0.0, 100.0),
        Entry(State.MISSING),
        Entry(State.PENDING),
        Entry(State.ERROR),
    ]
    course.__dict__["roster"] = Roster(tuple(people))
    rows = [(p, {"lab1_naive": e}) for p, e in zip(people, entries, strict=True)]
    return Gradebook(course, tuple(rows))


def cells(klass, wanted, **names):
    text = write_gradebook(book(klass, **names), wanted)
    assert write_gradebook(book(klass, **names), wanted) == text
    return list(csv.reader(io.StringIO(text)))


def test_the_plain_gradebook(klass):
    rows = [row[3:] for row in cells(klass, GradebookFormat.PLAIN)]
    assert rows[0][:3] == ["lab1 points", "lab1 late days", "lab1 free days"]
    assert rows[1:] == [
        ["87.12", "1", "0", "78.41", "graded", "", "78.41"],
        ["0", "0", "0", "0", "refused", "", "0"],
        ["", "0", "0", "", "missing", "", "0"],
        ["", "0", "0", "", "pending", "", "0"],
        ["", "0", "0", "", "error", "", "0"],
    ]


@pytest.mark.parametrize("wanted", [GradebookFormat.CANVAS, GradebookFormat.MOODLE])
def test_platforms_get_no_points_where_there_is_no_grade(klass, wanted):
    finals = [row[-1] for row in cells(klass, wanted)]
    assert finals[-5:] == ["78.41", "0", "", "", ""]


def test_the_columns_that_canvas_and_moodle_know(klass, course):
    text = (
        course / "class.toml"
    ).read_text() + 'canvas = "Lab 1 (12345)"\nmoodle = "Assignment: Lab 1 (Real)"\n'
    klass(text)
    head, points, ada, *_ = cells(
        klass, GradebookFormat.CANVAS, name="King, Ada", canvas_id="7", email="a@b.c"
    )
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 1 (12345)"]
    assert points[0].strip() == "Points Possible"
    assert points[-1] == "100"
    assert ada == ["King, Ada", "7", "", "a@b.c", "", "78.41"]
    head, ada, *_ = cells(klass, GradebookFormat.MOODLE, moodle_id="9")
    assert head[-1] == "Assignment: Lab 1 (Real)"
    assert ada[0] == "9"


@pytest.mark.parametrize("wanted", list(GradebookFormat))
@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", '=1"\n']
)
def test_no_cell_is_a_formula(klass, wanted, name):
    rows = cells(klass, wanted, name=name, email=name, section=name)
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r\n")]
