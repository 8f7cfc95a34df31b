"""Runs in processes that ask: when they say so, what they read, and the end of the input."""

from __future__ import annotations

import hashlib
import sys

import pytest

from flask_realtime.errors import InputFull, RealtimeError
from flask_realtime.isolation.box import Exit, Processes, Prompt
from tests.support.boxes import Boxed, command, program
from tests.support.hub import until

SUCCEEDED = Exit("succeeded", 0, "finished", Processes(0, 0))

# Each waits for a line, in one of the ways that there are, and prints it.
ASKERS = {
    "input": "print(input('Name? '))",
    "readline": (
        "import sys; print('Name? ', end='', flush=True); print(sys.stdin.readline(), end='')"
    ),
    "gnu readline": "import readline; print(input('Name? '))",
    "select": (
        "import select, sys; print('Name? ', end='', flush=True)\n"
        "select.select([sys.stdin], [], []); print(input())"
    ),
    "poll": (
        "import select, sys; print('Name? ', end='', flush=True)\n"
        "poll = select.poll(); poll.register(0, select.POLLIN); poll.poll(); print(input())"
    ),
    "epoll": (
        "import select, sys; print('Name? ', end='', flush=True)\n"
        "poll = select.epoll(); poll.register(0, select.EPOLLIN); poll.poll(); print(input())"
    ),
    "tty": (
        "print('Name? ', end='', flush=True)\n"
        "print(open('/dev/tty', 'rb', buffering=0).read(100).decode(), end='')"
    ),
    "thread": ("import threading\nthreading.Thread(target=lambda: print(input('Name? '))).start()"),
    "child": "import os; os.system('printf \"Name? \"; read name; echo $name')",
}


def python(code: str, **options: object) -> Boxed:
    return Boxed(command(sys.executable, "-c", code, **options))


@pytest.mark.parametrize("how", ASKERS)
def test_a_run_that_waits_for_a_line_says_so(how: str) -> None:
    box = python(ASKERS[how])
    assert box.prompt() == Prompt(False, "Name?")
    box.box.input("Grüße\n".encode())
    assert box.end() == SUCCEEDED
    assert box.output.decode().replace("\r", "").endswith("Grüße\nGrüße\n")
    assert box.told[-1] is None


@pytest.mark.parametrize("how", sorted({*ASKERS} - {"tty"}))
def test_a_run_on_pipes_that_waits_says_so(how: str) -> None:
    box = python(ASKERS[how], terminal=False)
    assert box.prompt() == Prompt(False, "Name?")
    box.box.input(b"Ada\n")
    assert box.end() == SUCCEEDED
    assert box.of(1) == b"Name? Ada\n"


def test_a_run_that_computes_or_sleeps_does_not_wait_for_input() -> None:
    box = python("import time; print('x? ', end='', flush=True); time.sleep(1)")
    assert box.end() == SUCCEEDED
    assert box.told == []


# As ssh does: for what comes from elsewhere, and passes on what is typed if anything is.
WAITS_FOR_BOTH = (
    "import os, select, sys\n"
    "print('here ', end='', flush=True)\n"
    "other, _ = os.pipe()\n"
    "poll = select.{call}()\n"
    "for each in (0, other): poll.register(each, 1)\n"
    "poll.poll({timeout})\n"
)


@pytest.mark.parametrize(("call", "a_second"), [("poll", 1000), ("epoll", 1)])
def test_a_run_that_waits_for_something_else_as_well_does_not_ask(call: str, a_second: int) -> None:
    box = python(WAITS_FOR_BOTH.format(call=call, timeout=a_second))
    assert box.end() == SUCCEEDED
    assert box.told == []


def test_a_run_that_takes_key_by_key_asks_whatever_else_it_waits_for() -> None:
    code = "import tty; tty.setcbreak(0)\n" + WAITS_FOR_BOTH.format(call="poll", timeout="")
    box = python(code)
    assert box.prompt() == Prompt(False, "here")
    box.box.input(b"x")
    assert box.end() == SUCCEEDED


