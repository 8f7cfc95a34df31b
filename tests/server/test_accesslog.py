"""The access log, request ids, forwarded headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.server.accesslog import Entry, as_json, combined
from tests.server.program import Program
from tests.support.patience import eventually

SERVE = """
from werkzeug.exceptions import NotFound

@app.get("/parts")
def parts():
    return iter(["one", "two", "three"])

def plain(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("broken on purpose")
    if environ["PATH_INFO"] == "/list":
        start_response("200 OK", [])
        return [b"one", b"two"]
    return app(environ, start_response)

Server(plain, access_log=sys.argv[1], proxies=sys.argv[2:]).run(0)
"""
LINE = re.compile(
    r"(\S+) - (\S+) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "
    r'"([^"]*)" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)" (\S+)'
)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with Program(tmp_path, SERVE, "combined") as running:
        yield running


def lines(program: Program, count: int) -> list[str]:
    return eventually(lambda: found if len(found := program.output.splitlines()) >= count else [])


def test_each_request_is_one_line_in_the_combined_format(program: Program) -> None:
    headers = {"Referer": 'http://x/"', "User-Agent": "invented/1.0"}
    assert requests.get(f"{program.url}/parts?a=b%0A", headers=headers, timeout=60).ok
    assert requests.get(f"{program.url}/list", timeout=60).headers["Content-Length"] == "6"
    requests.get(f"{program.url}/nothing", timeout=60)
    requests.head(f"{program.url}/", timeout=60)
    requests.get(f"{program.url}/broken", timeout=60)
    program.send(b"nonsense\r\n\r\n")
    found = [LINE.fullmatch(line) for line in lines(program, 6)]
    assert all(found), program.output
    fields = [each.groups() for each in found if each]
    assert fields[0][:-1] == (
        "127.0.0.1",
        "-",
        "GET /parts?a=b%0A HTTP/1.1",
        "200",
        "11",
        r"http://x/\x22",
        "invented/1.0",
    )
    assert [each[2:5] for each in fields[1:]] == [
        ("GET /list HTTP/1.1", "200", "6"),
        ("GET /nothing HTTP/1.1", "404", "207"),
        ("HEAD / HTTP/1.1", "200", "-"),
        ("GET /broken HTTP/1.1", "500", "-"),
        ("-", "400", "31"),
    ]
    assert "RuntimeError: broken on purpose" in program.log


def test_the_log_can_be_json(tmp_path: Path) -> None:
    with Program(tmp_path, SERVE, "json") as program:
        answer = requests.get(f"{program.url}/?q=ä", timeout=60)
        (entry,) = map(json.loads, lines(program, 1))
    assert entry["target"] == "/?q=%C3%A4"
    assert entry["status"] == 200
    assert entry["bytes"] == len(answer.content)
    assert entry["request_id"] == answer.headers["X-Request-ID"] == answer.json()["id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    assert 0 < entry["seconds"] < 60


def test_what_lets_somebody_in_is_not_logged(program: Program) -> None:
    query = "code=invented1&state=invented2&zipcode=3&access_token=invented4"
    assert requests.get(f"{program.url}/list?{query}", timeout=60).ok
    found = LINE.fullmatch(lines(program, 1)[0])
    assert found is not None
    shown = "/list?code=***&state=***&zipcode=3&access_token=***"
    assert found[3] == f"GET {shown} HTTP/1.1"


def test_nobody_but_a_proxy_names_a_request_or_its_sender(program: Program) -> None:
    forged = {"X-Request-ID": "forged", "X-Forwarded-For": "192.0.2.7"}
    answer = requests.get(program.url, headers=forged, timeout=60)
    assert answer.json()["from"] == "127.0.0.1"
    assert answer.json()["id"] == answer.headers["X-Request-ID"] != "forged"


def test_a_proxy_that_is_trusted_is_believed(tmp_path: Path) -> None:
    with Program(tmp_path, SERVE, "combined", "127.0.0.1") as program:
        named = {
            "X-Request-ID": "named-1",
            "X-Forwarded-For": "198.51.100.1, 192.0.2.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
        }
        answer = requests.get(program.url, headers=named, timeout=60).json()
        assert answer["from"] == "192.0.2.7"
        assert answer["url"] == "https://shop.example/"
        assert answer["id"] == "named-1"
        odd = requests.get(program.url, headers={**named, "X-Request-ID": "a b\t"}, timeout=60)
        assert re.fullmatch("[0-9a-f]{16}", odd.json()["id"])
        line = LINE.fullmatch(lines(program, 1)[0])
        assert line is not None
        assert (line[1], line[8]) == ("192.0.2.7", "named-1")


@given(st.text(), st.text())
def test_no_visitor_writes_a_line_of_the_log(target: str, agent: str) -> None:
    entry = Entry(0.0, 0.0, "127.0.0.1", "", "GET", target, "HTTP/1.1", 200, 0, agent=agent)
    for line in (combined(entry), as_json(entry)):
        assert line.isascii()
        assert line.isprintable()
    assert LINE.fullmatch(combined(entry))
    assert json.loads(as_json(entry))["agent"] == agent


def test_a_console_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    source = """
    import os
    read_end, write_end = os.pipe()
    sys.stdout = os.fdopen(write_end, "w")
    Server(app, access_log="combined").run(0)
    """
    with Program(tmp_path, source) as program, requests.Session() as session:
        for _ in range(1500):  # far more than a pipe holds
            assert session.get(program.url, timeout=60).ok
        assert program.stop() == 0
    assert "Traceback" not in program.log
