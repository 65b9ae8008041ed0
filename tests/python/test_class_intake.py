"""What `flashlab class` makes of folders, archives and downloads, hostile ones included."""

import datetime
import io
import os
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from flashlab.classroom.course import read_course
from flashlab.classroom.intake import read_times, take_in
from flashlab.errors import UsageError

SOURCE = "naive_attention.cu"
NOON = datetime.datetime(2026, 10, 1, 12, 0, tzinfo=datetime.UTC)
CODE = b"// mine\n"


@pytest.fixture
def taken(repository, course, tmp_path):
    """Takes in the submissions below `subs`, or those of a named file; (student, source or refusal, time) each."""

    def run(root: Path = tmp_path / "subs", lab: str | None = None, times: Path | None = None):
        klass = read_course(repository.layout, course)
        only = klass.lab(lab) if lab else None
        found = take_in(klass, root, only, read_times(klass, times) if times else {})
        rows = [
            (item.student, item.source or item.refusal, item.submitted_at) for item in found.handed
        ]
        return rows, list(found.problems)

    return run


@pytest.fixture
def subs(tmp_path):
    folder = tmp_path / "subs"
    folder.mkdir()
    return folder


def put(path: Path, data: bytes = CODE, moment: datetime.datetime = NOON) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (moment.timestamp(),) * 2)


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*members: tarfile.TarInfo, data: bytes = CODE, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for member in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return buffer.getvalue()


LAYOUTS = {
    "plain folder": {f"s1/{SOURCE}": CODE},
    "deep in a folder": {f"s1/labs/lab1_naive/{SOURCE}": CODE},
    "by e-mail address": {f"ada@example.org/{SOURCE}": CODE},
    "zip of a student": {"s1.zip": zipped(**{f"work/{SOURCE}": CODE})},
    "zip in a student's folder": {"s1/anything.zip": zipped(**{SOURCE: CODE})},
    "tar.gz": {"s1.tar.gz": tarred(tarfile.TarInfo(f"./mine/{SOURCE}"))},
    "tar.bz2": {"s1.tar.bz2": tarred(tarfile.TarInfo(SOURCE), mode="w:bz2")},
    "file named after the student": {"s1.cu": CODE},
    "below the lab's name": {"lab1/s1.cu": CODE, "lab1/s2/nothing.txt": b""},
    "canvas": {f"lovelaceadaking_1001_777_{SOURCE}": CODE},
    "canvas, late and again": {"lovelaceadaking_LATE_1001_777_naive_attention-2.cu": CODE},
    "canvas, name only": {f"kinglovelaceada_999_777_{SOURCE}": CODE},
    "moodle": {f"Ada King Lovelace_4711_assignsubmission_file_/{SOURCE}": CODE},
    "moodle, flat": {f"Ada King Lovelace_4711_assignsubmission_file_{SOURCE}": CODE},
    "from a Mac": {
        "s1.zip": zipped(**{f"__MACOSX/._{SOURCE}": b"\0\1", f"x/{SOURCE}": CODE}),
        f"__MACOSX/s1/._{SOURCE}": b"\0\1",
        "s1/._work.zip": b"\0\1",
    },
    "twice the same": {"s1.zip": zipped(**{f"a/{SOURCE}": CODE, f"b/{SOURCE}": CODE})},
    "own folder wins": {
        "s1.zip": zipped(**{f"old/{SOURCE}": b"// old\n", f"labs/lab1_naive/{SOURCE}": CODE})
    },
}


