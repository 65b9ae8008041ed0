"""What tests of several folders need: the built repository, and a browser."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from devtools import Page, drivable_browser
from flashlab.layout import Layout

ROOT = Path(__file__).resolve().parents[1]

# A shell's job in the background ignores Ctrl-C and hands that on: what tests start and interrupt must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
# `make test` hands its own options on to the `make` that a test starts.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def real_layout() -> Layout:
    """The real repository with built binaries. Under CI they must be there; elsewhere the test is skipped."""
    layout = Layout(ROOT)
    if not layout.judge.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{layout.judge} is missing: CI builds before it tests")
        pytest.skip("build/bin/flashlab-judge is not built")
    return layout


@pytest.fixture(scope="session")
def browser() -> Iterator[Page]:
    """A page in Chromium. Where Debian has the package, CI has to have it; elsewhere its absence is said."""
    path = drivable_browser()
    if path is None:
        debian = "ID=debian" in Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
        if os.environ.get("CI") == "true" and debian:
            pytest.fail("no Chromium: tools/setup.sh --test installs it")
        pytest.skip(
            "no Chromium that a pipe reaches (Ubuntu has it as a snap only): pages not looked at"
        )
    with Page(path) as page:
        yield page
