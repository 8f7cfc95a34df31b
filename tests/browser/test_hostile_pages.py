"""Pages of other sites, in a real Chromium, try to start a job on the visitor's machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.support.server import Server


class HostilePage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>hostile</title>")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HostilePage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://evil.test:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


ATTACK = """async (url) => {
    const tried = [];
    const attempt = async (name, act) => {
        try { tried.push([name, await act()]); } catch (error) { tried.push([name, 'refused']); }
    };
    const body = JSON.stringify({ job: 'greet', params: {} });
    await attempt('no-cors', async () => (await fetch(url + '/api/runs',
        { method: 'POST', mode: 'no-cors', body })).type);
    await attempt('json', async () => (await fetch(url + '/api/runs',
        { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).status);
    await attempt('read', async () => (await fetch(url + '/api/jobs')).status);
    await attempt('polling', async () => (await fetch(
        url + '/socket.io/?EIO=4&transport=polling')).status);
    await attempt('websocket', () => new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace('http', 'ws')
            + '/socket.io/?EIO=4&transport=websocket');
        socket.onopen = () => resolve('open');
        socket.onerror = () => reject(new Error('refused'));
    }));
    return tried;
}"""


def test_a_page_of_another_site_starts_nothing_and_reads_nothing(
    server: Server, browser: Browser, hostile: str
) -> None:
    before = server.get("/api/runs?limit=1").json()
    context = browser.new_context()
    page = context.new_page()
    page.goto(hostile)
    tried = dict(page.evaluate(ATTACK, f"http://localhost:{server.port}"))
    assert tried == {
        "no-cors": "opaque",  # sent, but refused: see below
        "json": "refused",
        "read": "refused",
        "polling": "refused",
        "websocket": "refused",
    }
    page.set_content(
        f'<form method="post" action="http://localhost:{server.port}/api/runs">'
        '<input name="job" value="greet"></form>'
    )
    with page.expect_response("**/api/runs") as response:
        page.evaluate("document.forms[0].submit()")
    assert response.value.status == 403
    assert server.get("/api/runs?limit=1").json() == before
    context.close()


def test_a_name_that_was_bound_to_this_machine_is_refused(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://evil.test:{server.port}/")
    assert answer is not None
    assert answer.status == 421
    context.close()
