"""`flashlab class leaderboard`: who appears, who never does, and in which order."""

import csv
import json
import os
import re

import pytest
from test_class_pages import read

SOURCE = "naive_attention.cu"
WRONG = {"status": "failed", "points": 0, "message": "wrong"}
MODELLED = {"how": "modelled", "gpu": "NVIDIA H200", "full": 1.1, "none": 4.0}


def speed(ratio, **other):
    """A speed case of the stand-in judge, whose staff kernel takes a millisecond."""
    times = {"ratio": ratio, "low": ratio, "high": ratio, "seconds": ratio / 1000}
    return {"group": "speed", "speed": {**MODELLED, **times, "staff_seconds": 1e-3, **other}}


class Board:
    """A class with a leaderboard."""

    def __init__(self, repository, course, flashlab):
        self.repository, self.course, self.flashlab = repository, course, flashlab

    def hand_in(self, student, *cases, text="", plan=True):
        """`cases`: what to put into the first cases of the judge's document, in their order."""
        path = self.repository.layout.root / "subs" / student / SOURCE
        path.parent.mkdir(parents=True, exist_ok=True)
        own = f"// PLAN {json.dumps({'each': cases})}\n" if plan else ""
        path.write_text(f"// {student}\n{text}\n{own}")
        os.utime(path, (1790845200, 1790845200))

    def grade(self):
        answer = self.flashlab(
            "class", "grade", self.repository.layout.root / "subs", "--course", self.course
        )
        assert answer.code == 0, answer.err

    def enter(self, text):
        (self.course / "leaderboard.csv").write_text(text)

    def run(self, *words):
        return self.flashlab("class", "leaderboard", "--course", self.course, *words)

    def page(self):
        return read(self.course / "leaderboard/leaderboard.html")

    def boards(self):
        return json.loads((self.course / "leaderboard/leaderboard.json").read_text())["boards"]

    def places(self):
        return [
            (place["rank"], place["pseudonym"])
            for board in self.boards()
            for place in board["places"]
        ]


@pytest.fixture
def board(repository, course, flashlab):
    return Board(repository, course, flashlab)


def test_only_those_who_take_part_appear_under_their_pseudonyms(board):
    for student, ratio in (("s1", 1.5), ("s2", 1.1), ("s3", 0.9)):
        board.hand_in(student, speed(ratio))
    board.grade()
    board.enter("id,pseudonym\ns1,Turbo Fish\ns2,\n")
    answer = board.run()
    assert answer.code == 0, answer.err
    assert "1 places on 1 boards" in answer.out
    assert board.places() == [(1, "Turbo Fish")], "s3 did not enter, s2 has no pseudonym"
    text = board.page().text
    assert "Turbo Fish" in text
    assert "1.50" in text
    folder = board.course / "leaderboard"
    assert {path.name for path in folder.iterdir()} == {
        f"leaderboard.{kind}" for kind in ("html", "json", "csv")
    }
    kept = "".join(path.read_text() for path in folder.iterdir())
    for secret in ("s1", "s2", "s3", "Lovelace", "Öz", "Gauß", "example.org", "1001"):
        assert not re.search(rf"\b{secret}", kept), secret


def test_ranks_are_by_the_ratio_and_equal_ones_share_a_rank(board):
    for student, ratio in (("s1", 1.204), ("s2", 1.196), ("s3", 1.3)):
        board.hand_in(student, speed(ratio))
    board.grade()
    board.enter("id,pseudonym\ns1,zebra\ns2,Aardvark\ns3,Mole\n")
    board.run()
    assert board.places() == [(1, "Aardvark"), (1, "zebra"), (3, "Mole")]
    rows = list(csv.DictReader((board.course / "leaderboard/leaderboard.csv").open()))
    assert [row["rank"] for row in rows] == ["1", "1", "3"]
    assert rows[0]["gpu"] == "NVIDIA H200"
    before = (board.course / "leaderboard/leaderboard.html").read_bytes()
    board.run()
    assert (board.course / "leaderboard/leaderboard.html").read_bytes() == before


@pytest.mark.parametrize(
    "cases",
    [
        (speed(0.1), WRONG),
        (speed(0.1), {**WRONG, "group": "checks"}),
        (speed(0.1), {**WRONG, "status": "skipped"}),
        ({"group": "speed", **WRONG, "status": "skipped"}, speed(0.1)),
    ],
    ids=["wrong", "race", "not judged", "wrong where it is timed"],
)
def test_a_fast_kernel_that_is_not_right_does_not_appear(board, cases):
    board.hand_in("s1", speed(1.5), {**WRONG, "group": "traffic"})
    board.hand_in("s2", *cases)
    board.grade()
    board.enter("id,pseudonym\ns1,slow\ns2,fast\n")
    board.run()
    assert board.places() == [(1, "slow")], "traffic is a merit, correctness is a must"


def test_devices_and_kinds_of_time_never_stand_on_one_board(board):
    board.hand_in("s1", speed(1.0), speed(1.4, gpu="NVIDIA T4"))
    board.hand_in("s2", speed(0.8, how="measured", low=0.7, high=0.9))
    board.hand_in("s3", speed(1.2), speed(1.1))
    board.grade()
    board.enter("id,pseudonym\ns1,one\ns2,two\ns3,three\n")
    board.run()
    shown = [(b["gpu"], b["how"], len(b["cases"]), b["places"]) for b in board.boards()]
    assert [(*row[:3], [place["pseudonym"] for place in row[3]]) for row in shown] == [
        ("NVIDIA H200", "measured", 1, ["two"]),
        ("NVIDIA H200", "modelled", 1, ["one"]),
        ("NVIDIA H200", "modelled", 2, ["three"]),
        ("NVIDIA T4", "modelled", 1, ["one"]),
    ]
    assert shown[2][3][0]["ratio"] == 1.2, "the slowest case counts"
    assert "0.70 to 0.90" in board.page().text


