"""Jobs on threads that ask: what the hub is told, and what reaches the output."""

from __future__ import annotations

import asyncio
import getpass
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from getpass import getpass as taken_before
from typing import Any

import pytest

from flask_realtime import currentrun
from flask_realtime.currentrun import CurrentRun
from flask_realtime.flaskthread import FORCED, FlaskThread
from flask_realtime.isolation.box import Exit, Prompt
from flask_realtime.masking import Secrets
from flask_realtime.routing import Routing
from tests.support.hub import installed_routing, until

SUCCEEDED = Exit("succeeded", 0, "finished")
STOPPED = Exit("stopped", 0, "stopped")
Running = Callable[[], bool]


class Asked:
    """A job that was started, what it printed, and what it told of its waits."""

    def __init__(self, routing: Routing, function: Callable[..., Any], **options: Any) -> None:
        self.secrets = Secrets()
        self.told: list[Prompt | None] = []
        self.order: list[str] = []
        self._output: list[bytes] = []
        self._ends: list[Exit] = []
        current = CurrentRun("1", "asks", "ada", self.secrets)
        self.thread = FlaskThread(
            function,
            {},
            routing=routing,
            output=lambda stream, data: self._output.append(data),
            ended=self._ends.append,
            asked=self.told.append,
            prepare=lambda: currentrun.enter(current),
            **options,
        )
        self.thread.start()

    @property
    def output(self) -> str:
        return b"".join(self._output).decode()

    def prompt(self) -> Prompt:
        """Wait until it asks."""
        return until(lambda: self.told and self.told[-1])  # type: ignore[return-value]

    def answer(self, text: str) -> Prompt:
        """Wait until it asks, and answer."""
        prompt = self.prompt()
        asking = self.thread.answers.asking
        self.thread.answers.give(text.encode())
        until(lambda: self.thread.answers.asking != asking)
        return prompt

    def end(self) -> Exit:
        until(lambda: self._ends)
        self.thread.join(60)
        return self._ends[0]


Ask = Callable[..., Asked]


@contextmanager
def asker() -> Iterator[Ask]:
    with installed_routing() as routing:
        yield lambda function, **options: Asked(routing, function, **options)


def test_a_job_asks_and_the_dialogue_reads_as_on_a_terminal() -> None:
    def job(running: Running) -> None:
        print("Hello.")
        name = input("Your name? ")
        print(f"Hello {name}.")

    with asker() as ask:
        run = ask(job)
        assert run.answer("Ada\n") == Prompt(False, "Your name?")
        assert run.end() == SUCCEEDED
    assert run.output == "Hello.\nYour name? Ada\nHello Ada.\n"
    assert run.told[-1] is None, "it waits no longer"


def test_lines_are_read_from_stdin_until_its_end() -> None:
    def job(running: Running) -> None:
        total = sum(int(line) for line in sys.stdin)
        print(f"sum {total}")

    with asker() as ask:
        run = ask(job)
        run.answer("1\n2\n")
        run.prompt()
        run.thread.answers.end()
        assert run.end() == SUCCEEDED
    assert run.output == "1\n2\nsum 3\n"


def test_a_password_is_hidden_and_masked_from_then_on() -> None:
    def job(running: Running) -> None:
        password = getpass.getpass()
        print(f"it is {password}, said {len(password)} times")

    with asker() as ask:
        run = ask(job)
        assert run.answer("correct horse\n") == Prompt(True, "Password:")
        assert run.end() == SUCCEEDED
    assert run.output == "Password: \nit is correct horse, said 13 times\n"
    assert run.secrets.mask("correct horse") == "***"


def test_a_short_password_is_hidden_too() -> None:
    def job(running: Running) -> None:
        assert taken_before("PIN: ", stream=sys.stderr) == "1234"

    with asker() as ask:
        run = ask(job)
        assert run.answer("1234\n") == Prompt(True, "PIN:")
        assert run.end() == SUCCEEDED
    assert run.output == "PIN: \n"
    assert run.secrets.known() == ()


def test_each_character_of_a_password_may_be_shown_as_another() -> None:
    """As from Python 3.14 on."""
    asks: Any = getpass.getpass

    def job(running: Running) -> None:
        assert asks("PIN: ", echo_char="*") == "1234"

    with asker() as ask:
        run = ask(job)
        run.answer("1234\n")
        assert run.end() == SUCCEEDED
    assert run.output == "PIN: ****\n"


