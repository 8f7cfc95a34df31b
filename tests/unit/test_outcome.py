"""The end of a job by what it raised, and what is shown of it. (More: test_flaskthread.py.)"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from flask_realtime.isolation import outcome
from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.outcome import MAX_REASON


def ends(job: Callable[[], Any], *, stop_asked: bool = False) -> Exit:
    try:
        job()
    except BaseException as error:  # noqa: BLE001
        return outcome.raised(error, stop_asked=stop_asked)
    return outcome.returned(stop_asked=stop_asked)


def fails() -> None:
    raise ValueError("not today")


async def fails_later() -> None:
    await asyncio.sleep(0)
    fails()


def test_a_traceback_begins_with_the_first_frame_that_is_not_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ends(fails) == Exit("failed", 1, "ValueError: not today")
    shown = capsys.readouterr().err.splitlines()
    assert [line.split(", in ")[1] for line in shown if ", in " in line] == ["ends", "fails"]


def test_the_frames_of_a_loop_are_not_shown_before_those_of_the_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop = asyncio.new_event_loop()
    task = loop.create_task(fails_later())
    with pytest.raises(ValueError, match="not today") as caught:
        loop.run_until_complete(task)
    loop.close()
    error = caught.value
    assert error.__traceback__ is not None
    outcome.raised(error.with_traceback(error.__traceback__.tb_next), stop_asked=False)
    shown = capsys.readouterr().err.splitlines()
    assert [line.split(", in ")[1] for line in shown if ", in " in line] == ["fails_later", "fails"]


def test_what_has_no_frames_of_the_job_is_shown_without_any(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome.raised(TypeError("wrong arguments"), stop_asked=False)
    assert capsys.readouterr().err == "TypeError: wrong arguments\n"


def test_a_job_that_took_stderr_away_is_shown_all_the_same(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        assert ends(fails).state == "failed"
        assert ends(lambda: sys.exit("a message")) == Exit("failed", 1, "a message")
    shown = capfd.readouterr()
    assert shown.err.endswith("ValueError: not today\na message\n")
    assert shown.out == ""


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interruption_is_a_stop_if_one_was_asked_for(
    error: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def job() -> None:
        raise error

    assert ends(job, stop_asked=True) == Exit("stopped", 0, "stopped")
    assert capsys.readouterr().err == ""
    assert ends(job).state == "failed"
    assert capsys.readouterr().err.endswith(f"{error.__name__}\n")


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert len(outcome.one_line(ValueError("x" * 10_000))) == MAX_REASON
    assert outcome.one_line(SyntaxError("bad", ("a.py", 3, 1, "x =", 3, 2))) == "SyntaxError: bad"


def test_a_reason_begins_with_the_type_whatever_the_message_is_like(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = ValueError("cannot open the table:\n  no such column\n")
    assert outcome.one_line(error) == "ValueError: cannot open the table: no such column"
    assert outcome.one_line(ValueError("...\n\0")) == "ValueError: ..."
    assert outcome.one_line(ValueError("\x1b[31mred\x1b[0m\ralert\a")) == "ValueError: red alert"
    assert outcome.one_line(ValueError("half \ud800")) == r"ValueError: half \ud800"
    assert outcome.one_line(ValueError("\n")) == "ValueError:"
    assert outcome.one_line(KeyError("a\nb")) == r"KeyError: 'a\nb'"
    assert ends(lambda: sys.exit("no table:\n\x1b[1mt1\x1b[m")).reason == "no table: t1"
