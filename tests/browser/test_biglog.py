"""Logs that no page shows at once: links to lines, rows for what is not there, the live end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from flask_realtime.store.keys import output as key
from tests.support.forwarder import Forwarder
from tests.support.patience import eventually
from tests.support.server import Server

Open = Callable[[str], Page]

SECONDS = 60_000  # ms that a page gets
LINES = 2_000_000
LOAD_BYTES = 1 << 20  # by one click
MISSING = re.compile(r"\[(\d+) bytes of output are (no longer kept|not loaded) here\]")


@pytest.fixture(scope="module")
def big(server: Server) -> str:
    """A run of LINES numbered lines that has ended."""
    run = server.start_run("numbered_lines", lines=LINES)
    server.ended(run)
    return run


@pytest.fixture
def flood(server: Server) -> Iterator[str]:
    """A run that puts out more than a page can show."""
    run = server.start_run("flood")
    yield run
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


def row(page: Page, text: str) -> Locator:
    return page.locator(".row").filter(has=page.get_by_text(text, exact=True))


def marked(page: Page) -> list[str]:
    return page.locator(".row.is-marked .row-text").all_inner_texts()


def shown(page: Page) -> list[tuple[str, str]]:
    """Number and text of the rows that are mounted, in their order."""
    rows: list[tuple[str, str]] = page.evaluate(
        """() => [...document.querySelectorAll('.row')].map((row) => [
            row.querySelector('.row-number').dataset.n,
            row.querySelector('.row-text').innerText,
        ])"""
    )
    return rows


def press(page: Page, name: str) -> None:
    """A key in the log."""
    page.locator(".log-scroller").focus()
    page.keyboard.press(name)


def copied(page: Page) -> str:
    """All the text that the page holds, with words where output is missing."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Control+a")
    press(page, "Control+c")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def expect_exact(page: Page, whole: bytes) -> int:
    """Each byte of the run is in the page once and in its place, or said to be missing.

    Returns how many bytes are missing.
    """
    offset = missing = 0
    for line in copied(page).splitlines():
        if gap := MISSING.fullmatch(line):
            offset += int(gap[1])
            missing += int(gap[1])
        else:
            expected = line.encode() + b"\n"
            assert whole[offset : offset + len(expected)] == expected
            offset += len(expected)
    assert offset == len(whole)
    return missing


def expect_loaded(page: Page, whole: bytes, before: int) -> int:
    """What one click loads has arrived; `before` bytes were missing. Returns how many are now."""
    missing = before

    def loaded() -> bool:
        nonlocal missing
        missing = expect_exact(page, whole)
        return before - missing > 0.99 * LOAD_BYTES

    eventually(loaded)
    assert before - missing <= LOAD_BYTES
    return missing


def top_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["y"]


def expect_numbered(page: Page) -> None:
    """The numbers of the rows are those that their lines say."""
    texts = [(number, text) for number, text in shown(page) if text.startswith("line ")]
    assert texts
    for number, text in texts:
        assert text.split()[1] == number


def wait_complete(page: Page) -> None:
    expect(page.locator(".run-header")).to_contain_text("complete", timeout=SECONDS)


def test_a_long_run_opens_at_its_end(server: Server, open_page: Open, big: str) -> None:
    page = open_page(f"{server.url}/runs/{big}")
    row(page, f"line {LINES}").wait_for()
    wait_complete(page)
    expect_numbered(page)
    press(page, "Home")
    expect(page.locator(".row.is-gap")).to_contain_text("not loaded (lines 1 to ")
    assert expect_exact(page, server.output(big)) > 10_000_000


def test_a_link_leads_into_the_middle_and_the_rest_loads_on_clicks(
    server: Server, open_page: Open, big: str
) -> None:
    page = open_page(f"{server.url}/runs/{big}#L1000000-L1000002")
    row(page, "line 1000000").wait_for()
    assert marked(page) == ["line 1000000", "line 1000001", "line 1000002"]
    wait_complete(page)
    expect(page.locator(".log-jump")).to_have_text("Jump to end")  # and no new lines
    expect(page.locator(".row.is-marked").first).to_be_in_viewport()
    expect_numbered(page)
    whole = server.output(big)
    before = expect_exact(page, whole)

    press(page, "Home")
    above = page.locator(".row.is-gap").first
    expect(above).to_contain_text("(lines 1 to 999,899)")
    first_row = row(page, "line 999900")
    at = top_of(first_row)
    above.get_by_role("button", name="Load previous").click()
    row(page, "line 999899").wait_for()
    assert top_of(first_row) == pytest.approx(at, abs=1), "what was being read has moved"
    after_above = expect_loaded(page, whole, before)

    press(page, "Home")
    page.get_by_role("button", name="Load first").click()
    row(page, "line 1").wait_for()
    expect_numbered(page)
    after_first = expect_loaded(page, whole, after_above)

    # the hole below the middle: where its row is, its text says
    page.evaluate("location.hash = '#L1000002'")
    eventually(lambda: marked(page) == ["line 1000002"])
    last = last_before_hole(page)
    below = page.locator(".row.is-gap").filter(has_text=re.compile(r"to 1,9\d\d,\d\d\d\)"))
    below.get_by_role("button", name="Load next").click()
    row(page, f"line {last + 1}").wait_for()
    expect_numbered(page)
    expect_loaded(page, whole, after_first)
    assert row(page, "line 1000002").count() <= 1


