"""The Webex sandbox as a child process, for tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from typing import Any
from urllib.parse import parse_qsl

import requests

from tests.support.loggedprocess import ROOT

START_SECONDS = 60
STOP_SECONDS = 60


class Sandbox:
    """`python -m webexsandbox` on a free port; `options` are those of its command line.

    A context manager. It ends with this process even if that is killed.
    """

    def __init__(
        self, *, spaces: int = 20, messages: int = 30, seed: int = 1, **options: str
    ) -> None:
        self.url = ""
        self._arguments = [f"--spaces={spaces}", f"--messages={messages}", f"--seed={seed}"]
        for name, value in options.items():
            self._arguments.append(f"--{name.replace('_', '-')}={value}")
        self._process: subprocess.Popen[str] | None = None

    @property
    def api_url(self) -> str:
        return f"{self.url}/v1/"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Sandbox:
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "webexsandbox", "--port=0", "--watch-stdin", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self._process.stdout is not None
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        found = re.fullmatch(r"Webex sandbox: (http://\S+)\n", line)
        if not found:
            self._process.kill()
            self._process.communicate()
            raise AssertionError(f"no address but {line!r}: {self._said()}")
        self.url = found[1]
        return self

    def __exit__(self, *error: object) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError("the sandbox did not end") from None
        errors = self._said()
        assert process.returncode == 0, f"exit code {process.returncode}: {errors}"
        assert not errors, errors

    def _said(self) -> str:
        self._errors.seek(0)
        with self._errors as errors:
            return errors.read()

    def faults(self, *faults: dict[str, Any]) -> None:
        """Switch on misbehaviour: see docs of the control endpoint."""
        self._control("POST", {"faults": list(faults)})

    def settings(self, **settings: Any) -> None:
        self._control("POST", {"settings": settings})

    def reset(self) -> None:
        """Forget faults, settings, log, grants and all that was changed."""
        self._control("DELETE")

    def control(self) -> dict[str, Any]:
        """Return the counters and the log of requests."""
        shown: dict[str, Any] = self._control("GET").json()
        return shown

    def consent(self, authorize_url: str, *, user: str = "ada", decision: str = "grant") -> str:
        """Answer the consent page; return where the browser is sent (`redirect_uri?code=...`)."""
        url, _, query = authorize_url.partition("?")
        fields = dict(parse_qsl(query, keep_blank_values=True))
        fields |= {"user": user, "decision": decision}
        response = requests.post(url, data=fields, allow_redirects=False, timeout=60)
        assert response.status_code == 302, response.text
        return response.headers["Location"]

    def _control(self, method: str, body: object = None) -> requests.Response:
        response = requests.request(method, f"{self.url}/_control", json=body, timeout=60)
        assert response.ok, response.text
        return response
