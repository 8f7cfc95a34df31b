"""Lines with progress bars, as programs print them."""

from __future__ import annotations

from typing import Any

import pytest

from flask_realtime.running.barforms import MAX_LABEL, MAX_LINE, Progress, bar_in


def said(line: str, *, rewritten: bool = True) -> tuple[Any, ...] | None:
    bar = bar_in(line, rewritten=rewritten)
    if bar is None:
        return None
    return bar.percent, bar.done, bar.total, bar.eta_seconds, bar.source, bar.label


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            " 45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]",
            (45.0, 45.0, 100.0, 12.0, "tqdm", ""),
        ),
        (
            "train: 33%|███▎      | 1/3 [1:00:10<2:00:20, 3610.00s/it, loss=0.1]",
            (33.3, 1.0, 3.0, 7220.0, "tqdm", "train"),
        ),
        ("x:  5%|5         | 5/100 [00:00<?, ?it/s]", (5.0, 5.0, 100.0, None, "tqdm", "x")),
        (
            "get: 50%|##### | 1.05M/2.10M [00:01<00:01, 1.05MB/s]",
            (50.0, 1050000.0, 2100000.0, 1.0, "tqdm", "get"),
        ),
        ("0%|          | 0/0 [00:00<?, ?it/s]", (0.0, 0.0, 0.0, None, "tqdm", "")),
        ("45it [00:10, 4.50it/s]", (None, 45.0, None, None, "tqdm", "")),
        ("rows: 1.50krow [00:10, 150row/s]", (None, 1500.0, None, None, "tqdm", "rows")),
        ("0it [00:00, ?it/s]", (None, 0.0, None, None, "tqdm", "")),
        ("copying ━━━━╸━━━ 45% 0:00:12", (45.0, None, None, 12.0, "rich", "copying")),
        ("copying ━━━━━━━━  0% -:--:--", (0.0, None, None, None, "rich", "copying")),
        ("⠋ build ━━━━╺━━━ 45/100 0:01:05", (45.0, 45.0, 100.0, 65.0, "rich", "build")),
        (
            "   ━━━━━━╸━━━ 45.0/100.0 MB 12.3 MB/s eta 0:00:05",
            (45.0, 45.0, 100.0, 5.0, "rich", ""),
        ),
    ],
)
def test_bars_that_are_known_wherever_they_stand(line: str, expected: tuple[Any, ...]) -> None:
    assert said(line, rewritten=False) == expected
    assert said(line, rewritten=True) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("45%", (45.0, None, None, None, "bar", "")),
        ("Progress: 45.5 %", (45.5, None, None, None, "bar", "Progress")),
        ("########            45.2%", (45.2, None, None, None, "bar", "")),  # curl -#
        (
            "big.iso   45%[====>     ] 1,234,567  1.23MB/s  eta 2m 5s",  # wget
            (45.0, None, None, 125.0, "bar", "big.iso"),
        ),
        ("45% [1 python3 123 kB/456 kB 27%]", (45.0, None, None, None, "bar", "")),  # apt
        ("Progress: [ 45%] [#####.......]", (45.0, None, None, None, "bar", "Progress")),
        (
            "Receiving objects:  45% (450/1000), 1.20 MiB | 1.10 MiB/s",  # git
            (45.0, 450.0, 1000.0, None, "bar", "Receiving objects"),
        ),
        ("[45/100] Building CXX object a.o", (45.0, 45.0, 100.0, None, "bar", "")),  # ninja
        ("Building [=====>     ] 45/100: serde", (45.0, 45.0, 100.0, None, "bar", "Building")),
        ("[+] Running 3/4", (75.0, 3.0, 4.0, None, "bar", "Running")),  # docker compose
        (
            "abc123: Downloading [==>        ]  1.25MB/5MB",  # docker pull
            (25.0, 1.25, 5.0, None, "bar", "abc123: Downloading"),
        ),
        (
            "  1,234,567  45%   12.34MB/s    0:00:12 (xfr#5, to-chk=9/100)",  # rsync
            (45.0, None, None, None, "bar", "1,234,567"),
        ),
        (
            "file.bin   45% 1234KB   1.2MB/s   00:12 ETA",
            (45.0, None, None, 12.0, "bar", "file.bin"),
        ),
        ("load  [####----]  45%  00:01:12", (45.0, None, None, 72.0, "bar", "load")),  # click
        (
            "|████▌     | ▃▅▇ 45/100 [45%] in 10s (4.5/s, eta: 12s)",  # alive-progress
            (45.0, 45.0, 100.0, 12.0, "bar", ""),
        ),
        ("reading 45%|████▌     | 45/100", (45.0, 45.0, 100.0, None, "bar", "reading")),
    ],
)
def test_bars_that_count_where_a_line_is_rewritten(line: str, expected: tuple[Any, ...]) -> None:
    assert said(line) == expected
    assert said(line, rewritten=False) is None


@pytest.mark.parametrize(
    "line",
    [
        "no number at all",
        "on 2026/11/21 at 12:30",
        "see a/b/3/4.txt and http://host/1/2",
        "version 1.2/3.4.5",
        "150%",
        "5/4 are done",
        "3/0",
        "width:45%x",
        "a%20b, 5%%",
        "-45%",
        "a%|b",
        "│ host-1 │ 45 % │",
        "━━━━━━━━━━━━",
        "x" * MAX_LINE + " 45%",
    ],
)
def test_text_is_no_bar(line: str) -> None:
    assert said(line) is None
    assert said(line, rewritten=False) is None


def test_what_is_cut_is_not_taken_for_another_bar() -> None:
    assert bar_in("x: 45%|███", rewritten=True, complete=False) is None
    assert bar_in("x: 45%|███", rewritten=True) is not None


@pytest.mark.parametrize(
    "line",
    [
        "Working... ━━━━━━━━━━━━━━━━ 100% 0:00:03",  # rich: the time that it took
        "copying ━━━━━━━━ 45/45 0:01:05",
        "reading: 100%|█████████| 40/40 [00:10<00:02,  4.50it/s]",
        "reading: 100%|█████████| 41/40 [00:10<00:02,  4.50it/s]",
        "load  [########]  100%  00:01:12",  # click
        "big.iso  100%[=========>] 1,234,567  1.23MB/s  in 2s  eta 3s",
    ],
)
def test_a_full_bar_has_no_time_left_whatever_time_it_shows(line: str) -> None:
    bar = bar_in(line, rewritten=True)
    assert bar is not None
    assert bar.finished
    assert bar.eta_seconds == 0


def test_a_label_is_short() -> None:
    bar = bar_in("word " * 50 + "45%", rewritten=True)
    assert bar is not None
    assert len(bar.label) <= MAX_LABEL


def test_finished_is_what_has_all() -> None:
    assert Progress(100.0, None, None, None, "bar", "").finished
    assert not Progress(99.9, None, None, None, "bar", "").finished
    assert not Progress(None, 5.0, None, None, "tqdm", "").finished