@pytest.mark.parametrize("files", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("download", [False, True], ids=["folder", "zip"])
def test_layouts(taken, subs, tmp_path, files, download):
    for name, data in files.items():
        put(subs / name, data)
    root = subs
    if download:
        root = tmp_path / "download.zip"
        with zipfile.ZipFile(root, "w") as archive:
            for name, data in files.items():
                archive.writestr(
                    zipfile.ZipInfo(f"assignment 12/{name}", (2026, 10, 1, 12, 0, 0)), data
                )
    assert taken(root) == ([("s1", CODE, NOON)], [])


def test_gradescope_with_a_group(taken, subs):
    put(
        subs / f"assignment_1_export/submission_5/{SOURCE}",
        moment=NOON + datetime.timedelta(days=9),
    )
    put(
        subs / "assignment_1_export/submission_metadata.yml",
        b"---\nsubmission_5:\n  :submitters:\n  - :name: nobody\n    :sid: s2\n  - :email: gauss@example.org\n"
        b"  :created_at: 2026-10-01 14:00:00.123456000 +02:00\n",
    )
    assert taken() == ([("s2", CODE, NOON), ("s3", CODE, NOON)], [])


@pytest.mark.parametrize(
    "path",
    [
        f"s1/lovelaceadaking_1003_777_{SOURCE}",
        f"s1/Carl Gauß_1_assignsubmission_file_/{SOURCE}",
        f"s1/submission_5/{SOURCE}",
        f"s1/s3/{SOURCE}",
        f"s1/lab1/s3/{SOURCE}",
        f"Ada King Lovelace_1_assignsubmission_file_/Carl Gauß_1_assignsubmission_file_/{SOURCE}",
    ],
)
def test_nobody_hands_in_for_somebody_else(taken, subs, path):
    put(subs / path, b"// not of s3\n", NOON + datetime.timedelta(days=1))
    put(subs / f"s2/{SOURCE}")
    put(subs / f"s3/{SOURCE}")
    put(
        subs / path.partition("/")[0] / "submission_metadata.yml",
        b"submission_5:\n  :submitters:\n  - :sid: s3\n",
    )
    rows, _ = taken()
    assert [row for row in rows if row[0] != "s1"] == [("s2", CODE, NOON), ("s3", CODE, NOON)]


def test_a_damaged_list_of_gradescope_is_one_line(taken, subs):
    put(subs / "x/submission_metadata.yml", b"{\n: [")
    with pytest.raises(UsageError, match="yml cannot be read"):
        taken()


def test_accents_and_order_of_names(taken, subs):
    put(
        subs
        / f"{unicodedata.normalize('NFD', 'Öz-Müller Bärbel')}_1_assignsubmission_file_/{SOURCE}"
    )
    assert taken()[0] == [("s2", CODE, NOON)]


def test_the_newest_counts_and_an_unreadable_one_does_not(taken, subs):
    day = datetime.timedelta(days=1)
    put(subs / f"s1/{SOURCE}", b"// old\n")
    put(subs / "s1/new.zip", zipped(**{SOURCE: CODE}), NOON + day)
    put(subs / "s1/newer.zip", b"broken", NOON + 2 * day)
    assert taken() == ([("s1", CODE, NOON + day)], [])


def test_strangers_and_other_files_are_told(taken, subs):
    put(subs / f"s9/{SOURCE}")
    put(subs / "s1/kernel.cu")
    rows, problems = taken()
    assert rows == []
    assert problems == [
        f"s1/kernel.cu: holds none of {SOURCE}",
        f"s9/{SOURCE}: nobody in roster.csv fits; add the student or the id",
    ]


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo(SOURCE)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped(**{SOURCE: CODE}))
    data[6] |= 1  # the flag in the member's own head and in the directory
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


HOSTILE = {
    "garbage": ("zip", b"PK\x03\x04garbage", "cannot be read"),
    "empty": ("tar.gz", b"", "cannot be read"),
    "cut off": ("zip", zipped(**{SOURCE: CODE})[:60], "cannot be read"),
    "cut off tar": ("tar.gz", tarred(tarfile.TarInfo(SOURCE))[:40], "cannot be read"),
    "a rar": ("rar", b"Rar!", "no zip, tar.gz or .cu file"),
    "path upwards": ("zip", zipped(**{f"../../{SOURCE}": CODE}), "leads out of the archive"),
    "path upwards, backslashes": ("zip", zipped(**{f"..\\{SOURCE}": CODE}), "leads out"),
    "path upwards in tar": ("tar.gz", tarred(tarfile.TarInfo(f"a/../../{SOURCE}")), "leads out"),
    "absolute path": ("tar", tarred(tarfile.TarInfo(f"/etc/{SOURCE}"), mode="w"), "leads out"),
    "zip bomb": ("zip", zipped(**{SOURCE: bytes(1 << 28)}), "larger than 1 MiB"),
    "many bombs": (
        "zip",
        zipped(**{f"{i}/{SOURCE}": bytes(1 << 20) for i in range(70)}),
        "expands to more than 64 MiB",
    ),
    "tar bomb": (
        "tar.gz",
        tarred(tarfile.TarInfo("big.bin"), data=bytes(1 << 27)),
        "expands to more than 64 MiB",
    ),
    "too many files": ("zip", zipped(**{f"{i}": b"" for i in range(2001)}), "more than 2000 files"),
    "encrypted": ("zip", encrypted(), "encrypted"),
    "two cases": ("zip", zipped(**{SOURCE: CODE, SOURCE.upper(): b"// b"}), "2 different files"),
    "two files": (
        "zip",
        zipped(**{f"a/{SOURCE}": CODE, f"b/{SOURCE}": b"//"}),
        "2 different files",
    ),
    "not UTF-8": ("zip", zipped(**{SOURCE: b"// \xff"}), "is not UTF-8"),
    "NUL bytes": ("zip", zipped(**{SOURCE: b"//\0"}), "holds NUL bytes"),
    "no text": ("zip", zipped(**{SOURCE: b" "}), "is empty"),
}


