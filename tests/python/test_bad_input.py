"""Every bad input ends with one clear line and exit code 2 (1 when the submission itself does not build)."""

import os
import shutil

import pytest
from flashlab import results, toolchain
from flashlab.errors import UsageError


def one_line(answer, *parts, code=2):
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith("flashlab: ")
    for part in parts:
        assert part in lines[0]
    assert answer.code == code


def test_unknown_lab(flashlab):
    one_line(flashlab("grade", "lab9"), "unknown lab 'lab9'", "lab1")


def test_missing_file(flashlab, tmp_path):
    one_line(flashlab("grade", "1", "--submission", tmp_path / "no.cu"), "no.cu", "No such file")


def test_folder_given(flashlab, tmp_path):
    one_line(flashlab("grade", "1", "--submission", tmp_path), "is a folder", ".cu file")


def test_other_kind_of_file(flashlab, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    one_line(flashlab("grade", "1", "--submission", tmp_path / "a.zip"), "not a .cu file")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"int a;\n// caf\xe9\n", ":2: byte 0xe9 is not UTF-8"),
        (b" \n", "is empty"),
        (b"int a;\0", "NUL"),
        (b"x" * ((1 << 20) + 1), "larger than 1 MiB"),
    ],
)
def test_not_a_source(repository, flashlab, data, words):
    repository.stub.write_bytes(data)
    one_line(flashlab("grade", "1"), "naive_attention.cu", words)


def test_compile_error_is_1_with_the_compilers_words(repository, flashlab):
    repository.stub.write_text("SYNTAX_ERROR\n")
    answer = flashlab("grade", "1")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        "labs/x.cu(3): error: expected a ;",
        "flashlab: labs/lab1_naive/naive_attention.cu does not build",
    ]
    assert not repository.results()


def test_no_compiler(flashlab, monkeypatch):
    monkeypatch.setattr(toolchain, "_candidates", lambda layout: [])
    one_line(flashlab("grade", "1"), "no nvcc of release 13", "make setup")


def test_old_compiler(repository, flashlab, tmp_path, monkeypatch):
    nvcc = tmp_path / "cuda/bin/nvcc"
    nvcc.write_text("#!/bin/sh\necho release 12.4, V12.4.131\n")
    monkeypatch.setattr(toolchain, "_candidates", lambda layout: [nvcc])
    one_line(flashlab("grade", "1"), f"{nvcc} is release 12.4", "make setup")


@pytest.mark.parametrize("part", ["judge", "worker"])
def test_not_built(repository, flashlab, part):
    getattr(repository.layout, part).unlink()
    one_line(flashlab("grade", "1"), f"flashlab-{part} is missing", "make build")


def test_no_virtual_gpu(repository, flashlab):
    shutil.rmtree(repository.layout.virtual_runtime)
    one_line(flashlab("grade", "1", "--device", "vgpu"), "libcudart.so.13 is missing", "make build")


def test_no_gpu(flashlab, monkeypatch):
    from flashlab import device

    monkeypatch.setattr(device, "probe_gpu", lambda: device.Gpu(None, "the driver finds no GPU"))
    one_line(flashlab("grade", "1", "--device", "cuda"), "the driver finds no GPU", "--device vgpu")


def test_unwritable_folder(repository, flashlab):
    repository.layout.results.write_text("a file where the folder should be")
    one_line(flashlab("grade", "1"), "cannot write to", "results")


def test_unwritable_json_target(repository, flashlab, tmp_path):
    (tmp_path / "file").write_text("")
    one_line(flashlab("grade", "1", "--json", tmp_path / "file/out.json"), "cannot write to")
    assert not repository.results(), "found out before the work, not after"


def test_disk_full_keeps_the_earlier_file(tmp_path, monkeypatch):
    target = tmp_path / "latest.json"
    target.write_text("earlier")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        results.write_atomically(target, "later")
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_report_without_results(flashlab):
    one_line(flashlab("report"), "no results yet", "./flashlab grade lab1")


def test_damaged_result(repository, flashlab):
    flashlab("grade", "1")
    latest = repository.layout.results / "lab1_naive/latest.json"
    latest.write_text(latest.read_text()[:100])
    one_line(flashlab("report"), "latest.json is damaged")


def test_damaged_lab(repository, flashlab):
    config = repository.lab / "lab.toml"
    config.write_text("[lab]\n")
    one_line(flashlab("status"), str(config), "'case' is missing")


def test_unknown_option_is_2(flashlab):
    assert flashlab("grade", "1", "--frobnicate").code == 2
    assert flashlab("frobnicate").code == 2
