"""The page in a real Chromium, before the real server."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.support.forwarder import Forwarder
from tests.support.patience import eventually
from tests.support.server import Server

SECONDS = 60_000  # ms that a page gets

Open = Callable[[str], Page]


def start(page: Page, title: str, **fields: object) -> str:
    """Fill the form of a job, press Start, and return the id of the run that the page shows.

    With any `fields`, those that are not given have the job's defaults.
    """
    card = page.locator(".job").filter(has=page.get_by_role("button", name=f"Start {title}"))
    if fields:
        # Once something has been entered, no values of an earlier run come any more.
        fill(card, fields)
        reset = card.get_by_role("button", name="Reset to defaults")
        if reset.is_visible():
            reset.click()
        fill(card, fields)
    before = path(page)
    card.get_by_role("button", name=f"Start {title}").click()
    eventually(lambda: path(page) != before and "/runs/" in path(page))
    return path(page).rsplit("/", 1)[1]


def fill(card: Locator, fields: dict[str, object]) -> None:
    for name, value in fields.items():
        card.get_by_label(name).fill(str(value))


def path(page: Page) -> str:
    asked: str = page.evaluate("location.pathname")
    return asked


def toolbar(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("toolbar").get_by_role("button", name=name)


def expect_state(page: Page, state: str) -> None:
    expect(page.locator(".run-header .chip")).to_have_attribute(
        "data-state", state, timeout=SECONDS
    )


def lines(page: Page) -> list[str]:
    """The text of the rows that are mounted."""
    return page.locator(".row-text").all_inner_texts()


def last_number(page: Page) -> int:
    numbers = [int(line) for line in lines(page) if line.strip().isdigit()]
    return max(numbers, default=-1)


def expect_complete(page: Page) -> None:
    """The page says so itself once its offset has reached the end of the output."""
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=SECONDS)


def expect_exact(page: Page, server: Server, run: str) -> None:
    """All that the page holds, copied by keyboard, is what the run put out."""
    expect_complete(page)
    expected = server.output(run).decode().splitlines()

    def is_at_first_line() -> bool:
        """Rows that come meanwhile may take the keyboard from the one that was clicked."""
        page.locator(".row-text").first.click()
        page.keyboard.press("Home")
        return lines(page)[:1] == expected[:1]

    eventually(is_at_first_line)
    page.keyboard.press("End")
    eventually(lambda: expected[-1] in lines(page))
    rows = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.row')].map((row) =>
            [Number(row.dataset.line), row.querySelector('.row-text').textContent]))"""
    )
    shown = {int(number): text for number, text in rows.items()}
    assert max(shown) + 1 in (len(expected), len(expected) + 1)  # the cursor's row may be empty
    for number, text in shown.items():
        assert text == [*expected, ""][number]


def test_start_shows_lines_live_and_stop_ends_them(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    run = start(page, "Count", lines=100_000, delay_ms=5)
    eventually(lambda: last_number(page) > 10)
    expect_state(page, "running")
    toolbar(page, "Stop").click()
    expect_state(page, "stopped")
    eventually(lambda: "asked to stop" in lines(page))
    assert server.run_record(run)["state"] == "stopped"
    again = start(page, "Greet")
    expect_state(page, "succeeded")
    eventually(lambda: lines(page)[:1] == ["Hello world"])
    assert again > run


def test_a_reload_in_mid_run_shows_everything(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    run = start(page, "Count", lines=600, delay_ms=5)
    eventually(lambda: last_number(page) > 50)
    page.reload()
    eventually(lambda: last_number(page) > 100)
    expect_state(page, "succeeded")
    expect_exact(page, server, run)


def test_two_browsers_follow_one_run(server: Server, open_page: Open) -> None:
    first, second = open_page(server.url), open_page(server.url)
    run = start(first, "Count", lines=300, delay_ms=10)
    second.locator(f'a[href*="{run}"], [data-run="{run}"]').first.click()
    eventually(lambda: last_number(second) > 20)
    for page in (first, second):
        expect_state(page, "succeeded")
        expect_exact(page, server, run)


def test_a_cut_network_is_resumed_without_loss(server: Server, open_page: Open) -> None:
    network = Forwarder(server.port)
    page = open_page(f"http://localhost:{network.port}")
    run = start(page, "Count", lines=1500, delay_ms=5)
    eventually(lambda: last_number(page) > 50)
    network.cut()
    expect(page.locator(".connection")).not_to_have_attribute("data-state", "connected")
    at_cut = server.run_record(run)["output_bytes"]
    eventually(lambda: server.run_record(run)["output_bytes"] > at_cut + 3000)  # some 5 s
    network.mend()
    expect(page.get_by_text("Reconnected").first).to_be_visible(timeout=SECONDS)
    expect_state(page, "succeeded")
    expect_exact(page, server, run)
    network.close()


def test_a_server_restarted_in_mid_run_keeps_what_it_showed(
    own_server: Server, open_page: Open
) -> None:
    page = open_page(own_server.url)
    run = start(page, "Count", lines=100_000, delay_ms=5)
    eventually(lambda: last_number(page) > 50)
    own_server.stop()
    own_server.start()
    expect_state(page, "stopped")
    expect_exact(page, own_server, run)


def test_100_000_lines_arrive(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    page.evaluate(
        """() => {
            window.longest = 0;
            let last = performance.now();
            const tick = (now) => {
                window.longest = Math.max(window.longest, now - last);
                last = now;
                requestAnimationFrame(tick);
            };
            requestAnimationFrame(tick);
        }"""
    )
    run = start(page, "Count", lines=100_000)
    expect_state(page, "succeeded")
    expect_complete(page)
    print(f"longest gap between two frames: {page.evaluate('window.longest'):.0f} ms")
    expect_exact(page, server, run)


def test_output_is_never_markup(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    start(page, "Markup")
    expect_state(page, "succeeded")
    eventually(lambda: len(lines(page)) >= 2)
    assert lines(page)[0] == "<script>document.title='broken'</script>"
    assert page.locator(".rows img, .rows script, .rows b").count() == 0
    assert "broken" not in page.title()


def test_a_job_that_ignores_stop_is_reported_and_forced(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    start(page, "Ignores stop")
    eventually(lambda: "busy" in lines(page))
    toolbar(page, "Stop").click()
    toolbar(page, "Force").click(timeout=SECONDS)
    expect_state(page, "stopped")


def test_a_file_that_does_not_load_is_reported(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    expect(page.get_by_text("this file is broken on purpose")).to_be_visible(timeout=SECONDS)


def test_a_wrong_parameter_is_said_beside_the_form(server: Server, open_page: Open) -> None:
    page = open_page(server.url)
    card = page.locator(".job").filter(has=page.get_by_role("button", name="Start Exits"))
    card.get_by_label("code").fill("many")
    card.get_by_role("button", name="Start Exits").click()
    expect(card.get_by_label("code")).to_have_accessible_description(
        '"many" is not a whole number.', timeout=SECONDS
    )
    expect(card.get_by_label("code")).to_be_focused()