def test_of_several_stored_runs_the_one_in_the_middle_counts(board):
    board.hand_in("s1", plan=False)
    board.enter("id,pseudonym\ns1,steady\n")
    for number, ratio in enumerate((3.0, 1.0, 2.0)):
        board.repository.plan(each=[speed(ratio)])
        words = ("regrade",) if number else ("grade", board.repository.layout.root / "subs")
        board.flashlab("class", *words, "--course", board.course, "--seed", 20 + number)
    board.run()
    ((place,),) = (b["places"] for b in board.boards())
    assert place["ratio"] == 2.0
    board.repository.plan(each=[speed(0.1), WRONG])
    board.flashlab("class", "regrade", "--course", board.course, "--seed", 30)
    board.run()
    assert board.boards() == [], "with other inputs it is wrong"


def test_a_flag_keeps_a_kernel_away_until_a_person_has_looked_at_it(board):
    board.hand_in("s1", speed(0.5), text="static int calls = 0;")
    board.hand_in("s2", speed(0.4, flags=["times come in two kinds"]))
    board.hand_in("s3", speed(1.0))
    board.grade()
    board.enter("id,pseudonym\ns1,one\ns2,two\ns3,three\n")
    out = board.run().out
    assert board.places() == [(1, "three")]
    assert "times come in two kinds" in out
    (line,) = (line for line in out.splitlines() if "s1, lab1_naive" in line)
    assert "line 2 keeps something from one call to the next" in line
    digits = line.partition("reviewed as ")[2].partition(":")[0]
    board.enter(f"id,pseudonym,reviewed\ns1,one,{digits}\ns2,two,00000000\ns3,three,\n")
    board.run()
    assert board.places() == [(1, "one"), (2, "three")]
    board.hand_in("s1", speed(0.3), text="static int others = 0;")
    board.grade()
    board.run()
    assert board.places() == [(1, "three")], "a new submission has to be looked at again"


def test_hidden_cases_keep_their_names(board):
    toml = board.course / "class.toml"
    toml.write_text(toml.read_text() + 'hidden = ["*_n32_*"]\n')
    board.hand_in("s1", speed(1.0))
    board.grade()
    board.enter("id,pseudonym\ns1,one\n")
    board.run()
    assert "a hidden case" in board.page().text
    assert "n32" not in "".join(
        path.read_text() for path in (board.course / "leaderboard").iterdir()
    )


HOSTILE = "<script>x</script>&'"


def test_hostile_pseudonyms_are_only_text(board):
    board.hand_in("s1", speed(1.0))
    board.hand_in("s2", speed(2.0))
    board.grade()
    board.enter(f"id,pseudonym\ns1,{HOSTILE}\ns2,=cmd|calc!A0\n")
    assert board.run().code == 0
    assert HOSTILE in board.page().text, "read() fails on any script"
    rows = list(csv.DictReader((board.course / "leaderboard/leaderboard.csv").open()))
    assert rows[1]["pseudonym"] == "'=cmd|calc!A0"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 25, "is longer than 24 characters"),
        ("ada@example.org", "looks like an e-mail address"),
        ("a\uff20b", "looks like an e-mail address"),
        ("Ada K.", "the student's own name"),
        ("The Lovelace", "the student's own name"),
        ("gauss carl", "somebody in roster.csv"),
        ("Carl-Gauß", "somebody in roster.csv"),
        ("team 1002", "somebody in roster.csv"),
        ("oz@", None),
        ("a\u202eb", "does not show"),
        ("a\u200bb", "does not show"),
        ("a\x1b[2J", "does not show"),
        ("z\u0301\u0302\u0303\u0304", "does not show"),
        ("...", "no letter and no digit"),
        ("\uff34win", "looks like the pseudonym of s2"),
        ("t WIN", "looks like the pseudonym of s2"),
        ("naïve 🚀", None),
    ],
)
def test_what_is_no_pseudonym(board, name, why):
    board.enter(f'id,pseudonym\ns2,twin\ns1,"{name}"\n')
    answer = board.run()
    if why is None:
        assert answer.code == 0, answer.err
        return
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "leaderboard.csv:3: " in answer.err
    assert why in answer.err
    assert "ask s1 for another pseudonym" in answer.err
    assert not (board.course / "leaderboard").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "leaderboard.csv is missing: write into it who wants to appear"),
        ("name\nx\n", "the first line has to name the columns id and pseudonym"),
        ("id,pseudonym\ns9,x\n", "'s9' is no id of roster.csv"),
        ("id,pseudonym\ns1,x\ns1,y\n", "s1 is there twice"),
        ("id,pseudonym,reviewed\ns1,x,yes\n", "'yes' is not what was reviewed"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(board, text, why):
    if text is not None:
        board.enter(text)
    answer = board.run()
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert why in answer.err


def test_a_board_with_nobody_on_it_says_so(board):
    board.enter("id,pseudonym\ns1,one\n")
    assert board.run().code == 0
    assert "Nobody who takes part has a right kernel yet" in board.page().text
