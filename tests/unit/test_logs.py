"""What the server itself logs: text for people, or one JSON object a line."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.capturedstream import CapturedStream
from app.logcontext import of_request_and_run
from app.logs import JsonFormatter, ServerLog
from flask_realtime.masking import Secrets
from flask_realtime.requestid import REQUEST_ID
from tests.programs.logs_all import SECRET

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    """All that tests/programs/logs_all.py tells, on both of its streams."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.programs.logs_all"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    assert result.returncode == 1
    return [json.loads(line) for line in result.stdout.split(b"\n")[:-1]]


def of(entries: list[dict[str, Any]], logger: str) -> list[dict[str, Any]]:
    return [each for each in entries if each["logger"] == logger]


def test_all_that_a_program_tells_is_one_object_a_line(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        assert list(entry)[:6] == ["time", "level", "logger", "message", "node", "pid"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
        assert entry["node"] == socket.gethostname()
    assert {each["logger"] for each in entries} == {
        "flask_realtime.example",
        "stdout",
        "stderr",
        "uncaught",
        "py.warnings",
    }


def test_what_is_printed_is_an_entry_a_line(entries: list[dict[str, Any]]) -> None:
    assert [each["message"] for each in of(entries, "stdout")] == ["printed", "in pieces"]
    told = [each["message"] for each in of(entries, "stderr")]
    assert "printed" in told
    assert "twice" in told
    assert "no end" in told
    assert "KeyError: 'shown by the traceback module'" in told
    assert any("wrong arguments" in line for line in told)  # logging's own complaint


def test_an_exception_is_one_field(entries: list[dict[str, Any]]) -> None:
    (fault,) = [each for each in entries if each["message"] == "a fault"]
    assert fault["level"] == "error"
    assert fault["exception"].startswith("Traceback (most recent call last):\n")
    assert fault["exception"].endswith("LookupError: first\nsecond ***")
    thread, unraisable, end = of(entries, "uncaught")
    assert "divider" in thread["message"]
    assert "ZeroDivisionError" in thread["exception"]
    assert "KeyError: 1" in unraisable["exception"]
    assert (end["level"], end["exception"].splitlines()[-1]) == ("critical", "SystemError: the end")


def test_what_an_entry_says_itself_is_kept(entries: list[dict[str, Any]]) -> None:
    (entry,) = [each for each in entries if each["message"] == "of a run"]
    assert (entry["run"], entry["user"]) == ("0001", "mia")


def test_secrets_are_masked_before_they_are_encoded(entries: list[dict[str, Any]]) -> None:
    assert any("more\x1b[0m \udcff ***" in each["message"] for each in entries)
    for entry in entries:
        assert not [value for value in entry.values() if SECRET in str(value)]


@given(st.text(), st.text())
def test_whatever_is_logged_is_one_line_of_ascii(message: str, secret: str) -> None:
    secrets = Secrets()
    if len(secret) >= 8:
        secrets.add(secret)
    record = logging.LogRecord("any", logging.INFO, "", 1, message, None, None)
    line = JsonFormatter(secrets, dict).format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == secrets.mask(message)


def test_the_request_is_named_by_its_id_and_user() -> None:
    app = Flask(__name__)
    with app.test_request_context(environ_base={REQUEST_ID: "id-1", "REMOTE_USER": "mia"}):
        assert of_request_and_run() == {"request_id": "id-1", "user": "mia"}
    assert of_request_and_run() == {}


def test_what_is_printed_is_told_whatever_the_level_is() -> None:
    told: list[logging.LogRecord] = []
    logger = logging.Logger("stderr", logging.CRITICAL)
    handler = logging.Handler()
    handler.emit = told.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    print("a\r\n\nb %s", file=CapturedStream(sys.stderr, logger, logging.WARNING))
    assert [record.getMessage() for record in told] == ["a", "b %s"]


def test_a_stderr_that_nobody_reads_any_more_fails_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    log = ServerLog(JsonFormatter(Secrets(), dict), write_end)
    logger = logging.Logger("any")
    logger.addHandler(log)
    captured = CapturedStream(sys.stderr, logger, logging.WARNING)
    monkeypatch.setattr(sys, "stderr", captured)
    logger.error("nobody hears this")
    os.close(write_end)
