"""The examples, in a real Chromium: a slider moves, Python answers, the page changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.proxy.nginx import nginx
from tests.proxy.support import Site
from tests.support.patience import eventually

WAIT_MS = 60_000
APPS = {"bokeh": "/slider", "panel": "/slider", "flexx": "/"}  # and the path of its page


def app_server(site: Site, word: str) -> psutil.Process:
    """The app server itself: below its guard."""
    return next(
        each
        for each in site.children()
        if word in " ".join(each.cmdline()) and "guard.py" not in " ".join(each.cmdline())
    )


def test_a_bokeh_slider_in_a_page_of_flask(site: Site, open_page: Callable[[str], Page]) -> None:
    site.start("examples/bokeh/site.py", "0")
    page = open_page(site.url)
    expect(page.get_by_text("f is 1", exact=True)).to_be_visible(timeout=WAIT_MS)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize("path", ["/flexx/", "/tools/slide/"])
def test_a_flexx_slider(site: Site, open_page: Callable[[str], Page], path: str) -> None:
    site.start("examples/flexx/site.py", "0")
    page = open_page(site.url + path)
    expect(page.get_by_text("the value is 1")).to_be_visible(timeout=WAIT_MS)
    move_flexx_slider(page)
    expect(page.get_by_text("Python says: the value is 10")).to_be_visible(timeout=WAIT_MS)


def move_flexx_slider(page: Page) -> None:
    box = page.locator(".flx-Slider").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"] + 4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], middle, steps=5)
    page.mouse.up()


def test_bokeh_and_the_site_run_apart(
    site: Site, open_page: Callable[[str], Page], tmp_path: Path
) -> None:
    path = str(tmp_path / "bokeh.sock")
    command = [sys.executable, "-m", "bokeh", "serve", "examples/bokeh/slider.py"]
    command += ["--unix-socket", path, "--prefix", "/bokeh", "--allow-websocket-origin", "*"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as bokeh:
        try:
            eventually(lambda: Path(path).exists())
            site.start("examples/bokeh/site.py", "0", f"unix:{path}")
            page = open_page(site.url)
            expect(page.get_by_text("f is 1", exact=True)).to_be_visible(timeout=WAIT_MS)
            page.locator(".noUi-handle").first.press("ArrowRight")
            expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)
        finally:
            bokeh.terminate()


def test_a_panel_slider(site: Site, open_page: Callable[[str], Page]) -> None:
    site.start("examples/panel/site.py", "0")
    # A real visit to an app that has to start first: the page looks again by itself.
    page = open_page(site.url + "/panel/slider")
    expect(page.get_by_text("Python says: f is 1")).to_be_visible(timeout=WAIT_MS)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)


def test_a_killed_flexx_app_is_there_again(site: Site, open_page: Callable[[str], Page]) -> None:
    site.start("examples/flexx/site.py", "0")
    page = open_page(site.url + "/flexx/")
    expect(page.get_by_text("the value is 1")).to_be_visible(timeout=WAIT_MS)
    app_server(site, "paint.py").kill()
    page.goto(site.url + "/flexx/")
    expect(page.get_by_text("the value is 1")).to_be_visible(timeout=WAIT_MS)
    move_flexx_slider(page)
    expect(page.get_by_text("Python says: the value is 10")).to_be_visible(timeout=WAIT_MS)


def test_a_killed_bokeh_app_is_there_again(site: Site, open_page: Callable[[str], Page]) -> None:
    site.start("examples/bokeh/site.py", "0")
    page = open_page(site.url)
    expect(page.get_by_text("f is 1", exact=True)).to_be_visible(timeout=WAIT_MS)
    app_server(site, "slider.py").kill()
    page.goto(site.url)  # its script waits for the app server, and is not answered with an error
    expect(page.get_by_text("f is 1", exact=True)).to_be_visible(timeout=WAIT_MS)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)


def mount(app: str, prefix: str, outer: str = "") -> dict[str, object]:
    """An example as a ReverseProxy at `prefix` of a site that itself is at `outer`."""
    if app == "flexx":
        command = [sys.executable, "examples/flexx/paint.py", "{port}"]
        rewrite = {"/flexx/": "{prefix}/flexx/"}
        child = {"command": command}
        return {"prefix": prefix, "child": child, "strip_prefix": True, "rewrite": rewrite}
    command = [sys.executable, "-m", app, "serve", f"examples/{app}/slider.py"]
    command += ["--allow-websocket-origin", "*", "--use-xheaders", "--prefix", outer + prefix]
    if not outer:
        command += ["--unix-socket", "{socket}"]
        return {"prefix": prefix, "child": {"command": command}}
    command += ["--port", "{port}", "--address", "127.0.0.1"]
    upstream = "http://127.0.0.1:{port}" + outer + prefix
    return {
        "prefix": prefix,
        "upstream": upstream,
        "strip_prefix": True,
        "child": {"command": command},
    }


def move_slider(page: Page, app: str) -> None:
    """Its Python answers."""
    if app == "flexx":
        expect(page.get_by_text("the value is 1")).to_be_visible(timeout=WAIT_MS)
        move_flexx_slider(page)
        expect(page.get_by_text("Python says: the value is 10")).to_be_visible(timeout=WAIT_MS)
        return
    expect(page.get_by_text("f is 1")).to_be_visible(timeout=WAIT_MS)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.get_by_text("Python says: f is 2")).to_be_visible(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def over_https() -> Iterator[Site]:
    with Site() as site:
        prefixes = [f"{above}/{app}" for above in ("", "/deep") for app in APPS]
        mounts = [mount(prefix.rpartition("/")[2], prefix) for prefix in prefixes]
        yield site.parent(*mounts, server=True, tls=True)


@pytest.mark.parametrize("above", ["", "/deep"])
@pytest.mark.parametrize(("app", "path"), APPS.items())
def test_over_https(
    over_https: Site, open_page: Callable[[str], Page], app: str, path: str, above: str
) -> None:
    move_slider(open_page(f"{over_https.url}{above}/{app}{path}"), app)


def behind(outer: str) -> Iterator[Site]:
    """A site with all examples, to be at `outer` of another server."""
    with Site() as site:
        mounts = [{**mount(app, f"/{app}", outer=outer), "proxies": ["127.0.0.1"]} for app in APPS]
        yield site.parent(*mounts)


@pytest.fixture(scope="module")
def inner() -> Iterator[Site]:
    yield from behind("/sub")


@pytest.fixture(scope="module")
def at_the_root() -> Iterator[Site]:
    yield from behind("")


@pytest.fixture(scope="module", params=["http", "https"])
def outer(inner: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site that stands where nginx would, with the inner one at /sub."""
    with Site() as site:
        mount = {"prefix": "/sub", "upstream": inner.url, "strip_prefix": True}
        yield site.parent(mount, server=True, tls=request.param == "https")


@pytest.mark.parametrize(("app", "path"), APPS.items())
def test_below_a_path_of_a_reverse_proxy(
    outer: Site, open_page: Callable[[str], Page], app: str, path: str
) -> None:
    move_slider(open_page(f"{outer.url}/sub/{app}{path}"), app)


@pytest.mark.parametrize(("scheme", "prefix"), [("http", "/sub"), ("https", "")])
@pytest.mark.parametrize(("app", "path"), APPS.items())
def test_behind_nginx(
    request: pytest.FixtureRequest,
    open_page: Callable[[str], Page],
    tmp_path: Path,
    app: str,
    path: str,
    scheme: str,
    prefix: str,
) -> None:
    site = request.getfixturevalue("inner" if prefix else "at_the_root")
    with nginx(tmp_path, site.url, prefix, scheme) as url:
        move_slider(open_page(f"{url}/{app}{path}"), app)
