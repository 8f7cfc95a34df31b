"""The application itself with TLS, as its settings ask for it: `python wsgi.py`."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.server.certificates import write_certificate
from tests.support.patience import eventually
from tests.support.server import Server, misconfigured
from tests.support.socketclient import ordered_client
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox


class TlsServer(Server):
    """`wsgi.py` with a certificate for localhost, in certs/, which `session` trusts."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.cert, key = write_certificate(folder / "certs")
        super().__init__(folder, SERVER_CERT=str(self.cert), SERVER_KEY=str(key), **environ)
        self.session = self.trusting(requests.Session())

    def trusting(self, session: requests.Session) -> requests.Session:
        session.trust_env = False  # or a bundle that the environment names goes first
        session.verify = str(self.cert)
        return session

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def _address(self) -> re.Match[str] | None:
        assert "Serving http:" not in self.log
        return re.search(r"Serving https://localhost:(\d+)/ ", self.log)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TlsServer]:
    settings = {"REDIRECT_HTTP": "0", "HSTS_SECONDS": "60", "ACCESS_LOG": "combined"}
    with TlsServer(tmp_path, **settings) as running, running.session:
        yield running


def test_page_api_and_socket_are_there_by_https(server: TlsServer) -> None:
    page = server.session.get(f"{server.url}/", timeout=60)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=60"
    client = ordered_client()
    client.eio.http = server.session
    client.eio.ssl_verify = str(server.cert)
    client.connect(server.url, transports=["websocket"])
    try:
        assert "jobs" in client.call("jobs", {}, timeout=60)
    finally:
        client.disconnect()
    eventually(lambda: '"GET /socket.io/?' in server.log)
    assert '"GET / HTTP/1.1" 200 ' in server.log


def test_its_http_port_leads_to_https(server: TlsServer) -> None:
    found = re.search(rf"Redirecting (http://localhost:\d+/) to {server.url}/", server.log)
    assert found is not None
    answer = requests.get(f"{found[1]}runs?x=1", timeout=60, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{server.url}/runs?x=1")


def test_a_hangup_signal_reads_its_certificate_again(server: TlsServer) -> None:
    def is_trusted() -> bool:
        try:
            return requests.get(f"{server.url}/healthz", timeout=60, verify=str(server.cert)).ok
        except requests.exceptions.SSLError:
            return False

    assert is_trusted()
    write_certificate(server.folder / "certs")
    assert not is_trusted()
    os.kill(server.pid, signal.SIGHUP)
    eventually(is_trusted)


def test_without_these_settings_there_is_no_log_and_no_tls(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        answer = server.get("/healthz")
        assert "Strict-Transport-Security" not in answer.headers
        assert "/healthz" not in server.log


def test_a_login_by_https_comes_back_and_its_cookie_stays_there(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        environ = {"LOGIN": "webex", "SANDBOX_URL": sandbox.url, "ACCESS_LOG": "combined"}
        with TlsServer(tmp_path, **environ) as server, Visitor(server, sandbox) as visitor:
            server.trusting(visitor)
            back = visitor.come_back("ada")
            assert back.startswith(f"{server.url}/redirect?")
            assert visitor.open(back).status_code == 302
            assert visitor.user is not None
            assert all(cookie.secure for cookie in visitor.cookies if cookie.domain != "127.0.0.1")
            eventually(lambda: '"GET /redirect?code=***&state=*** HTTP/1.1" 302' in server.log)


def test_faults_of_the_files_name_the_settings(tmp_path: Path) -> None:
    cert, _ = write_certificate(tmp_path / "one")
    _, key = write_certificate(tmp_path / "other")
    code, said = misconfigured(LOGIN="none", SERVER_CERT=str(cert), SERVER_KEY=str(key))
    assert code == 2
    assert said.strip().endswith(f"SERVER_KEY: {key} does not fit the certificate {cert}")
