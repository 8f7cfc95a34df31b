"""The page while the network falls silent: nothing is closed, and nothing passes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from flask_realtime.watching.socketserver import PING_SECONDS, PONG_SECONDS
from tests.support.forwarder import Forwarder
from tests.support.patience import eventually
from tests.support.server import Server

Open = Callable[[str], Page]

NOTICED_SECONDS = 15  # a silent network is said on the page within


@pytest.fixture
def network(server: Server) -> Iterator[Forwarder]:
    forwarder = Forwarder(server.port)
    yield forwarder
    forwarder.close()


def open_run(open_page: Open, server: Server, network: Forwarder, run: str) -> Page:
    """Open the page of a run by way of the network, and wait until its output comes live."""
    page = open_page(f"http://localhost:{network.port}/runs/{run}")
    expect_connection(page, "connected", 60)
    page.locator(".row-text").first.wait_for()
    return page


def expect_connection(page: Page, state: str, seconds: float) -> None:
    expect(page.locator(".connection")).to_have_attribute(
        "data-state", state, timeout=seconds * 1000
    )


def copied(page: Page) -> str:
    """All the text that the page holds, by Ctrl+A and Ctrl+C in the log."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".row-text").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_silent_network_is_noticed_and_resumed(
    server: Server, network: Forwarder, open_page: Open
) -> None:
    run = server.start_run("count", lines=3500, delay_ms=5)
    page = open_run(open_page, server, network, run)
    network.silence()
    began = time.monotonic()
    expect_connection(page, "disconnected", 60)
    # Sooner would be something else than the heartbeat: a connection that was closed.
    assert time.monotonic() - began > PONG_SECONDS - 1
    expect(page.locator(".connection")).to_have_text("Disconnected, trying again…")
    assert server.run_record(run)["state"] == "running"
    network.mend()
    expect_connection(page, "connected", 60)
    expect(page.get_by_text("Reconnected: nothing lost")).to_be_visible()
    server.ended(run)
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=60_000)
    assert copied(page).splitlines() == server.output(run).decode().splitlines()


def test_a_silence_shorter_than_the_heartbeat_is_sat_out(
    server: Server, network: Forwarder, open_page: Open
) -> None:
    run = server.start_run("count", lines=1500, delay_ms=5)
    page = open_run(open_page, server, network, run)
    page.evaluate(
        """() => {
            window.states = [];
            const shown = document.querySelector('.connection');
            new MutationObserver(() => window.states.push(shown.dataset.state)).observe(
                shown, { attributes: true, attributeFilter: ['data-state'] });
        }"""
    )
    network.silence()
    at_cut = server.run_record(run)["output_bytes"]
    eventually(lambda: server.run_record(run)["output_bytes"] > at_cut + 3000)  # some 3 s
    network.mend()
    server.ended(run)
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=60_000)
    assert page.evaluate("window.states") == []
    assert copied(page).splitlines() == server.output(run).decode().splitlines()


def test_clients_are_told_the_heartbeat(server: Server) -> None:
    handshake = server.get("/socket.io/?EIO=4&transport=polling").text
    told = json.loads(handshake.removeprefix("0"))
    assert (told["pingInterval"], told["pingTimeout"]) == (PING_SECONDS * 1000, PONG_SECONDS * 1000)
    assert PING_SECONDS + PONG_SECONDS < NOTICED_SECONDS