@pytest.mark.parametrize(("call", "a_second"), [("poll", 1000), ("epoll", 1)])
def test_one_that_fills_the_screen_and_looks_at_the_keys_in_between_does_not_ask(
    call: str, a_second: int
) -> None:
    code = "import tty; tty.setcbreak(0)\n" + WAITS_FOR_BOTH.format(call=call, timeout=a_second)
    box = python(code)
    assert box.end() == SUCCEEDED
    assert box.told == []


def test_a_password_is_asked_for_as_hidden_and_not_shown() -> None:
    box = Boxed(program("reads_a_password.py"))
    assert box.prompt() == Prompt(False, "Name:")
    box.box.input(b"ada\n")
    until(lambda: box.told[-1] == Prompt(True, "Password:"))
    assert box.told[1] is None
    box.box.input(b"open sesame\n")
    assert box.end() == SUCCEEDED
    assert b"sesame" not in box.output
    assert box.output.endswith(b"ada: 11 characters\n")


@pytest.mark.parametrize("terminal", [True, False])
def test_the_end_of_the_input_ends_what_reads_it(terminal: bool) -> None:
    box = Boxed(command("sh", "-c", "wc -l; wc -c", terminal=terminal))
    box.prompt()
    box.box.input(b"one\ntwo\nthree")
    box.box.end_input()
    assert box.end() == SUCCEEDED
    # Who reads after the end is told of it as well.
    assert box.output.endswith(b"2\n0\n")


def test_control_characters_do_on_a_terminal_what_they_do_there() -> None:
    box = Boxed(command("cat"))
    box.prompt()
    box.box.input(b"\x03")
    assert box.end() == Exit("failed", 130, "ended by SIGINT (interrupt)", Processes(0, 0))


@pytest.mark.parametrize("terminal", [True, False])
def test_much_input_arrives_whole_and_no_more_is_taken_than_is_read(terminal: bool) -> None:
    quiet = "import os, sys\n" + (
        "import termios\n"
        "modes = termios.tcgetattr(0); modes[3] &= ~termios.ECHO\n"
        "termios.tcsetattr(0, termios.TCSANOW, modes)\n"
        if terminal
        else ""
    )
    box = python(
        quiet + "print('ready', flush=True)\n"
        "import hashlib, time; time.sleep(0.3)\n"
        "data = sys.stdin.buffer.read(); print(len(data), hashlib.sha256(data).hexdigest())",
        terminal=terminal,
    )
    box.printed(b"ready\n")
    lines = b"".join(b"%0200d\n" % number for number in range(5000))
    sent, refused = 0, 0
    while sent < len(lines):
        piece = lines[sent : sent + 50_000]
        try:
            box.box.input(piece)
        except InputFull:
            refused += 1
            until(lambda: box.box._unread < 50_000)
        else:
            sent += len(piece)
    box.box.end_input()
    assert box.end() == SUCCEEDED
    assert refused
    digest = hashlib.sha256(lines).hexdigest()
    assert box.output.decode().split()[1:] == [str(len(lines)), digest]


def test_input_that_nobody_reads_is_refused_and_does_no_harm() -> None:
    box = Boxed(command("sh", "-c", "echo here; sleep 1000"))
    box.printed(b"here\n")
    for _ in range(2):
        box.box.input((b"x" * 99 + b"\n") * 600)
    with pytest.raises(InputFull, match="wait to be read"):
        box.box.input((b"x" * 99 + b"\n") * 600)
    box.box.force()
    assert box.end().state == "stopped"


def test_a_line_that_no_terminal_takes_is_refused() -> None:
    box = Boxed(command("cat"))
    box.prompt()
    with pytest.raises(RealtimeError, match="more than 4095 bytes"):
        box.box.input(b"x" * 4096 + b"\n")
    box.box.input(b"x" * 4095 + b"\n")
    box.box.end_input()
    assert box.end() == SUCCEEDED
    assert box.output == (b"x" * 4095 + b"\n") * 2  # its echo, and what cat read


def test_a_long_line_goes_through_a_pipe() -> None:
    box = Boxed(command("cat", terminal=False))
    box.box.input(b"x" * 100_000)
    box.box.end_input()
    assert box.end() == SUCCEEDED
    assert box.output == b"x" * 100_000
