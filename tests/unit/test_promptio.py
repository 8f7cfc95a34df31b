"""What is given to a job to read: lines, ends, bounds, and who reads first."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from flask_realtime.errors import InputFull
from flask_realtime.isolation.promptio import MAX_INPUT, Answers, PromptIO
from tests.support.patience import eventually


class Stream:
    """A PromptIO, what it echoed, and how often it began or ceased to wait."""

    def __init__(self) -> None:
        self.echoed: list[str] = []
        self.changes = 0
        self.answers = Answers(self._changed)
        self.io = PromptIO(self.answers, self.echoed.append)

    def _changed(self) -> None:
        self.changes += 1

    def give(self, text: str) -> None:
        self.answers.give(text.encode("utf-8", "surrogateescape"))


@pytest.fixture
def stream() -> Stream:
    return Stream()


class Reader(threading.Thread):
    """Calls `read` on a thread of its own, and keeps what it returns or raises."""

    def __init__(self, read: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._read = read
        self.results: list[object] = []
        self.start()

    def run(self) -> None:
        try:
            self.results.append(self._read())
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test looks at it
            self.results.append(type(error))

    def result(self) -> object:
        self.join(60)
        (result,) = self.results
        return result


def test_what_was_given_is_read_line_by_line(stream: Stream) -> None:
    stream.give("one\ntw")
    stream.give("o\nthree\n")
    assert [stream.io.readline() for _ in range(3)] == ["one\n", "two\n", "three\n"]
    assert stream.echoed == ["one\n", "two\n", "three\n"]
    assert stream.changes == 0, "nobody had to wait"


def test_a_read_waits_for_the_rest_of_a_line(stream: Stream) -> None:
    stream.give("half")
    reader = Reader(stream.io.readline)
    asking = eventually(lambda: stream.answers.asking)
    assert (asking.number, asking.hidden, asking.thread) == (1, False, reader.ident)
    stream.give(" and half\n")
    assert reader.result() == "half and half\n"
    assert stream.answers.asking is None
    assert stream.changes >= 2


def test_each_wait_has_a_number_of_its_own(stream: Stream) -> None:
    for number in (1, 2):
        reader = Reader(stream.io.readline)
        assert eventually(lambda: stream.answers.asking).number == number
        stream.give("x\n")
        reader.result()


def test_a_line_can_be_read_in_parts(stream: Stream) -> None:
    stream.give("abcdef\nrest\n")
    assert stream.io.readline(0) == ""
    assert stream.io.readline(4) == "abcd"
    assert stream.io.readline(10) == "ef\n"
    assert stream.io.read(3) == "res"
    assert "".join(stream.echoed) == "abcdef\nres"


def test_the_end_comes_after_what_was_given_and_stays(stream: Stream) -> None:
    stream.give("one\nunfinished")
    stream.answers.end()
    assert [stream.io.readline() for _ in range(4)] == ["one\n", "unfinished", "", ""]
    assert stream.io.read() == ""
    assert stream.changes == 0, "nobody waits any more"


def test_iteration_and_read_go_to_the_end(stream: Stream) -> None:
    stream.give("1\n2\n")
    stream.answers.end()
    assert list(stream.io) == ["1\n", "2\n"]
    other = Stream()
    other.give("3\n4")
    other.answers.end()
    assert other.io.read() == "3\n4"


def test_reading_in_pieces_meets_the_end(stream: Stream) -> None:
    stream.give("abcdef")
    stream.answers.end()
    assert list(iter(lambda: stream.io.read(4), "")) == ["abcd", "ef"]


def test_an_end_wakes_who_waits(stream: Stream) -> None:
    reader = Reader(stream.io.read)
    eventually(lambda: stream.answers.asking)
    stream.give("all of it")
    stream.answers.end()
    assert reader.result() == "all of it"


def test_line_endings_become_line_feeds(stream: Stream) -> None:
    for piece in ("a\r\nb\rc\r", "\nd\n", "\n"):
        stream.give(piece)
    assert [stream.io.readline() for _ in range(5)] == ["a\n", "b\n", "c\n", "d\n", "\n"]


def test_any_character_arrives_even_cut_in_its_middle(stream: Stream) -> None:
    for byte in "nul \0 größe 🚀\n".encode():
        stream.answers.give(bytes([byte]))
    assert stream.io.readline() == "nul \0 größe 🚀\n"


def test_what_is_not_read_is_bounded_and_room_comes_back(stream: Stream) -> None:
    line = "ö" * (MAX_INPUT // 2 - 1) + "x\n"
    stream.give(line)
    with pytest.raises(InputFull, match=f"{MAX_INPUT} bytes wait"):
        stream.give("x")
    assert stream.io.readline() == line
    stream.give(line)


def test_more_than_the_bound_can_be_read_in_one_go(stream: Stream) -> None:
    reader = Reader(stream.io.read)
    for _ in range(5):
        eventually(lambda: stream.answers.asking)
        stream.give("x" * MAX_INPUT)
        eventually(lambda: stream.answers._given == stream.answers._read)
    stream.answers.end()
    assert reader.result() == "x" * 5 * MAX_INPUT


def test_bytes_can_be_read(stream: Stream) -> None:
    stream.give("größe\nrest\nlast")
    buffer = stream.io.buffer
    assert buffer.readline() == "größe\n".encode()
    assert buffer.read(2) == b"re"
    stream.answers.end()
    assert buffer.read() == b"st\nlast"
    assert "".join(stream.echoed) == "größe\nrest\nlast"


def test_a_stop_ends_the_wait_and_later_ones(stream: Stream) -> None:
    reader = Reader(stream.io.readline)
    eventually(lambda: stream.answers.asking)
    stream.answers.stop()
    assert reader.result() is KeyboardInterrupt
    assert stream.answers.asking is None
    stream.give("there already\n")
    assert stream.io.readline() == "there already\n"
    with pytest.raises(KeyboardInterrupt):
        stream.io.readline()


def test_after_the_job_a_read_meets_the_end(stream: Stream) -> None:
    reader = Reader(stream.io.readline)
    eventually(lambda: stream.answers.asking)
    stream.answers.close()
    assert reader.result() == ""
    stream.answers.stop()
    assert stream.io.read() == ""


def test_two_threads_read_one_after_the_other(stream: Stream) -> None:
    first = Reader(stream.io.readline)
    eventually(lambda: stream.answers.asking)
    second = Reader(stream.io.read_hidden)
    stream.give("for the first\n")
    assert first.result() == "for the first\n"
    asking = eventually(lambda: stream.answers.asking)
    assert (asking.hidden, asking.thread) == (True, second.ident)
    stream.give("for the second\n")
    assert second.result() == "for the second"


def test_a_stop_reaches_a_thread_that_waits_for_its_turn(stream: Stream) -> None:
    with stream.answers.turn():
        reader = Reader(stream.io.readline)
        stream.answers.stop()
        assert reader.result() is KeyboardInterrupt


def test_what_is_hidden_is_not_echoed(stream: Stream) -> None:
    stream.give("secret\nlast")
    assert stream.io.read_hidden() == "secret"
    stream.answers.end()
    assert stream.io.read_hidden() == "last"
    with pytest.raises(EOFError):
        stream.io.read_hidden()
    assert stream.echoed == []


def test_the_stream_is_a_terminal_without_a_descriptor(stream: Stream) -> None:
    assert stream.io.isatty()
    assert stream.io.readable()
    assert not stream.io.writable()
    with pytest.raises(io.UnsupportedOperation):
        stream.io.fileno()
    stream.io.close()
    stream.io.buffer.raw.close()  # type: ignore[attr-defined]
    stream.give("still open\n")
    assert stream.io.readline() == "still open\n"


@pytest.fixture
def as_stdin(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", stream.io)
        yield stream


def test_input_strips_the_line_end_and_raises_at_the_end(as_stdin: Stream) -> None:
    as_stdin.give("answer\n")
    assert input() == "answer"
    as_stdin.answers.end()
    with pytest.raises(EOFError):
        input()
