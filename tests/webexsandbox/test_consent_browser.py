"""The consent page in a real Chromium: light, dark, on a phone, and there and back."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.webexsandbox import Sandbox

# The least contrast of any text with what is behind it, after WCAG 2.2, "contrast (minimum)".
LEAST_CONTRAST = """() => {
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map((element) => {
    const pair = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }));
}"""


class Arrived(BaseHTTPRequestHandler):
    """The application that the browser is sent back to."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><title>Back</title><link rel="icon" href="data:,">')

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def application() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Arrived) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "install Chromium: tools/install_test_system.sh does where it can"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, application: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that is closed before the application is, and fails its test on any complaint."""
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, color_scheme=request.param
    )
    said: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def ask(page: Page, sandbox: Sandbox, application: str) -> None:
    fields = {
        "client_id": "sandbox-client",
        "response_type": "code",
        "redirect_uri": f"{application}/redirect",
        "scope": "spark:rooms_read",
        "state": "abc",
    }
    page.goto(f"{sandbox.api_url}authorize?{urlencode(fields)}")


def test_a_user_is_chosen_and_the_browser_goes_back(
    page: Page, sandbox: Sandbox, application: str
) -> None:
    ask(page, sandbox, application)
    expect(page.get_by_role("heading", name="Grant access?")).to_be_visible()
    expect(page.get_by_label("Ada Example")).to_be_checked()
    page.get_by_label("Cora Example").check()
    page.get_by_role("button", name="Grant").click()
    page.wait_for_url(f"{application}/redirect?code=*&state=abc")
    assert sandbox.control()["log"][-1]["user"] == "cora"


def test_a_user_denies(page: Page, sandbox: Sandbox, application: str) -> None:
    ask(page, sandbox, application)
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(f"{application}/redirect?error=access_denied&*state=abc")


def test_it_can_be_read_on_a_phone(page: Page, sandbox: Sandbox, application: str) -> None:
    ask(page, sandbox, application)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(LEAST_CONTRAST) >= 4.5
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44  # for a thumb
