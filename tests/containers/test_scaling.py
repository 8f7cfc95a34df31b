"""Several flask containers behind nginx: WebSocket and polling, runs and output of all of them."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_login import log_in
from tests.browser.test_page import expect_state, last_number, start, toolbar
from tests.containers.stack import Stack, docker
from tests.support.patience import eventually
from tests.support.socketclient import ordered_client

Open = Callable[[str], Page]

LINES = 200
# As a network that lets no WebSocket through: the handshake fails.
WITHOUT_WEBSOCKET = """
const Real = window.WebSocket;
window.WebSocket = function () { return new Real(`ws://${location.host}/blocked`); };
"""


@pytest.fixture(scope="module")
def scaled(stack: Stack) -> Stack:
    stack.compose("up", "-d", "--no-recreate", "--scale", "flask=3")
    eventually(lambda: serving(stack) == 3)
    return stack


def serving(stack: Stack) -> int:
    """How many flask containers are well, by their own health check."""
    check = ("python", "/srv/flask_health.py")
    asked = [
        subprocess.run(["docker", "exec", id, *check], capture_output=True, timeout=60, check=False)
        for id in stack.containers("flask")
    ]
    return sum(each.returncode == 0 for each in asked)


@pytest.fixture
def clients() -> Iterator[list[socketio.Client]]:
    made: list[socketio.Client] = []
    yield made
    for client in made:
        client.disconnect()


def connected(stack: Stack, clients: list[socketio.Client], transport: str) -> socketio.Client:
    client = ordered_client()
    clients.append(client)
    # Sec-Fetch-Site as a page of this origin has it; cookies are kept as a browser does.
    client.connect(stack.url, transports=[transport], wait_timeout=20)
    return client


class Viewer:
    """Collects the output of one run over a client of its own; each piece must follow the last."""

    def __init__(self, client: socketio.Client) -> None:
        self.received = bytearray()
        self.complete = threading.Event()
        self._client = client
        client.on("output", self._take)

    def watch(self) -> str:
        """Start a run and attach to it; return its id."""
        asked = {"job": "count", "params": {"lines": LINES, "delay_ms": 2}}
        run: str = self._client.call("start", asked, timeout=60)["run"]["id"]
        self._client.call("attach", {"run": run, "offset": 0}, timeout=60)
        return run

    def _take(self, message: dict[str, Any]) -> None:
        assert message["offset"] == len(self.received)
        self.received += message["data"]
        if self.received.endswith(b"%d\n" % (LINES - 1)):
            self.complete.set()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_output_is_complete_over_either_transport(
    scaled: Stack, clients: list[socketio.Client], transport: str
) -> None:
    expected = "".join(f"{line}\n" for line in range(LINES)).encode()
    for _ in range(6):
        viewer = Viewer(connected(scaled, clients, transport))
        run = viewer.watch()
        assert viewer.complete.wait(60), f"only {len(viewer.received)} bytes came"
        assert bytes(viewer.received) == expected
        # A container that does not own the run has what Redis has, a moment later.
        eventually(lambda run=run: scaled.output(run) == expected)


def test_runs_begin_in_several_containers_and_all_show_and_stop_them(scaled: Stack) -> None:
    runs = [scaled.start_run("count", lines=100_000, delay_ms=20) for _ in range(9)]
    hosts = {scaled.run_record(run)["host"] for run in runs}
    assert len(hosts) > 1
    listed = {run["id"] for run in scaled.get("/api/runs").json()["runs"]}
    assert set(runs) <= listed
    for run in runs:
        scaled.post(f"/api/runs/{run}/stop")
    for run in runs:
        eventually(lambda run=run: scaled.state(run) == "stopped")


def test_pages_of_all_containers_work(scaled: Stack, open_page: Open) -> None:
    for _ in range(3):
        page = open_page(scaled.url)
        start(page, "Count", lines=100_000, delay_ms=5)
        eventually(lambda page=page: last_number(page) > 10)
        toolbar(page, "Stop").click()
        expect_state(page, "stopped")


def test_a_page_without_websocket_polls_and_survives_its_container(
    scaled: Stack, browser: Browser
) -> None:
    page = browser.new_page()
    page.add_init_script(WITHOUT_WEBSOCKET)
    page.goto(scaled.url)
    expect(page.locator(".connection")).to_have_text("Connected", timeout=60_000)
    (cookie,) = (each for each in page.context.cookies() if each["name"] == "realtime_server")
    own = next(id for id, address in addresses(scaled).items() if cookie["value"] == address)

    # A run of another container, which this page watches over its own one.
    runs = (scaled.start_run("count", lines=100_000, delay_ms=20) for _ in range(30))
    run = next(run for run in runs if not own.startswith(scaled.run_record(run)["host"]))
    page.goto(f"{scaled.url}/runs/{run}")
    eventually(lambda: last_number(page) > 10)
    docker("kill", own)
    eventually(lambda: scaled.status("/readyz") == 200)
    expect(page.locator(".connection")).to_have_text("Connected", timeout=60_000)
    seen = last_number(page)
    eventually(lambda: last_number(page) > seen, 30)
    toolbar(page, "Stop").click()
    expect_state(page, "stopped")
    page.close()
    docker("start", own)
    eventually(lambda: serving(scaled) == 3)


def addresses(stack: Stack) -> dict[str, str]:
    """Id and address, as nginx has it, of each flask container."""
    networks = {each["Id"]: each["NetworkSettings"]["Networks"] for each in stack.inspect("flask")}
    front = f"{stack.name}_front"
    return {id: f"{found[front]['IPAddress']}:5000" for id, found in networks.items()}


def test_a_polling_session_goes_back_to_its_container(scaled: Stack) -> None:
    """Also when its container is gone: another one begins a new session."""
    with requests.Session() as visitor:
        address = f"{scaled.url}/socket.io/?EIO=4&transport=polling"
        begun = visitor.get(address, timeout=60)
        assert "realtime_server=" in begun.headers["Set-Cookie"]
        sid = begun.text.split('"sid":"')[1].split('"')[0]
        for _ in range(6):
            assert visitor.post(f"{address}&sid={sid}", data="40", timeout=60).status_code == 200
        # Nobody has this address; what no container of this network can have is not even tried.
        own = visitor.cookies["realtime_server"].strip('"')
        for gone in (own.rsplit(".", 1)[0] + ".251:5000", "127.0.0.1:8081", "evil.test:5000"):
            visitor.cookies.clear()
            answer = visitor.get(address, headers={"Cookie": f"realtime_server={gone}"}, timeout=60)
            assert answer.status_code == 200
            assert gone not in answer.headers["Set-Cookie"]


def test_a_login_holds_in_all_containers(clone: Path, open_page: Open) -> None:
    """Started at once, of which one makes the keys."""
    with Stack(clone) as fresh:
        fresh.compose("up", "-d", "--scale", "flask=3")
        eventually(lambda: serving(fresh) == 3)
        page = open_page(fresh.url)
        log_in(page)
        for _ in range(6):
            page.reload()
            expect(page.locator(".account-name")).to_have_text("Ada Example")
            expect(page.locator(".connection")).to_have_text("Connected", timeout=60_000)