def test_a_hole_is_loaded_as_a_whole(server: Server, open_page: Open, big: str) -> None:
    page = open_page(f"{server.url}/runs/{big}")
    row(page, f"line {LINES}").wait_for()
    wait_complete(page)
    press(page, "Home")
    hole = page.locator(".row.is-gap")
    asked = hole.inner_text()
    page.get_by_role("button", name="Load all").focus()
    page.keyboard.press("Enter")
    # Another hole may come at once: more lines than a page holds. 24 MB take a busy browser long.
    eventually(
        lambda: asked not in (said := hole.all_inner_texts()) and "loading" not in str(said), 180
    )
    page.keyboard.press("Home")  # the keyboard is still in the log
    row(page, "line 1").or_(page.locator(".row.is-gap")).first.wait_for()
    # More lines than a page holds: the first of them had to go again.
    assert expect_exact(page, server.output(big)) > 0
    expect(page.locator(".row.is-gap")).to_have_count(1)


def test_what_cannot_be_loaded_says_why_and_loads_later(
    server: Server, open_page: Open, big: str
) -> None:
    network = Forwarder(server.port)
    page = open_page(f"http://localhost:{network.port}/runs/{big}#L1000000")
    row(page, "line 1000000").wait_for()
    press(page, "Home")
    network.cut()
    connection = page.locator(".connection")
    expect(connection).to_have_attribute("data-state", "disconnected")
    page.get_by_role("button", name="Load previous").click()
    expect(page.locator(".row-gap-failure")).to_have_text("The server cannot be reached just now.")
    network.mend()
    expect(connection).to_have_attribute("data-state", "connected", timeout=SECONDS)
    page.get_by_role("button", name="Load previous").click()
    row(page, "line 999899").wait_for()
    expect_exact(page, server.output(big))
    network.close()


def test_a_wrapped_log_stands_still_while_lines_are_loaded_above(
    server: Server, open_page: Open, big: str
) -> None:
    page = open_page(f"{server.url}/runs/{big}#L1000000")
    row(page, "line 1000000").wait_for()
    page.get_by_role("button", name="Wrap").click()
    page.set_viewport_size({"width": 390, "height": 844})
    press(page, "Home")
    first_row = row(page, "line 999900")
    first_row.wait_for()
    at = top_of(first_row)
    page.get_by_role("button", name="Load previous").click()
    row(page, "line 999899").wait_for()
    assert top_of(first_row) == pytest.approx(at, abs=1)


def last_before_hole(page: Page) -> int:
    """Page down until the row of the hole is in view; the number of the line above it."""
    press(page, "PageDown")
    for _ in range(2000):
        rows = shown(page)
        holes = [n for n, (number, _) in enumerate(rows) if not number]
        if holes:
            found = int(rows[holes[0] - 1][1].split()[1])
            row(page, f"line {found}").wait_for()
            return found
        page.keyboard.press("PageDown")
        page.evaluate("new Promise(requestAnimationFrame)")
    raise AssertionError("no row for what is not loaded")


def test_a_link_holds_over_a_reload_and_going_back(
    server: Server, open_page: Open, big: str
) -> None:
    page = open_page(f"{server.url}/runs/{big}#L1500000")
    eventually(lambda: marked(page) == ["line 1500000"])
    page.reload()
    eventually(lambda: marked(page) == ["line 1500000"])
    page.evaluate("location.hash = '#L700'")
    eventually(lambda: marked(page) == ["line 700"])
    page.go_back()
    eventually(lambda: marked(page) == ["line 1500000"])
    expect(page.locator(".row.is-marked")).to_be_in_viewport()


def test_lines_are_chosen_by_their_numbers(server: Server, open_page: Open, big: str) -> None:
    page = open_page(f"{server.url}/runs/{big}#L1200000")
    row(page, "line 1200000").wait_for()
    row(page, "line 1200003").locator(".row-number").click()
    assert page.evaluate("location.hash") == "#L1200003"
    assert marked(page) == ["line 1200003"]
    row(page, "line 1200001").locator(".row-number").click(modifiers=["Shift"])
    assert page.evaluate("location.hash") == "#L1200001-L1200003"
    assert marked(page) == ["line 1200001", "line 1200002", "line 1200003"]
    assert page.evaluate("getSelection().toString()") == ""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{server.url}/runs/{big}#L1200001-L1200003"
    page.get_by_role("button", name="Mark no line").click()
    assert marked(page) == []
    assert page.evaluate("location.hash") == ""


