"""Each container restarted or killed under a live run, and stopped in time."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_page import expect_exact, expect_state, last_number, start, toolbar
from tests.containers.stack import Stack, docker
from tests.support.patience import eventually

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


def begin(stack: Stack, open_page: Open) -> tuple[Page, str]:
    """Open a page that shows a run that goes on for minutes."""
    stack.wait_ready()  # the outage before this one may just have ended
    page = open_page(stack.url)
    run = start(page, "Count", lines=100_000, delay_ms=20)
    eventually(lambda: last_number(page) > 10)
    return page, run


def end(stack: Stack, page: Page, run: str) -> None:
    """Output comes again; the run is stopped from the page, and nothing of it is missing."""
    expect(page.locator(".connection")).to_have_text("Connected", timeout=SECONDS)
    before = last_number(page)
    eventually(lambda: last_number(page) > before)
    toolbar(page, "Stop").click()
    expect_state(page, "stopped")
    numbers = [line for line in stack.output(run).decode().splitlines() if line.isdigit()]
    assert numbers == [str(number) for number in range(len(numbers))]
    expect_exact(page, stack, run)


def test_a_restarted_nginx_costs_nothing(stack: Stack, open_page: Open) -> None:
    page, run = begin(stack, open_page)
    stack.compose("restart", "nginx")
    end(stack, page, run)


def test_a_restarted_redis_costs_nothing(stack: Stack, open_page: Open) -> None:
    page, run = begin(stack, open_page)
    stack.compose("restart", "redis")
    end(stack, page, run)


def test_a_killed_redis_costs_nothing_that_was_shown(stack: Stack, open_page: Open) -> None:
    page, run = begin(stack, open_page)
    (container,) = stack.containers("redis")
    docker("kill", "--signal", "KILL", container)
    expect(page.get_by_text("Redis").first).to_be_visible(timeout=SECONDS)
    assert stack.status("/readyz") == 503
    stack.compose("start", "redis")
    stack.wait_ready()
    end(stack, page, run)


def test_a_restarted_flask_ends_its_runs_and_keeps_their_output(
    stack: Stack, open_page: Open
) -> None:
    page, run = begin(stack, open_page)
    stack.compose("restart", "flask")
    stack.wait_ready()
    expect_state(page, "stopped")
    expect(page.locator(".connection")).to_have_text("Connected", timeout=SECONDS)
    expect_exact(page, stack, run)


def test_flask_stops_within_ten_seconds_though_a_job_does_not(stack: Stack) -> None:
    run = stack.start_run("ignores_stop")
    stack.compose("stop", "flask")
    assert stack.inspect("flask")[0]["State"]["ExitCode"] != 137  # was not killed, after those ten
    stack.compose("start", "flask")
    stack.wait_ready()
    assert eventually(lambda: stack.state(run) not in (None, "running", "stopping"))


def test_a_page_opened_too_early_goes_on_by_itself(stack: Stack, browser: Browser) -> None:
    stack.compose("stop", "flask")
    page = browser.new_page()
    page.goto(stack.url)
    expect(page.get_by_role("heading")).to_have_text("The server is starting")
    stack.compose("start", "flask")
    expect(page.locator(".connection")).to_have_text("Connected", timeout=SECONDS)
    page.close()


def test_an_edited_source_counts_after_a_restart(stack: Stack) -> None:
    source = stack.folder / "app" / "health.py"
    text = source.read_text()
    source.write_text(text.replace('"status": "up"', '"status": "edited"'))
    stack.compose("restart", "flask")
    stack.wait_ready()
    assert stack.get("/healthz").json() == {"status": "edited"}
    source.write_text(text)
    page = stack.folder / "nginx" / "starting.html"
    page.write_text(page.read_text().replace("is starting", "is being edited"))
    stack.compose("restart", "nginx")
    stack.compose("stop", "flask")
    assert "is being edited" in stack.get("/", headers={"Accept": "text/html"}).text
    stack.compose("start", "flask")
    stack.wait_ready()
