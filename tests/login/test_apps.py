"""App servers behind the login of the application, from a TOML file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.support.patience import eventually
from tests.support.server import Server
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
    assert visitor.post(f"{server.url}/files/", timeout=60).status_code == 401
    assert not children(server), "nobody's request starts it"
    back = visitor.log_in(path=response.headers["Location"])
    assert back.headers["Location"] == "/files/hello.txt"
    assert visitor.open("/files/hello.txt").text == "Hello from the app\n"
    # What changes something there is that app's own matter: no CSRF token of ours.
    assert visitor.post(f"{server.url}/files/", timeout=60).status_code == 501
    page = visitor.open("/").text
    assert '<a href="/files/" target="_blank" rel="noopener">Files</a>' in page


def control(visitor: Visitor, server: Server, action: str) -> requests.Response:
    return visitor.post(
        f"{server.url}/api/jobs/app_files/control",
        json={"action": action},
        headers={"X-CSRF-Token": visitor.csrf_token()},
        timeout=60,
    )


def service(visitor: Visitor) -> dict[str, Any]:
    jobs = visitor.open("/api/jobs").json()["jobs"]
    (found,) = (job["service"] for job in jobs if "service" in job)
    assert isinstance(found, dict)
    return found


def test_an_app_is_started_watched_and_stopped_as_a_job(visitor: Visitor, server: Server) -> None:
    visitor.log_in()
    assert (service(visitor)["href"], service(visitor)["state"]) == ("/files/", "stopped")
    control(visitor, server, "stop")
    assert service(visitor)["held"]
    assert visitor.open("/files/hello.txt").status_code == 503
    run = visitor.start_run("app_files")
    eventually(lambda: "Serving HTTP on 127.0.0.1" in visitor.output(run))
    eventually(lambda: service(visitor)["state"] == "running")
    assert visitor.open("/files/hello.txt").status_code == 200
    eventually(lambda: '"GET /hello.txt HTTP/1.1" 200' in visitor.output(run))
    other = visitor.start_run("app_files")
    eventually(lambda: '"GET /hello.txt HTTP/1.1" 200' in visitor.output(other))
    visitor.stop_run(run)
    assert visitor.ended(run)["state"] == "stopped"
    assert visitor.ended(other)["state"] == "succeeded"  # it ends with the app
    assert visitor.output(other).endswith("The app was stopped.\n")
    assert not children(server)
    assert service(visitor)["state"] == "stopped"
    assert visitor.open("/files/hello.txt").status_code == 503


def test_start_restart_and_stop_need_no_run(visitor: Visitor, server: Server) -> None:
    visitor.log_in()
    assert control(visitor, server, "start").json()["service"]["state"] == "starting"
    eventually(lambda: service(visitor)["state"] == "running")
    (first,) = children(server)
    assert control(visitor, server, "restart").status_code == 200
    assert visitor.open("/files/hello.txt").status_code == 200, "a visitor waits for it"
    (second,) = children(server)
    assert second.pid != first.pid
    control(visitor, server, "stop")
    eventually(lambda: service(visitor)["state"] == "stopped")
    assert not children(server)


def test_a_run_goes_on_through_a_death_and_a_restart(visitor: Visitor, server: Server) -> None:
    visitor.log_in()
    runs = [visitor.start_run("app_files") for _ in range(2)]
    eventually(lambda: service(visitor)["state"] == "running")
    children(server)[0].kill()
    eventually(lambda: "[it ended by SIGKILL]" in visitor.output(runs[0]))
    eventually(lambda: visitor.output(runs[0]).count("Serving HTTP on") == 2)
    eventually(lambda: service(visitor)["state"] == "running")
    assert service(visitor)["starts"] == 2
    control(visitor, server, "restart")
    eventually(lambda: visitor.output(runs[1]).count("Serving HTTP on") == 3)
    assert "[it is started again, as asked]" in visitor.output(runs[1])
    assert [visitor.run_record(run)["state"] for run in runs] == ["running", "running"]
    control(visitor, server, "stop")
    for run in runs:
        assert visitor.ended(run)["state"] == "stopped"
        assert visitor.output(run).endswith("The app was stopped.\n")


def test_an_app_that_does_not_come_up_is_failed(
    start_server: Callable[..., Server], tmp_path: Path, sandbox: Sandbox
) -> None:
    (tmp_path / "apps.toml").write_text(
        '[apps.files]\ncommand = ["{python}", "-c", "print(1); raise SystemExit(7)", "{port}"]\n'
    )
    server = start_server(APPS_FILE=str(tmp_path / "apps.toml"))
    with Visitor(server, sandbox) as visitor:
        visitor.log_in()
        run = visitor.start_run("app_files")
        eventually(lambda: service(visitor)["state"] == "failed")
        assert service(visitor)["fault"] == "it ended with exit code 7"
        assert "[it ended with exit code 7]" in visitor.output(run)
        control(visitor, server, "stop")
        assert visitor.ended(run)["state"] == "stopped"


def test_control_is_for_who_is_logged_in_and_says_what_is_wrong(
    visitor: Visitor, server: Server
) -> None:
    url = f"{server.url}/api/jobs/app_files/control"
    assert visitor.post(url, json={"action": "start"}, timeout=60).status_code in (400, 401)
    visitor.log_in()
    assert visitor.post(url, json={"action": "start"}, timeout=60).json()["code"] == "csrf"
    assert not children(server)
    answer = control(visitor, server, "explode")
    assert answer.status_code == 400
    assert "start, stop, restart" in answer.json()["detail"]


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
