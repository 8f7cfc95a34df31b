"""What nginx does itself, and what it tells the application."""

from __future__ import annotations

import http.client
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.containers.stack import Stack, docker
from tests.support.patience import eventually

PROBE = """
import urllib.error, urllib.request
try:
    print(urllib.request.urlopen("http://flask:5000/readyz", timeout=60).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""
REACH = """
import socket
try:
    socket.create_connection(("redis", 6379), 5)
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture
def script(stack: Stack) -> str:
    """The path of the page's script."""
    found = re.search(r'src="(/assets/page-[^"]+\.js)"', stack.get("/").text)
    assert found
    return found[1]


def test_assets_come_from_nginx_compressed_and_for_ever(stack: Stack, script: str) -> None:
    answer = stack.get(script, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith(("application/javascript", "text/javascript"))
    plain = stack.get(script, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.content == answer.content
    from_flask = stack.python(
        f"import urllib.request as u; print(len(u.urlopen('http://localhost:5000{script}').read()))"
    )
    assert int(from_flask) == len(plain.content)


def test_an_asset_that_nginx_has_not_got_is_asked_of_flask(stack: Stack) -> None:
    answer = stack.get("/assets/page-000000000000.js")
    assert answer.status_code == 404
    assert "nginx" not in answer.text
    for name in ("manifest.json", ".stamp", "page.js.gz"):
        assert "nginx" not in stack.get(f"/assets/{name}").text


def test_each_header_comes_once(stack: Stack, script: str) -> None:
    for path in ("/", "/api/jobs", script):
        connection = http.client.HTTPConnection("localhost", stack.port, timeout=60)
        connection.request("GET", path)
        names = [name.lower() for name, _ in connection.getresponse().getheaders()]
        connection.close()
        assert sorted(names) == sorted(set(names))
    page = stack.get("/").headers
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in page


def test_what_a_client_claims_to_be_forwarded_is_dropped(stack: Stack) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=203.0.113.9;host=evil.test;proto=https",
    }
    answer = stack.get("/", headers=claims)
    assert answer.status_code == 200
    assert "evil" not in answer.text
    assert 'data-api-base="/api"' in answer.text


def test_a_name_that_is_not_trusted_is_refused(stack: Stack) -> None:
    assert stack.get("/", headers={"Host": "evil.test"}).status_code == 421


def test_only_nginx_is_answered_by_flask(stack: Stack) -> None:
    assert stack.beside_nginx(PROBE).strip() == "403"


def test_only_flask_reaches_redis(stack: Stack) -> None:
    assert stack.python(REACH).strip() == "reached"
    assert stack.beside_nginx(REACH).strip() == "gaierror"


def test_only_nginx_is_published_and_on_the_loopback_address_alone(stack: Stack) -> None:
    published = {
        service: [
            (address["HostIp"], address["HostPort"])
            for found in stack.inspect(service)
            for addresses in (found["NetworkSettings"]["Ports"] or {}).values()
            for address in addresses or []
        ]
        for service in ("nginx", "flask", "redis", "sandbox")
    }
    assert published.pop("nginx") == [("127.0.0.1", str(stack.port))]
    assert set(map(tuple, published.values())) == {()}


def test_nothing_runs_as_root_and_nothing_can_be_written(stack: Stack) -> None:
    def users(container: str) -> set[str]:
        top = docker("top", container, "-eo", "uid,pid,args").splitlines()[1:]
        return {
            line.split()[0]
            for line in top
            if "docker-init" not in line and "/sbin/init" not in line
        }

    for service in ("nginx", "flask", "redis"):
        (container,) = stack.containers(service)
        assert users(container)
        # Docker itself runs the health check for a moment, as the image's own user.
        eventually(lambda container=container: "0" not in users(container))
        (found,) = stack.inspect(service)
        assert found["HostConfig"]["ReadonlyRootfs"]
        assert found["HostConfig"]["CapDrop"] == ["ALL"]


def test_an_upload_beyond_the_limit_is_refused(stack: Stack) -> None:
    answer = requests.post(f"{stack.url}/api/runs", data=b"x" * (17 << 20), timeout=60, stream=True)
    assert answer.status_code == 413


def test_output_is_streamed_while_it_comes(stack: Stack) -> None:
    run = stack.start_run("count", lines=100_000, delay_ms=20)
    with stack.get(f"/api/runs/{run}/output?follow=1", stream=True) as answer:
        pieces = answer.iter_content(None)
        first = next(pieces)
        assert first.startswith(b"0\n")
        assert len(first) < 2000  # not collected
        assert next(pieces)
    stack.post(f"/api/runs/{run}/stop")
    eventually(lambda: stack.state(run) == "stopped")


def test_too_many_logins_are_told_to_wait(stack: Stack) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: stack.get("/login"), range(60)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 20 <= len(refused) <= 40
    assert all(answer.headers["Retry-After"] == "10" for answer in refused)
    assert "Too many logins" in refused[0].text
    assert stack.get("/readyz").status_code == 200


def test_the_log_holds_no_query(stack: Stack) -> None:
    stack.get("/redirect?code=invented-code&state=invented-state")
    eventually(lambda: '"GET /redirect"' in stack.log("nginx"))
    assert "invented" not in stack.log("nginx")


def test_a_request_has_one_id_in_all_logs_and_in_its_answer(stack: Stack) -> None:
    given = stack.get("/api/jobs", headers={"X-Request-ID": "forged"}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", given)
    eventually(lambda: f"s {given}" in stack.log("nginx"))
    assert "forged" not in stack.log("nginx")


def test_the_metrics_are_not_published(stack: Stack) -> None:
    assert stack.get("/metrics").status_code == 404


def test_while_flask_is_away_a_page_refreshes_itself(stack: Stack, script: str) -> None:
    stack.compose("stop", "flask")
    try:
        page = stack.get("/", headers={"Accept": "text/html,*/*"})
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "2"
        assert page.headers["Cache-Control"] == "no-store"
        assert 'http-equiv="refresh"' in page.text
        problem = stack.get("/api/jobs")
        assert problem.status_code == 503
        assert problem.headers["Content-Type"].startswith("application/problem+json")
        assert json.loads(problem.text)["code"] == "starting"
        assert stack.get(script).status_code == 200
        assert stack.get("/socket.io/?EIO=4&transport=polling").status_code == 503
    finally:
        stack.compose("start", "flask")
        stack.wait_ready()


@pytest.mark.parametrize("target", ["*", "/../etc/passwd", "/%2e%2e/x", "http://evil.test/x"])
def test_odd_request_targets_do_no_harm(stack: Stack, target: str) -> None:
    connection = http.client.HTTPConnection("localhost", stack.port, timeout=60)
    connection.putrequest("GET", target)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    assert status in (400, 404, 421)