@pytest.mark.parametrize(("suffix", "data", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_are_refused_and_hurt_nobody_else(taken, subs, suffix, data, reason):
    put(subs / f"s1.{suffix}", data)
    put(subs / f"s2/{SOURCE}")
    ((student, refusal, moment), other), problems = taken()
    assert (student, moment, problems) == ("s1", NOON, [])
    assert reason in refusal
    assert "\n" not in refusal
    assert other == ("s2", CODE, NOON)


@pytest.mark.parametrize(
    "data",
    [
        tarred(link(SOURCE, "/etc/passwd")),
        tarred(tarfile.TarInfo("x.cu"), link(SOURCE, "x.cu", tarfile.LNKTYPE)),
        tarred(link(SOURCE, "", tarfile.CHRTYPE)),
        tarred(link(SOURCE, "", tarfile.FIFOTYPE)),
        tarred(link(SOURCE, "", tarfile.DIRTYPE)),
    ],
    ids=["symbolic link", "hard link", "device", "pipe", "folder"],
)
def test_what_is_no_file_in_a_tar_is_passed_over(taken, subs, data):
    put(subs / "s1.tar.gz", data)
    assert taken() == ([], [f"s1.tar.gz: holds none of {SOURCE}"])


def test_a_link_in_a_zip_is_passed_over(taken, subs):
    put(subs / "s1.zip", zip_link())
    assert taken() == ([], [f"s1.zip: holds none of {SOURCE}"])


def test_links_and_pipes_in_a_folder_are_passed_over(taken, subs, tmp_path):
    (tmp_path / "secret.cu").write_bytes(b"// of somebody else\n")
    (tmp_path / "secrets").mkdir()
    put(tmp_path / f"secrets/{SOURCE}", b"// of somebody else\n")
    (subs / "s1").mkdir()
    (subs / "s1" / SOURCE).symlink_to(tmp_path / "secret.cu")
    (subs / "s2").symlink_to(tmp_path / "secrets")
    (subs / "s3").mkdir()
    os.mkfifo(subs / "s3" / SOURCE)
    assert taken() == ([], [])


def test_no_archive_writes_anywhere(taken, subs, tmp_path):
    for number, (suffix, data, _) in enumerate(HOSTILE.values()):
        put(subs / f"s1/{number}.{suffix}", data)
    before = sorted(tmp_path.rglob("*"))
    taken()
    assert sorted(tmp_path.rglob("*")) == before


def test_times_of_a_file_win(taken, subs, tmp_path, course):
    put(subs / f"s1/{SOURCE}")
    put(subs / f"s2/{SOURCE}")
    (course / "class.toml").write_text(
        'timezone = "Europe/Berlin"\n' + (course / "class.toml").read_text()
    )
    times = tmp_path / "times.csv"
    times.write_text(
        "student,lab,submitted_at\ns1,lab1,2026-10-03T15:00:00\noz@example.org,1,2026-10-04T13:00Z\n"
    )
    day = datetime.timedelta(days=1)
    hour = datetime.timedelta(hours=1)
    assert [row[2] - NOON for row in taken(times=times)[0]] == [2 * day + hour, 3 * day + hour]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("student,lab\n", ""),
        ("student,lab\ns1,lab1\n", "'submitted_at' is missing"),
        ("student,lab,submitted_at\ns9,lab1,2026-10-03T15:00:00\n", "times.csv:2: 's9' is not in"),
        ("student,lab,submitted_at\ns1,lab1,yesterday\n", "yesterday"),
    ],
)
def test_wrong_times_are_one_line(taken, subs, tmp_path, text, reason):
    (tmp_path / "times.csv").write_text(text)
    if not reason:
        assert taken(times=tmp_path / "times.csv") == ([], [])
        return
    with pytest.raises(UsageError, match=reason):
        taken(times=tmp_path / "times.csv")


def test_submissions_that_are_not_there_are_one_line(taken, tmp_path):
    with pytest.raises(UsageError, match="nosuch: No such file"):
        taken(tmp_path / "nosuch")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UsageError, match="neither a folder nor a zip or tar file"):
        taken(tmp_path / "notes.txt")
    (tmp_path / "x.zip").write_text("nothing")
    with pytest.raises(UsageError, match="zip cannot be read"):
        taken(tmp_path / "x.zip")
