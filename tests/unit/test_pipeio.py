"""What goes in at print() comes out as the same bytes, in order, within the bound."""

from __future__ import annotations

import io
import os
import select
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.pipeio import PIECE_SIZE, STDERR, STDOUT, OutputPipe, PipeIO

WRITES = st.lists(
    st.tuples(
        st.sampled_from([STDOUT, STDERR]),
        st.one_of(st.text(max_size=400), st.binary(max_size=400)),
    ),
    max_size=30,
)


@pytest.fixture
def pipe() -> Iterator[OutputPipe]:
    made = OutputPipe()
    yield made
    made.dispose()


def readable(pipe: OutputPipe) -> bool:
    return bool(select.select([pipe.fileno()], [], [], 0)[0])


@given(WRITES)
def test_any_sequence_of_writes_comes_out_in_order(
    writes: list[tuple[int, str | bytes]],
) -> None:
    pipe = OutputPipe()
    streams = {stream: PipeIO(pipe, stream, io.StringIO()) for stream in (STDOUT, STDERR)}
    for stream, content in writes:
        if isinstance(content, bytes):
            streams[stream].buffer.write(content)
        else:
            streams[stream].write(content)
    pipe.close()
    batches, ended = pipe.take()
    assert not ended or not any(content for _, content in writes)
    expected: list[tuple[int, bytes]] = []
    for stream, content in writes:
        data = content if isinstance(content, bytes) else content.encode()
        if expected and expected[-1][0] == stream:
            expected[-1] = (stream, expected[-1][1] + data)
        elif data:
            expected.append((stream, data))
    joined: list[tuple[int, bytes]] = []
    for stream, data in batches:
        if joined and joined[-1][0] == stream:
            joined[-1] = (stream, joined[-1][1] + data)
        elif data:
            joined.append((stream, data))
    assert joined == expected
    pipe.dispose()


def test_only_a_sleeping_reader_is_woken(pipe: OutputPipe) -> None:
    stream = PipeIO(pipe, STDOUT, io.StringIO())
    assert not readable(pipe)
    for _ in range(5):
        stream.write("x")
    assert os.read(pipe.fileno(), 100) == b"\0"


def test_a_full_buffer_makes_writers_wait_and_loses_nothing() -> None:
    pipe = OutputPipe(max_size=4096)
    stream = PipeIO(pipe, STDOUT, io.StringIO())
    threads = [
        threading.Thread(target=lambda n=n: [stream.write(f"{n}\n") for _ in range(2000)])  # type: ignore[misc]
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    received = b""
    most = 0
    while received.count(b"\n") < 6000:
        batches, _ = pipe.take()
        size = sum(len(data) for _, data in batches)
        most = max(most, size)
        received += b"".join(data for _, data in batches)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sorted(received.split()) == sorted(b"%d" % (n % 3) for n in range(6000))
    assert most <= 4096
    pipe.dispose()


def test_a_long_text_is_cut_but_whole(pipe: OutputPipe) -> None:
    text = "é" * (3 * PIECE_SIZE + 1)
    stream = PipeIO(pipe, STDOUT, io.StringIO())
    assert stream.write(text) == len(text)
    batches, _ = pipe.take()
    assert b"".join(data for _, data in batches) == text.encode()


def test_names_that_are_not_utf8_leave_as_their_bytes(pipe: OutputPipe) -> None:
    stream = PipeIO(pipe, STDOUT, io.StringIO())
    stream.write(os.fsdecode(b"caf\xe9\n"))
    stream.write("\ud800\n")
    batches, _ = pipe.take()
    assert batches == [(STDOUT, b"caf\xe9\n\\ud800\n")]


def test_what_is_written_after_the_end_reaches_the_fallback(pipe: OutputPipe) -> None:
    fallback = io.StringIO()
    stream = PipeIO(pipe, STDOUT, fallback)
    pipe.close()
    stream.write("late")
    stream.buffer.write(b" bytes")
    assert fallback.getvalue() == "late bytes"
    assert pipe.take() == ([], True)


def test_only_text_can_be_written(pipe: OutputPipe) -> None:
    stream = PipeIO(pipe, STDOUT, io.StringIO())
    with pytest.raises(TypeError, match="must be str, not bytes"):
        stream.write(b"bytes")  # type: ignore[arg-type]
