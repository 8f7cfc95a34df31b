"""Supervised app servers: they start when needed, live while needed, and leave nothing behind."""

from __future__ import annotations

import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
import requests

from flask_realtime.proxy import Output, Supervisor
from tests.proxy.support import Site
from tests.support.patience import eventually

PROGRAM = "tests/proxy/appserver.py"


def child(*words: str, place: str = "{socket}", **options: Any) -> dict[str, Any]:
    command = [sys.executable, PROGRAM, place, *words]
    return {"command": command, "grace": 1.0, **options}


def serve(site: Site, supervised: dict[str, Any], **arguments: Any) -> Site:
    return site.parent({"prefix": "/app", "child": supervised, **arguments})


def status(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.apps()[0]["status"]
    return found


def test_it_starts_on_demand_and_once(site: Site) -> None:
    serve(site, child())
    assert status(site)["state"] == "stopped"
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: site.get("/app/x"), range(20)))
    assert len({answer.text for answer in answers}) == 1
    assert (status(site)["state"], status(site)["starts"]) == ("ready", 1)
    assert "answered /app/x" in site.apps()[0]["output"]


def test_on_a_free_port(site: Site) -> None:
    serve(site, child(place="{port}"))
    assert site.get("/app/x").text.isdigit()


def test_an_eager_one_starts_with_the_server(site: Site) -> None:
    serve(site, child(eager=True))
    eventually(lambda: status(site)["state"] == "ready")


def test_a_page_shows_that_it_starts_and_looks_again(site: Site) -> None:
    serve(site, child("slow"), limits={"hold_page": 0.2})
    page = site.get("/app/x", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert 'http-equiv="refresh"' in page.text
    assert site.get("/app/x").status_code == 200  # what is no page waits


def test_it_is_started_again_when_it_dies(site: Site) -> None:
    serve(site, child())
    first = site.get("/app/x").text
    psutil.Process(int(first)).kill()
    eventually(lambda: site.get("/app/x").text not in (first, "") and status(site)["starts"] == 2)
    assert "SIGKILL" in status(site)["fault"]
    assert site.get("/app/die").status_code in (502, 503)
    eventually(lambda: site.get("/app/x").status_code == 200)
    assert "exit code 3" in status(site)["fault"]


def test_stopped_by_hand_it_stays_so(site: Site) -> None:
    serve(site, child())
    pid = int(site.get("/app/x").text)
    act(site, "stop")
    assert not psutil.pid_exists(pid)
    answer = site.get("/app/x", headers={"Accept": "text/html"})
    assert (answer.status_code, "refresh" in answer.text) == (503, False)
    assert status(site)["state"] == "stopped"
    act(site, "start")
    assert site.get("/app/x").status_code == 200


def act(site: Site, action: str) -> None:
    assert requests.post(f"{site.url}/apps/0/{action}", timeout=60).status_code == 200


def test_an_idle_one_is_stopped_and_starts_again(site: Site) -> None:
    serve(site, child(idle_stop=0.5))
    first = site.get("/app/x").text
    eventually(lambda: status(site)["state"] == "stopped")
    assert not psutil.pid_exists(int(first))
    assert site.get("/app/x").text != first


def test_one_that_ends_at_once_is_given_up_for_a_while(site: Site) -> None:
    serve(site, child("exit"))
    began = time.monotonic()
    answer = site.get("/app/x")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert time.monotonic() - began < 25  # who waits for it is held for 30
    starts = status(site)["starts"]
    assert starts < 8
    assert "exit code 7" in status(site)["fault"]


def test_one_that_cannot_be_run(site: Site) -> None:
    serve(site, {"command": ["/nowhere/app", "{socket}"]})
    assert site.get("/app/x").status_code == 503
    assert "/nowhere/app cannot be run" in site.apps()[0]["output"]


def test_one_that_never_becomes_ready(site: Site) -> None:
    serve(site, child("never", ready_timeout=0.5), limits={"hold": 5.0})
    assert site.get("/app/x").status_code == 503
    assert "not ready in 0.5 s" in status(site)["fault"]


def test_one_that_prints_a_gigabyte(site: Site) -> None:
    serve(site, child("flood", ready_timeout=60), limits={"hold": 60.0})
    before = site.memory_bytes()
    assert site.get("/app/x").status_code == 200
    assert site.memory_bytes() - before < 20 << 20


def test_a_stranger_on_its_port_is_not_taken_for_it(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        supervised = child(place=str(port))
        site.parent({"prefix": "/app", "child": supervised, "upstream": f"http://127.0.0.1:{port}"})
        assert site.get("/app/x").status_code == 503
        assert "another program listens" in status(site)["fault"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("words", [(), ("children", "stubborn")])
def test_nothing_is_left_behind(site: Site, number: int, words: tuple[str, ...]) -> None:
    serve(site, child(*words))
    site.get("/app/x")
    assert len(site.children()) >= 2 + len(words)
    site.stop(number)  # fails when any of them lives on


def test_a_dead_guard_takes_the_app_server_along(site: Site) -> None:
    serve(site, child())
    first = int(site.get("/app/x").text)
    psutil.Process(status(site)["pid"]).kill()
    eventually(lambda: not psutil.pid_exists(first))
    eventually(lambda: site.get("/app/x").status_code == 200)


def test_start_restart_and_stop_from_a_program() -> None:
    supervisor = Supervisor([sys.executable, PROGRAM, "{socket}"], grace=1)
    supervisor.place("", "/app")
    heard: list[bytes] = []
    forget = supervisor.output.listen(lambda offset, data: heard.append(data))
    supervisor.start()
    supervisor.start()  # it has begun already
    try:
        eventually(lambda: supervisor.status.state == "ready")
        pid = supervisor.status.pid
        supervisor.restart()
        eventually(lambda: supervisor.status.state == "ready")
        assert supervisor.status.pid != pid
        assert supervisor.status.starts == 2
    finally:
        supervisor.stop()
        supervisor.stop()
    forget()
    assert b"".join(heard).startswith(b"started with")
    assert supervisor.status.state == "stopped"


def test_each_change_is_told_and_a_restart_is_never_stopped() -> None:
    supervisor = Supervisor([sys.executable, PROGRAM, "{socket}"], grace=1)
    supervisor.place("", "/app")
    states: list[str] = []
    supervisor.changed = lambda: states.append(supervisor.status.state)
    supervisor.restart()  # of one that does not run: it starts
    assert supervisor.status.state == "starting", "nobody finds it stopped once it was started"
    try:
        eventually(lambda: supervisor.status.state == "ready")
        supervisor.restart()
        assert supervisor.status.state in ("stopping", "starting")
        eventually(lambda: supervisor.status.state == "ready")
        assert "stopped" not in states
        assert supervisor.status.fault == "", "an end that was asked for is none"
        assert b"[it is started again, as asked]" in supervisor.output.read()[1]
    finally:
        supervisor.stop()
    assert states[-1] == "stopped"


def test_one_that_is_restarted_keeps_its_requests_waiting(site: Site) -> None:
    serve(site, child())
    first = site.get("/app/x").text
    act(site, "restart")
    second = site.get("/app/x")
    assert second.status_code == 200
    assert second.text != first


def test_output_keeps_the_newest() -> None:
    output = Output(max_bytes=10)
    for number in range(10):
        output.write(b"%d%d%d" % (number, number, number))
    assert output.end == 30
    offset, data = output.read(0)
    assert (offset, data) == (20, b"6777888999")
    assert output.read(28) == (28, b"99")
    assert output.read(25, max_bytes=2) == (25, b"88")
    assert output.read(30) == (30, b"")
