"""A headless Chromium that a test or a script drives through its DevTools protocol, over a pipe: no port, no server.

Messages are JSON objects that end with a NUL byte: the browser reads them from file descriptor 3 and writes to 4.
Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from flashlab.report.pdf import find_browser

OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--force-color-profile=srgb",
)
SECONDS = 60


def drivable_browser() -> str | None:
    """A Chromium that listens to a pipe, which a snap (Ubuntu's) does not."""
    path = find_browser()
    if path is None or Path(path).resolve().is_relative_to("/snap"):
        return None
    with Path(path).open("rb") as file:
        return None if b"/snap/bin" in file.read(4096) else path


class Page:
    """One tab. Use it in a `with`; `events` holds what the browser told since the last `open`."""

    def __init__(self, browser: str) -> None:
        self._browser = browser
        self._next = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> "Page":
        self._profile = tempfile.TemporaryDirectory(
            prefix="flashlab-browser-", ignore_cleanup_errors=True
        )
        from_us, to_browser = os.pipe()
        from_browser, to_us = os.pipe()
        words = [self._browser, *OPTIONS, f"--user-data-dir={self._profile.name}"]
        if os.geteuid() == 0:
            words.append(
                "--no-sandbox"
            )  # Chromium's own needs another user than root; the pages are ours
        # The shell moves the pipes to 3 and 4, whatever numbers they have here.
        script = f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", script, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(from_us, to_us),
        )
        os.close(from_us)
        os.close(to_us)
        self._in: BinaryIO = os.fdopen(to_browser, "wb", buffering=0)
        self._out: BinaryIO = os.fdopen(from_browser, "rb", buffering=0)
        os.set_blocking(from_browser, False)
        self._buffer = b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=SECONDS)
        self._in.close()
        self._out.close()
        self._profile.cleanup()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """The result of a protocol method."""
        self._next += 1
        number = self._next
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            data = self._out.read(1 << 20)
            if data == b"":
                raise RuntimeError(f"{self._browser} ended")
            if data is None:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self._browser} gave no answer in {SECONDS} s")
                time.sleep(0.002)
            else:
                self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, path: Path, width: int, scheme: str = "light") -> None:
        """Shows a file, `width` CSS pixels wide, in the light or the dark scheme, once it has loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 (JSON)
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    def screenshot(self, height: int | None = None) -> bytes:
        """A PNG of the page from its top, all of it or `height` pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": height or size["height"],
            "scale": 1,
        }
        answer = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page as printed on A4."""
        answer = self.call(
            "Page.printToPDF",
            paperWidth=8.27,
            paperHeight=11.69,
            printBackground=True,
            preferCSSPageSize=True,
        )
        return base64.b64decode(answer["data"])
