"""HTML pages as PDF, printed by a headless Chromium."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from flashlab.errors import UsageError

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 120


def find_browser() -> str | None:
    """The first Chromium in PATH."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def to_pdf(page: str, folder: Path) -> bytes:
    """`page`, which loads nothing, on A4, with its headings as outline. Works in a temporary folder inside of `folder`:
    a Chromium that is a snap sees the home folder, but not /tmp.
    """
    browser = find_browser()
    if browser is None:
        raise UsageError(
            "no Chromium is there to print with: apt-get install chromium (Ubuntu: snap install chromium), or print"
            " the HTML page from any browser"
        )
    with tempfile.TemporaryDirectory(prefix="print-", dir=folder) as name:
        scratch = Path(name).resolve()
        source, target = scratch / "page.html", scratch / "page.pdf"
        source.write_text(page, encoding="utf-8")
        words = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer"]
        words.append("--generate-pdf-document-outline")
        words += [f"--user-data-dir={scratch / 'profile'}", f"--print-to-pdf={target}"]
        if os.geteuid() == 0:
            # Chromium's own sandbox needs another user than root; the page is ours, and has no scripts.
            words.append("--no-sandbox")
        try:
            done = subprocess.run(
                [*words, source.as_uri()],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"{browser} could not print the page: {error}") from None
        if not target.exists():
            said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise UsageError(f"{browser} could not print the page: {said[0]}")
        return target.read_bytes()