def test_lines_are_gone_to_by_the_keyboard(server: Server, open_page: Open, big: str) -> None:
    page = open_page(f"{server.url}/runs/{big}")
    row(page, f"line {LINES}").wait_for()
    press(page, "g")
    page.keyboard.type("300,000-300,001")
    page.keyboard.press("Enter")
    eventually(lambda: marked(page) == ["line 300000", "line 300001"])
    assert page.evaluate("location.hash") == "#L300000-L300001"
    field = page.get_by_label("Line, or first and last line")
    field.fill("nonsense")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    assert marked(page) == []


def test_numbers_can_be_hidden(server: Server, open_page: Open, big: str) -> None:
    page = open_page(f"{server.url}/runs/{big}")
    number = row(page, f"line {LINES}").locator(".row-number")
    content = "(each) => getComputedStyle(each, '::before').content"
    assert number.evaluate(content) == f'"{LINES}"'
    page.get_by_role("button", name="Numbers", exact=True).click()
    assert number.evaluate(content) == "none"
    page.reload()
    number.wait_for()
    assert number.evaluate(content) == "none"


def test_a_line_that_there_is_not_is_said(server: Server, open_page: Open) -> None:
    run = server.start_run("numbered_lines", lines=10)
    server.ended(run)
    page = open_page(f"{server.url}/runs/{run}#L5000")
    expect(page.locator(".remark")).to_contain_text("5000", timeout=SECONDS)
    row(page, "line 10").wait_for()
    assert marked(page) == []


def test_a_line_of_a_running_job_is_shown_when_it_comes(server: Server, open_page: Open) -> None:
    run = server.start_run("count", lines=100_000, delay_ms=5)
    eventually(lambda: server.run_record(run)["output_bytes"] > 1000)
    page = open_page(f"{server.url}/runs/{run}#L20")
    eventually(lambda: marked(page) == ["19"])  # they count from 0
    before = server.run_record(run)["output_bytes"]
    eventually(lambda: server.run_record(run)["output_bytes"] > before + 1000)
    expect(page.locator(".row.is-marked")).to_be_in_viewport()
    server.post(f"/api/runs/{run}/stop")
    server.ended(run)


def test_a_run_whose_beginning_is_gone_says_so_and_numbers_the_rest(
    own_server: Server, open_page: Open
) -> None:
    run = own_server.start_run("numbered_lines", lines=200_000)
    own_server.ended(run)
    own_server.restart()  # nothing is left in the memory of the owner
    whole = b"".join(b"line %d\n" % number for number in range(1, 200_001))
    with own_server.redis_client() as redis:
        redis.xtrim(key(run), minid=f"{len(whole) // 2}-0", approximate=False)
    page = open_page(f"{own_server.url}/runs/{run}")
    row(page, "line 200000").wait_for()
    wait_complete(page)
    press(page, "Home")
    gone = page.locator(".row.is-gap")
    expect(gone).to_have_count(1)
    expect(gone).to_contain_text("bytes no longer kept")
    expect(gone.get_by_role("button")).to_have_count(0)
    expect_numbered(page)
    kept = expect_gone(page, whole)
    page.evaluate("location.hash = '#L5'")
    expect(page.locator(".remark")).to_be_visible(timeout=SECONDS)
    page.evaluate(f"location.hash = '#L{kept + 1}'")
    eventually(lambda: marked(page) == [f"line {kept + 1}"])


def expect_gone(page: Page, whole: bytes) -> int:
    """All that is kept is in the page; returns the number of the line in which that begins."""
    first, rest = copied(page).split("\n", 1)
    gap = MISSING.fullmatch(first)
    assert gap
    assert gap[2] == "no longer kept"
    assert whole[int(gap[1]) :].decode() == f"{rest}\n"
    return whole[: int(gap[1])].count(b"\n") + 1


def test_a_page_that_lags_jumps_to_the_live_end(
    server: Server, open_page: Open, flood: str
) -> None:
    page = open_page(f"{server.url}/runs/{flood}")
    jump = page.get_by_role("button", name="Jump to live")
    jump.click(timeout=SECONDS)
    put_out = server.run_record(flood)["output_lines"]
    eventually(lambda: last_number(page) > put_out)
    server.post(f"/api/runs/{flood}/stop")
    last = server.ended(flood)["output_lines"]
    # At once: a page that has caught up between a look and a click has no such button any more.
    page.locator(".log-jump").evaluate("(button) => button.checkVisibility() && button.click()")
    wait_complete(page)
    eventually(lambda: last_number(page) == last)
    expect_numbered(page)
    # What was left out is a row, and what is shown is in order, each line once.
    texts = copied(page).splitlines()
    assert any(MISSING.fullmatch(text) for text in texts)
    numbers = [int(text.split()[1]) for text in texts if text.endswith("x" * 60)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == last


def last_number(page: Page) -> int:
    return max((int(number) for number, _ in shown(page) if number), default=0)
