"""The examples, and programs for Flask-Tornado of which only the import line was changed."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import requests

from tests.server.certificates import write_certificate
from tests.server.program import Program
from tests.support.loggedprocess import ROOT

EXAMPLES = ROOT / "examples"

AS_A_CLASS = """
from flask_realtime import Server as TornadoServer
server = TornadoServer(app)
server.run(port=12345)
"""
AS_A_FUNCTION = """
import flask_realtime.server as flask_tornado
flask_tornado.run(app)
"""
WITH_TLS = """
from flask_realtime import Server as TornadoServer
server = TornadoServer(app)
server.run(port=8443, ssl_cert="certs/cert.pem", ssl_key="certs/key.pem")
"""


@pytest.mark.parametrize("name", ["server_class", "server_function"])
def test_an_example_serves(name: str, tmp_path: Path) -> None:
    with Program(tmp_path, EXAMPLES / f"{name}.py") as program:
        assert "It is" in requests.get(program.url, timeout=60).text
        assert program.stop(signal.SIGINT) == 0
    assert "Traceback" not in program.log


def test_the_example_of_tls_serves_and_redirects(tmp_path: Path) -> None:
    with Program(tmp_path, EXAMPLES / "server_tls.py") as program:
        answer = requests.get(f"{program.redirecting}/?a=b", timeout=60, allow_redirects=False)
        assert answer.status_code == 308
        assert answer.headers["Location"] == f"{program.url}/?a=b"
        page = program.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert page.endswith(b"where this server runs.")


@pytest.mark.parametrize("source", [AS_A_CLASS, AS_A_FUNCTION])
def test_a_program_for_flask_tornado_runs(source: str, tmp_path: Path) -> None:
    with Program(tmp_path, source) as program:
        assert requests.get(program.url, timeout=60).json()["url"] == program.url + "/"


def test_a_program_for_flask_tornado_runs_with_tls(tmp_path: Path) -> None:
    cert, _ = write_certificate(tmp_path / "certs")
    with Program(tmp_path, WITH_TLS) as program:
        answer = requests.get(program.url, timeout=60, verify=str(cert))
        assert answer.json()["url"] == program.url + "/"
