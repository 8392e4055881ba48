"""A headless Chromium over its debugging pipe: enough of it to open a page and see what it does."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

# The browser wants the ends of the pipe as file descriptors 3 and 4.
ON_PIPE = """
import os, sys
ends = [os.dup(int(end)) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.set_inheritable(3, True)
os.set_inheritable(4, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium() -> str | None:
    """The program, if this machine has it."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


class Browser:
    """One Chromium with one page. Requests, those that failed, and console messages are kept as they come."""

    def __init__(self, program: str) -> None:
        self.profile = tempfile.TemporaryDirectory(prefix="shuke-chromium-", ignore_cleanup_errors=True)
        browser_in, self.to_browser = os.pipe()
        self.from_browser, browser_out = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_PIPE, str(browser_in), str(browser_out), program, *FLAGS,
             f"--user-data-dir={self.profile.name}", "about:blank"],
            pass_fds=(browser_in, browser_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(browser_in)
        os.close(browser_out)
        self.numbers = itertools.count(1)
        self.pending = b""
        self.requests: list[str] = []
        self.failures: list[str] = []
        self.console: list[str] = []
        self.loaded = False
        self.beforehand = ""
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self.session = str(attached["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.appear(dark=False)

    def open(self, address: str, *, width: int, height: int = 900) -> None:
        """Open an address in a window of this size and wait until it is loaded."""
        self.resize(width=width, height=height)
        self.requests.clear()
        self.failures.clear()
        self.console.clear()
        self.loaded = False
        self.call("Page.navigate", {"url": address})
        while not self.loaded:
            self._take(self._read(time.monotonic() + 60))

    def resize(self, *, width: int, height: int = 900) -> None:
        """Give the window this size; a narrow one is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def appear(self, *, dark: bool) -> None:
        """Let the system prefer dark or light pages; still ones always, as what moves is there and gone by chance."""
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.call("Emulation.setEmulatedMedia", {"features": features})

    def before_each_page(self, script: str) -> None:
        """Run this before any script of the pages that are opened from now on, in place of what was run so far."""
        if self.beforehand:
            self.call("Page.removeScriptToEvaluateOnNewDocument", {"identifier": self.beforehand})
        self.beforehand = self.call("Page.addScriptToEvaluateOnNewDocument", {"source": script})["identifier"]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; promises are waited for."""
        answer = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, expression: str, *, seconds: float = 60) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.1)

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG."""
        answer = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(answer["data"]))

    def write(self, text: str) -> None:
        """Type a text where the focus is."""
        self.call("Input.insertText", {"text": text})

    def press(self, key: str) -> None:
        """Press a key that writes nothing, such as ``Tab`` or ``Escape``, or ``Enter``."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40}
        told = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        written = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **told, **written})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **told})

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """A command to the page."""
        return self._call(method, parameters, self.session)

    def close(self) -> None:
        """End the browser and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        self.profile.cleanup()

    def _call(self, method: str, parameters: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        number = self._send(method, parameters, session)
        while True:
            answer = self._read(time.monotonic() + 60)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._take(answer)

    def _send(self, method: str, parameters: dict[str, Any] | None = None, session: str = "") -> int:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        return number

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self.pending:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.from_browser], [], [], max(0, left))
            assert ready, "the browser does not answer"
            piece = os.read(self.from_browser, 1 << 20)
            assert piece, "the browser has gone"
            self.pending += piece
        message, self.pending = self.pending.split(b"\0", 1)
        return dict(json.loads(message))

    def _take(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Network.responseReceived" if parameters["response"]["status"] >= 400:
                self.failures.append(f"{parameters['response']['status']} {parameters['response']['url']}")
            case "Network.loadingFailed" if not parameters.get("canceled"):
                self.failures.append(parameters["errorText"])
            case "Runtime.consoleAPICalled":
                self.console.append(" ".join(str(a.get("value", a)) for a in parameters["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(parameters["exceptionDetails"]))
            case "Log.entryAdded":
                self.console.append(parameters["entry"]["text"])
            case "Page.javascriptDialogOpening":
                # Until somebody answers, the page answers nothing more. Whoever opens another address means to leave.
                self._send("Page.handleJavaScriptDialog", {"accept": True}, self.session)
            case "Page.loadEventFired":
                self.loaded = True
