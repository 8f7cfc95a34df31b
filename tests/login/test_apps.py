"""App servers behind the login of the application, from a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.server import Server, eventually
from tests.support.visitor import Visitor
from tests.support.webexsandbox import Sandbox

APPS = """
[apps.files]
command = ["{python}", "-u", "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
cwd = "served"
strip_prefix = true
"""


@pytest.fixture
def server(start_server: Callable[..., Server], tmp_path: Path) -> Server:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "hello.txt").write_text("Hello from the app\n")
    (tmp_path / "apps.toml").write_text(APPS)
    return start_server(APPS_FILE=str(tmp_path / "apps.toml"))


@pytest.fixture
def visitor(server: Server, sandbox: Sandbox) -> Iterator[Visitor]:
    with Visitor(server, sandbox) as visitor:
        yield visitor


def children(server: Server) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(server.pid).children(recursive=True)
        if child.cmdline()[1:4] == ["-u", "-m", "http.server"]  # and not its guard
    ]


def test_an_app_is_for_who_is_logged_in(visitor: Visitor, server: Server) -> None:
    response = visitor.open("/files/hello.txt")
    assert response.status_code == 302
    assert response.headers["Location"] == "/login?next=/files/hello.txt"
    assert visitor.post(f"{server.url}/files/", timeout=10).status_code == 401
    assert not children(server), "nobody's request starts it"
    back = visitor.log_in(path=response.headers["Location"])
    assert back.headers["Location"] == "/files/hello.txt"
    assert visitor.open("/files/hello.txt").text == "Hello from the app\n"
    # What changes something there is that app's own matter: no CSRF token of ours.
    assert visitor.post(f"{server.url}/files/", timeout=10).status_code == 501
    page = visitor.open("/").text
    assert '<a href="/files/" target="_blank" rel="noopener">Files</a>' in page


def test_an_app_is_started_watched_and_stopped_as_a_job(visitor: Visitor, server: Server) -> None:
    visitor.log_in()
    run = visitor.start_run("app_files")
    eventually(lambda: "Serving HTTP on 127.0.0.1" in visitor.output(run), 20)
    assert visitor.open("/files/hello.txt").status_code == 200
    eventually(lambda: '"GET /hello.txt HTTP/1.1" 200' in visitor.output(run))
    other = visitor.start_run("app_files")
    eventually(lambda: '"GET /hello.txt HTTP/1.1" 200' in visitor.output(other))
    visitor.stop_run(run)
    assert visitor.ended(run)["state"] == "stopped"
    assert visitor.ended(other)["state"] == "succeeded"  # it ends with the app
    assert visitor.output(other).endswith("The app was stopped.\n")
    assert not children(server)
    assert visitor.open("/files/hello.txt").status_code == 503

    again = visitor.start_run("app_files")
    eventually(lambda: visitor.open("/files/hello.txt").status_code == 200, 20)
    (first,) = children(server)
    restarted = visitor.start_run("app_files", restart=True)
    eventually(lambda: [each.pid for each in children(server)] not in ([], [first.pid]), 20)
    eventually(lambda: visitor.open("/files/hello.txt").status_code == 200, 20)
    visitor.stop_run(restarted)
    visitor.ended(restarted)
    visitor.ended(again)


def test_apps_end_with_the_server(visitor: Visitor, server: Server) -> None:
    visitor.log_in()
    assert visitor.open("/files/hello.txt").status_code == 200
    (child,) = children(server)
    server.stop()
    assert not child.is_running()


def test_a_wrong_file_is_said_in_a_line_a_fault(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "apps.toml").write_text("[apps.one]\nport = 1\n[apps.two]\n")
    server = Server(tmp_path, LOGIN="none", APPS_FILE=str(tmp_path / "apps.toml"))
    with pytest.raises(AssertionError, match=r"(?s)\[apps.one\].*port not known.*\[apps.two\]"):
        server.start()
