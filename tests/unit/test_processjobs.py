"""Functions in processes of their own: what they get, how they end, what their report says."""

from __future__ import annotations

import os
from contextlib import suppress
from unittest.mock import Mock, call

import pytest

from flask_realtime.errors import RealtimeError
from flask_realtime.isolation.box import Exit, Processes, Prompt
from flask_realtime.isolation.childlink import SILENT
from flask_realtime.isolation.process import Prompts
from flask_realtime.jobs import Job, make_job
from flask_realtime.pipeio import STDOUT
from tests.programs import processjobs
from tests.support.boxes import Boxed
from tests.support.hub import until

NONE_LEFT = Processes(0, 0)
SUCCEEDED = Exit("succeeded", 0, "finished", NONE_LEFT)


def job(name: str, **options: object) -> Job:
    options = {"isolation": "process", **options}
    return make_job(getattr(processjobs, name), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("terminal", [True, False])
def test_it_gets_its_parameters_and_prints(terminal: bool) -> None:
    box = Boxed(job("greet", terminal=terminal), name="Grüße", times=2)
    assert box.end() == SUCCEEDED
    assert box.output.decode() == "hello Grüße\n" * 2


def test_it_knows_its_run_and_loads_neither_flask_nor_eventlet() -> None:
    box = Boxed(job("tells_its_run"))
    assert box.end() == SUCCEEDED
    assert box.output.decode() == f"{box.run.id} tells_its_run ada False False\n"


def test_it_ends_when_it_is_asked_to() -> None:
    box = Boxed(job("waits_for_stop"))
    box.printed(b"here\n")
    box.box.stop()
    assert box.end() == Exit("stopped", 0, "stopped", Processes(1, 0))
    assert box.output == b"here\nbye\n"


def test_its_children_are_ended_with_it() -> None:
    box = Boxed(job("has_children"))
    box.printed(b"here\n")
    box.box.stop()
    assert box.end() == Exit("stopped", 0, "stopped", Processes(3, 0))


def test_it_is_forced_when_it_ignores_all_else() -> None:
    box = Boxed(job("ignores_stop"))
    box.printed(b"here\n")
    box.box.stop()
    box.box.force()
    assert box.end() == Exit("stopped", 137, "stopped by force", Processes(1, 0))


def test_what_it_raises_is_shown_and_told() -> None:
    box = Boxed(job("raises"))
    assert box.end() == Exit("failed", 1, "ValueError: no such luck", NONE_LEFT)
    output = box.output.decode()
    assert output.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("no such luck")' in output


def test_a_process_that_ends_without_a_word_is_told_by_its_exit_code() -> None:
    assert Boxed(job("exits")).end() == Exit("failed", 9, "exited with code 9", NONE_LEFT)


def test_it_holds_nothing_of_the_server_and_hands_nothing_on() -> None:
    box = Boxed(job("lists_descriptors"))
    box.printed(b"child\n")
    ours = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that listed the folder
            ours.add(os.readlink(f"/proc/self/fd/{number}"))
    assert box.end() == SUCCEEDED
    own, _, child = box.output.decode().partition("child\n")
    held = {int(line.split()[0]): line.split()[1] for line in own.splitlines()}
    assert {held.pop(number).rpartition("/")[0] for number in range(3)} == {"/dev/pts"}
    assert not ours & {*held.values()}
    kinds = [target.partition(":")[0] for target in held.values()]
    assert kinds.count("socket") == 1
    assert {*kinds} <= {"socket", "/memfd", "pipe"}  # the latter are of its own making
    assert child.split()[:3] == ["0", "1", "2"]
    assert len(child.split()) == 4  # and the folder that it lists


def test_what_it_masks_is_never_seen() -> None:
    box = Boxed(job("masks"))
    assert box.end() == SUCCEEDED
    assert box.run.secrets.mask(box.output.decode()) == "the word is ***\n"


def test_it_asks() -> None:
    box = Boxed(job("asks"))
    assert box.prompt() == Prompt(False, "Name:")
    box.box.input(b"ada\n")
    until(lambda: box.told[-1] == Prompt(True, "Password:"))
    box.box.input(b"open sesame\n")
    assert box.end() == SUCCEEDED
    assert b"sesame" not in box.output


def test_getpass_is_hidden_and_masked_on_a_pipe_too() -> None:
    box = Boxed(job("asks_on_pipes", terminal=False))
    assert box.prompt() == Prompt(False, "Name:")
    box.box.input(b"ada\n")
    until(lambda: box.told[-1] == Prompt(True, "Password:"))
    box.box.input(b"open sesame\n")
    until(lambda: box.told[-1] == Prompt(False, "Again:"))
    box.box.input(b"ada\n")
    until(lambda: box.told[-1] == Prompt(True, "PIN:"))
    box.box.end_input()
    assert box.end() == SUCCEEDED
    output = box.run.secrets.mask(box.output.decode())
    assert output == "Name: ada\nPassword: \n***\nAgain: ada\nPIN: no PIN\n"


def test_a_hidden_prompt_without_a_word_hides_what_is_waited_for_already() -> None:
    watched = Mock()
    prompts = Prompts(watched)
    prompts.printed(STDOUT, b"Name: ")
    prompts.told({"hidden": False, "bytes": [6, 0]})
    prompts.hide(True)
    assert watched.waiting.mock_calls == [call(Prompt(False, "Name:")), call(Prompt(True, "Name:"))]
    prompts.hide(False)
    prompts.told({"hidden": False, "bytes": [6, 0]})
    assert watched.waiting.mock_calls[2:] == [call(Prompt(False, "Name:"))]


def test_the_report_has_its_stacks() -> None:
    box = Boxed(job("asks"))
    box.prompt()
    report = box.box.report()
    assert report["doing"] == "waiting for input"
    (thread,) = report["threads"]
    assert thread["stack"][-1]["function"] == "asks"
    assert thread["stack"][-1]["code"] == 'name = input("Name: ")'
    box.box.force()
    box.end()


def test_the_report_does_not_tell_of_what_it_computes_itself() -> None:
    box = Boxed(job("is_slow_to_report"))
    box.printed(b"here\n")
    report = box.box.report()
    assert (report["doing"], report["note"]) == ("sleeping", "")
    (thread,) = report["threads"]
    assert thread["stack"][-1]["code"] == "time.sleep(1000)"
    box.box.force()
    box.end()


def test_the_report_has_stacks_also_while_c_code_holds_the_lock() -> None:
    box = Boxed(job("computes_in_c"))
    box.printed(b"here\n")
    # On a busy machine it may be too late with its stack for one report.
    report = until(lambda: (each := box.box.report())["threads"] and each)
    assert report["doing"] == "computing"
    (thread,) = report["threads"]
    assert thread["stack"][-1]["code"] == "sum(range(10**12))"
    box.box.force()
    assert box.end() == Exit("stopped", 143, "stopped by force", Processes(1, 0))


def test_the_report_does_not_end_a_wait_of_c_code_that_holds_the_lock() -> None:
    box = Boxed(job("sleeps_in_c"))
    box.printed(b"here\n")
    report = until(lambda: (each := box.box.report())["doing"] == "sleeping" and each)
    assert (report["threads"], report["note"]) == ([], SILENT)
    assert box.output == b"here\n"
    box.box.force()
    assert box.end() == Exit("stopped", 143, "stopped by force", Processes(1, 0))


def test_what_cannot_be_found_again_is_refused() -> None:
    with pytest.raises(RealtimeError, match="isolation='process'"):
        make_job(lambda running: None, name="x", isolation="process")
