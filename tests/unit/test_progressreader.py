"""Progress bars in the raw output: of real programs, cut anywhere, and what is none."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_realtime.running.barforms import Progress
from flask_realtime.running.progressreader import WINDOW, ProgressReader, Speed

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "frontend/tests/terminal/recordings", ROOT / "tests/recordings")


def recording(name: str) -> bytes:
    (path,) = (path for folder in FOLDERS if (path := folder / f"{name}.bin").exists())
    return path.read_bytes()


def after(*pieces: bytes, look_each_time: bool = False) -> Progress | None:
    reader = ProgressReader()
    for piece in pieces:
        reader.feed(piece)
        if look_each_time:
            reader.read(0)
    return reader.read(0)


def seen(output: bytes, step: int) -> list[tuple[str, float | None]]:
    """All that is shown while an output grows, changes only."""
    reader = ProgressReader()
    shown = []
    for at in range(0, len(output), step):
        reader.feed(output[at : at + step])
        progress = reader.read(0)
        if progress is not None:
            shown.append((progress.label, progress.percent))
    return [item for item, _ in itertools.groupby(shown)]


@pytest.mark.parametrize(
    ("name", "label", "percent", "done", "total", "source"),
    [
        ("tqdm_plain", "reading", 100, 40, 40, "tqdm"),
        ("tqdm_nested", "épreuves ✓", 100, 3, 3, "tqdm"),
        ("rich_progress", "testing 🚀", 100, None, None, "rich"),
        ("rich_flood", "copying", 100, None, None, "rich"),
        ("compose_like", "Running", 75, 3, 4, "bar"),
        ("rich_columns", "all", 100, 60, 60, "rich"),
        ("tqdm_open_end", "rows", None, 300, None, "tqdm"),
        ("curl", "", 100, None, None, "bar"),
        ("wget", "two", 100, None, None, "bar"),
        ("git", "Receiving objects", 100, 302, 302, "bar"),
    ],
)
def test_the_last_progress_of_real_programs(
    name: str,
    label: str,
    percent: float | None,
    done: float | None,
    total: float | None,
    source: str,
) -> None:
    progress = after(recording(name))
    assert progress is not None
    assert (progress.label, progress.percent) == (label, percent)
    assert (progress.done, progress.total, progress.source) == (done, total, source)
    assert percent != 100 or progress.eta_seconds == 0


@pytest.mark.parametrize("name", ["npm", "rich_live"])
def test_programs_that_move_the_cursor_without_a_bar(name: str) -> None:
    assert after(recording(name)) is None


@pytest.mark.parametrize("step", [37, 64, 1000])
def test_of_bars_within_a_bar_the_outermost_counts(step: int) -> None:
    shown = seen(recording("tqdm_nested"), step)
    assert {label for label, _ in shown} <= {"épreuves ✓", "inner 1"}
    # What is left behind is drawn in the place of the outermost for a moment, full.
    assert {percent for label, percent in shown if label == "inner 1"} <= {100}
    outermost = [item for item in shown if item[0] == "épreuves ✓"]
    assert [item[1] for item, _ in itertools.groupby(outermost)] == [0, 33.3, 66.7, 100]


@pytest.mark.parametrize("name", ["tqdm_plain", "rich_flood"])
@pytest.mark.parametrize("step", [50, 3000])
def test_progress_only_grows(name: str, step: int) -> None:
    shown = [percent for _, percent in seen(recording(name), step)]
    assert None not in shown
    assert shown == sorted(shown)  # type: ignore[type-var]
    assert len(shown) > 1


NAMES = ["tqdm_plain", "tqdm_nested", "rich_progress", "rich_flood", "compose_like", "margins"]
NAMES += ["rich_columns", "tqdm_open_end", "curl", "wget", "git"]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    end=st.floats(0, 1),
    cuts=st.lists(st.floats(0, 1), max_size=30),
    look_each_time=st.booleans(),
)
def test_however_the_output_is_cut_the_last_progress_is_the_same(
    name: str, end: float, cuts: list[float], look_each_time: bool
) -> None:
    output = recording(name)
    output = output[: int(end * len(output))]
    places = [0, *sorted(int(cut * len(output)) for cut in cuts), len(output)]
    pieces = [output[begin:stop] for begin, stop in itertools.pairwise(places)]
    # A look at a short window may find a bar that has left it; those do not outlive WINDOW.
    assert after(*pieces, look_each_time=look_each_time and len(output) <= WINDOW) == after(output)


BAR = "\rload:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]".encode()


def percent(*pieces: bytes) -> float | None:
    progress = after(*pieces)
    return None if progress is None else progress.percent


@pytest.mark.parametrize(
    "text",
    [
        b"100% of the files are there\n",
        b"first\r\nthen 45% of it\r\nlast 46%\r\n",
        b"\x1b[32mINFO\x1b[0m 45% done\n",
        b"a.txt:\x1b[01;31m\x1b[Kmatch\x1b[m\x1b[K: 45% of it\n",
        b"\x1b]0;title 45%\x07text\n",
        b"plain [45/100]\n",
        b"\rword\r\n100%\n",
        b"45%\r",
        b"45%\r\n",
        b"\x1b[6n 45%\x1b[?25h",
    ],
)
def test_text_that_says_percent_is_no_progress(text: bytes) -> None:
    assert after(text) is None
    assert after(*(text[at : at + 1] for at in range(len(text))), look_each_time=True) is None


@pytest.mark.parametrize(
    "output",
    [
        b"44%\r45%\r",
        b"44%\r45%",
        b"\rProgress: 45%",
        b"44%\b\b\b45%",
        b"\x1b[2K\x1b[1G45%",
        b"done\n\x1b[1A\x1b[2K45% \n",
        b"\x1b7\x1b[24;0fProgress: [ 45%]\x1b8",
        b"44%\r\x1b[K45%\x1b[K",
        b"\r\x1b[5C45%",
    ],
)
def test_lines_that_are_rewritten(output: bytes) -> None:
    assert percent(output) == 45


def test_a_bar_stays_when_text_follows_and_when_it_has_left_the_window() -> None:
    assert percent(BAR, b"\nthen some text\n") == 45
    reader = ProgressReader()
    reader.feed(BAR + b"\n")
    reader.read(0)
    for _ in range(10):
        reader.feed(b"text\n" * WINDOW)
        reader.feed(b"100%\n")
    progress = reader.read(0)
    assert progress is not None
    assert progress.percent == 45


def test_a_bar_whose_beginning_is_cut_off_is_not_read() -> None:
    rest = b"\n" + b"x" * (WINDOW - 20)
    assert after(b"\r145%"[-4:] + rest) is None
    # All that is left of the bar in the window is "5/100 [00:10<...": no progress of its own.
    assert after(BAR + b" " * (WINDOW - 30)) is None
    assert percent(b"x" * WINDOW + BAR) == 45


def test_a_bar_after_another_takes_its_place_even_if_that_was_left_unfinished() -> None:
    second = BAR.replace(b"45", b"10")
    assert percent(BAR + b"\n" + second) == 10
    assert percent(BAR + b"\nsome text\n" + second) == 10


def test_a_bar_that_was_left_above_the_others_counts_no_more() -> None:
    def turn(percent: int) -> bytes:
        """tqdm draws the inner bar below the outer one, and goes up again."""
        inner = "".join(f"\n\rinner: {each}%|    | {each}/99 [0:01<?]\x1b[A" for each in range(9))
        return f"\router: {percent}%|    | {percent}/100 [0:01<?]{inner}".encode()

    assert percent(turn(1), turn(2)) == 2
    assert percent(turn(1), turn(2), b"a question? y\n", turn(3), turn(4)) == 4


def test_of_parallel_bars_the_topmost_that_is_not_full_counts() -> None:
    def frame(one: int, two: int) -> bytes:
        rows = [f"{name} ━━━━━━ {value}%\x1b[K\n" for name, value in (("a", one), ("b", two))]
        return "".join(rows).encode() + b"\x1b[2A"

    assert percent(frame(10, 5), frame(20, 15)) == 20
    assert percent(frame(10, 5), frame(100, 50)) == 50
    assert percent(frame(10, 5), frame(100, 100)) == 100


def test_an_unknown_total_counts_what_is_done() -> None:
    progress = after(b"\rrows: 45it [00:10, 4.50it/s]")
    assert progress == Progress(None, 45.0, None, None, "tqdm", "rows")


@pytest.mark.parametrize("size", [1, 3, 17, WINDOW - 1, WINDOW, WINDOW + 1])
def test_a_flood_of_any_piece_size_is_bounded(size: int) -> None:
    reader = ProgressReader()
    flood = b"line of text\n" * (8 * WINDOW // 13)
    for at in range(0, len(flood), size):
        reader.feed(flood[at : at + size])
        assert reader._size <= 5 * WINDOW
        assert len(reader._pieces) <= 1001
    reader.feed(BAR)
    progress = reader.read(0)
    assert progress is not None
    assert progress.percent == 45


def bar(percent: float | None, *, eta: float | None = None, label: str = "x") -> Progress:
    return Progress(percent, None, None, eta, "bar", label)


def test_the_end_is_told_from_the_speed() -> None:
    speed = Speed()
    assert speed.with_eta(bar(10), 100).eta_seconds is None
    assert speed.with_eta(bar(11), 100.5).eta_seconds is None, "too early to say"
    assert speed.with_eta(bar(20), 110).eta_seconds == 80
    assert speed.with_eta(bar(20), 120).eta_seconds == 70, "what passes since counts down"
    assert speed.with_eta(bar(20), 500).eta_seconds == 0
    assert speed.with_eta(bar(100), 510).eta_seconds == 0


def test_another_bar_or_a_new_begin_has_a_speed_of_its_own() -> None:
    speed = Speed()
    speed.with_eta(bar(10), 100)
    assert speed.with_eta(bar(20), 110).eta_seconds == 80
    assert speed.with_eta(bar(5), 120).eta_seconds is None
    assert speed.with_eta(bar(10), 130).eta_seconds == 180
    assert speed.with_eta(bar(50, label="y"), 140).eta_seconds is None


def test_what_a_bar_says_itself_counts() -> None:
    speed = Speed()
    speed.with_eta(bar(10), 100)
    assert speed.with_eta(bar(20, eta=3), 110).eta_seconds == 3
    assert speed.with_eta(bar(None), 110).eta_seconds is None