def test_the_password_of_other_code_is_asked_where_it_was(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    asked = []

    def elsewhere(prompt: str = "", stream: object = None) -> str:
        asked.append((prompt, stream))
        return "from the terminal"

    monkeypatch.setattr(getpass, "getpass", elsewhere)
    body = elsewhere.__code__
    with asker():
        pass
    with installed_routing(), installed_routing():
        # It has a closure here, so its body cannot be exchanged, and it stays as it is.
        assert getpass.getpass("PIN: ") == "from the terminal"
    assert asked == [("PIN: ", None)]
    assert elsewhere.__code__ is body


def plain(prompt: str = "Password: ", stream: object = None) -> str:
    return f"asked {prompt}"


def test_a_function_that_was_taken_before_asks_at_the_page_only_while_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(getpass, "getpass", plain)
    taken = getpass.getpass
    with asker() as ask, installed_routing():
        assert taken("here: ") == "asked here: "
        assert taken() == "asked Password: "
        run = ask(lambda running: print(taken("there: ")))
        run.answer("typed\n")
        assert run.end() == SUCCEEDED
        assert run.output == "there: \ntyped\n"
    assert plain.__defaults__ == ("Password: ", None)
    assert taken("after: ") == "asked after: "


def test_an_end_of_input_is_what_input_says() -> None:
    def job(running: Running) -> None:
        try:
            input("? ")
        except EOFError:
            print("nobody answers")

    with asker() as ask:
        run = ask(job)
        run.prompt()
        run.thread.answers.end()
        assert run.end() == SUCCEEDED
    assert run.output == "? nobody answers\n"


def test_a_stop_ends_a_job_that_waits_and_no_default_is_taken_for_an_answer() -> None:
    done = []

    def job(running: Running) -> None:
        try:
            answer = input("Delete all? [Y/n] ")
        except EOFError:
            answer = "y"
        except Exception:  # noqa: BLE001  # as careless jobs do
            answer = "y"
        done.append(answer)

    with asker() as ask:
        run = ask(job)
        run.prompt()
        run.thread.stop()
        assert run.end() == STOPPED
    assert done == []
    assert "Traceback" not in run.output


def test_a_job_may_clean_up_when_a_stop_ends_its_wait() -> None:
    def job(running: Running) -> None:
        try:
            input()
        except KeyboardInterrupt:
            print("cleaned up:", running())

    with asker() as ask:
        run = ask(job)
        run.prompt()
        run.thread.stop()
        assert run.end() == STOPPED
    assert run.output == "cleaned up: False\n"


def test_a_forced_end_reaches_a_job_that_asks_again_and_again() -> None:
    def job(running: Running) -> None:
        while True:
            try:
                input("? ")
            except (KeyboardInterrupt, EOFError):
                time.sleep(0.001)

    with asker() as ask:
        run = ask(job)
        run.prompt()
        run.thread.force()
        assert run.end() == FORCED


def test_threads_pools_and_coroutines_of_a_job_ask_as_well() -> None:
    def job(running: Running) -> None:
        thread = threading.Thread(target=lambda: print("thread", input()))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            print("pool", pool.submit(input).result())

        async def main() -> str:
            return await asyncio.to_thread(input)

        print("coroutine", asyncio.run(main()))

    with asker() as ask:
        run = ask(job)
        for answer in "abc":
            run.answer(f"{answer}\n")
        assert run.end() == SUCCEEDED
    assert run.output == "a\nthread a\nb\npool b\nc\ncoroutine c\n"


def test_a_stop_ends_a_coroutine_that_waits_for_input_in_a_thread() -> None:
    async def job(running: Running) -> None:
        await asyncio.to_thread(input, "? ")

    with asker() as ask:
        run = ask(job)
        run.prompt()
        run.thread.stop()
        assert run.end() == STOPPED


def test_threads_that_still_wait_when_the_job_is_over_meet_the_end() -> None:
    read = []
    threads = []

    def job(running: Running) -> None:
        threads.append(threading.Thread(target=lambda: read.append(sys.stdin.readline())))
        threads[0].start()

    with asker() as ask:
        run = ask(job)
        assert run.end() == SUCCEEDED
        threads[0].join(60)
    assert read == [""]


def test_the_prompt_of_a_flood_is_its_last_line() -> None:
    def job(running: Running) -> None:
        for number in range(20_000):
            print("line", number)
        print("\x1b[1mGo on\x1b[0m", end="", flush=True)
        input("? ")

    with asker() as ask:
        run = ask(job)
        assert run.answer("y\n") == Prompt(False, "Go on?")
        assert run.end() == SUCCEEDED


def test_a_wait_is_told_after_the_output_before_it() -> None:
    def job(running: Running) -> None:
        input("first? ")
        input("second? ")

    with asker() as ask:
        run = ask(job)
        assert run.answer("1\n").text == "first?"
        until(lambda: run.told[-1] is not None and run.told[-1].text == "second?")
        assert run.output == "first? 1\nsecond? "
        run.answer("2\n")
        assert run.end() == SUCCEEDED
