"""docker-compose.yml: TLS, secrets, limits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.containers.stack import Stack, copy_of_clone, docker, free_port
from tests.support.patience import eventually

INTEGRATION = """CLIENT_ID="C0invented0integration"
CLIENT_SECRET=invented-0123456789
REDIRECT_URI=https://localhost:{port}/redirect
"""
KEPT = "/var/lib/certificates/self-signed.pem"

Get = Callable[..., requests.Response]


class Production(Stack):
    """The containers of docker-compose.yml, on ports of their own."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(folder, "docker-compose.yml", HTTP_PORT=str(free_port()), **environ)
        self.environ["HTTPS_PORT"] = str(self.port)
        (folder / "webexintegration.env").write_text(INTEGRATION.format(port=self.port))
        (folder / "webexintegration.env").chmod(0o600)
        subprocess.run([folder / "tools" / "make_secrets.sh"], check=True, capture_output=True)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def plain_url(self) -> str:
        return f"http://localhost:{self.environ['HTTP_PORT']}"

    def certificate(self, path: str) -> str:
        """Keep a certificate that the containers have, for requests to trust; return its path."""
        kept = self.folder / "trusted.pem"
        eventually(lambda: self.run("exec", "-T", "nginx", "test", "-s", path).returncode == 0)
        kept.write_text(self.compose("exec", "-T", "nginx", "cat", path))
        return str(kept)

    def answer(self, certificate: str) -> int | None:
        """The status of an answer; None while nobody answers who has that certificate."""
        try:
            return self.get("/readyz", verify=certificate).status_code
        except requests.ConnectionError:
            return None

    def wait_answer(self, certificate: str) -> None:
        eventually(lambda: self.answer(certificate) == 200)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with Production(copy_of_clone(tmp_path_factory.mktemp("production"))) as running:
        running.compose("up", "-d")
        running.wait_answer(running.certificate(KEPT))
        yield running


@pytest.fixture
def get(production: Production) -> Get:
    trusted = str(production.folder / "trusted.pem")
    return lambda path, **options: production.get(path, verify=trusted, **options)


def test_without_a_certificate_one_is_made_and_that_is_said(production: Production) -> None:
    log = production.log("nginx")
    assert "SELF-SIGNED" in log
    before = production.compose("exec", "-T", "nginx", "cat", KEPT)
    production.compose("restart", "nginx")
    production.wait_answer(production.certificate(KEPT))
    assert production.compose("exec", "-T", "nginx", "cat", KEPT) == before


def test_several_nodes_serve_and_may_be_stopped(production: Production, get: Get) -> None:
    production.compose("up", "-d", "--no-recreate", "--scale", "flask=3")
    eventually(lambda: len(production.containers("flask")) == 3)
    eventually(
        lambda: all(
            each["State"]["Health"]["Status"] == "healthy" for each in production.inspect("flask")
        )
    )
    for container in production.containers("flask")[:2]:
        docker("stop", container)
        for _ in range(20):
            assert get("/readyz").status_code == 200
    production.compose("up", "-d", "--scale", "flask=1")
    eventually(lambda: len(production.containers("flask")) == 1)
    production.wait_answer(str(production.folder / "trusted.pem"))


def test_the_certificate_of_the_user_is_taken(tmp_path: Path) -> None:
    folder = copy_of_clone(tmp_path)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", folder / "own.key", "-out", folder / "own.pem"),
        ],
        check=True,
        capture_output=True,
    )
    os.chmod(folder / "own.key", 0o600)
    with Production(folder, TLS_CERTIFICATE="./own.pem", TLS_KEY="./own.key") as running:
        running.compose("up", "-d", "nginx")
        eventually(lambda: running.answer(str(folder / "own.pem")) == 503, 30)  # flask is not there
        assert "SELF-SIGNED" not in running.log("nginx")


def test_secrets_that_are_missing_are_named(clone: Path) -> None:
    with Production(clone) as running:
        (clone / "secrets" / "redis_password").unlink()
        failed = running.run("up", "-d")
        assert failed.returncode != 0
        assert "secrets/redis_password" in failed.stdout


def test_http_leads_to_https(production: Production) -> None:
    answer = requests.get(
        f"{production.plain_url}/runs/1?tail=1", allow_redirects=False, timeout=60
    )
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{production.url}/runs/1?tail=1"


def test_users_log_in_with_webex_and_cookies_are_secure(get: Get, production: Production) -> None:
    answer = get("/login")
    there = urlsplit(answer.headers["Location"])
    assert there.netloc == "webexapis.com"
    asked = parse_qs(there.query)
    assert asked["client_id"] == ["C0invented0integration"]
    assert asked["redirect_uri"] == [f"{production.url}/redirect"]
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert get("/assets/page-000000000000.js").headers["Strict-Transport-Security"]
    assert get("/webex-sandbox/").status_code in (404, 503)


def test_redis_wants_its_password(production: Production) -> None:
    assert "NOAUTH" in production.compose("exec", "-T", "redis", "redis-cli", "ping", check=False)
    password = (production.folder / "secrets" / "redis_password").read_text().strip()
    for service in ("redis", "flask"):
        (container,) = production.containers(service)
        assert password not in docker("top", container, "-eo", "pid,args")
        assert password not in docker("inspect", container)
    assert password not in production.log()


def test_containers_are_limited_and_come_again(production: Production, get: Get) -> None:
    for service in ("nginx", "flask", "redis"):
        (found,) = production.inspect(service)
        wanted = found["HostConfig"]
        assert wanted["RestartPolicy"]["Name"] == "unless-stopped"
        assert wanted["Memory"] > 0
        assert wanted["NanoCpus"] > 0
        assert wanted["PidsLimit"] > 0
        assert wanted["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}
        assert wanted["ReadonlyRootfs"]
    # A signal from inside, as a crash: what `docker kill` ends stays ended.
    production.compose("exec", "-T", "-u", "app", "flask", "python", "-c", CRASH, check=False)
    eventually(lambda: production.inspect("flask")[0]["RestartCount"] > 0)
    production.wait_answer(str(production.folder / "trusted.pem"))


CRASH = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").iterdir():
    if folder.name.isdigit() and b"wsgi.py" in (folder / "cmdline").read_bytes():
        if folder.stat().st_uid == os.getuid():
            os.kill(int(folder.name), signal.SIGKILL)
"""
