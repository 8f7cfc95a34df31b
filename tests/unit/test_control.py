"""The control socket's messages: framed whatever the pieces, bounded, and checked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.isolation.box import Exit
from flask_realtime.isolation.control import (
    MAX_FRAMES,
    MAX_TEXT,
    MAX_THREADS,
    BadMessage,
    Dumps,
    Hidden,
    Lines,
    Mask,
    Progress,
    Ready,
    Threads,
    encode,
    masked_order,
    read_tell,
    report_order,
    start_order,
)


def frame(**changed: Any) -> dict[str, Any]:
    return {"file": "/a.py", "line": 3, "function": "f", "code": "f()", **changed}


def thread(**changed: Any) -> dict[str, Any]:
    return {"name": "MainThread", "ident": 7, "doing": "", "stack": [frame()], **changed}


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=5),
    st.integers(1, 40),
)
def test_messages_arrive_whole_however_they_are_cut(
    messages: list[dict[str, str]], size: int
) -> None:
    stream = b"".join(map(encode, messages))
    lines = Lines(1000)
    arrived = [
        message
        for start in range(0, len(stream), size)
        for message in lines.feed(stream[start : start + size])
    ]
    assert arrived == messages


def test_text_that_is_no_unicode_passes() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert Lines(100).feed(encode({"mask": name})) == [{"mask": name}]


def test_a_line_has_a_bound_whether_it_ends_or_not() -> None:
    Lines(10).feed(b'{"a":1234}\n{"a":1234}\n')
    lines = Lines(10)
    lines.feed(b'{"a":')
    with pytest.raises(BadMessage, match="more than 10 bytes"):
        lines.feed(b"123456")
    with pytest.raises(BadMessage, match="more than 10 bytes"):
        Lines(10).feed(b'{"a":12345}\n')


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000, b'"text"'])
def test_what_is_no_object_is_no_message(line: bytes) -> None:
    with pytest.raises(BadMessage):
        Lines(1 << 20).feed(line + b"\n")


def test_the_orders_are_as_the_child_reads_them() -> None:
    run = {"id": "r1", "job": "tidy", "user": "ann"}
    assert start_order("tidy", {"module": "m"}, {"count": 1}, run) == {
        "job": {"name": "tidy", "reference": {"module": "m"}},
        "params": {"count": 1},
        "run": run,
    }
    assert (report_order(3), masked_order(4)) == ({"report": 3}, {"masked": 4})


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (
            {"ready": 5, "dumps": {"descriptor": 3, "control": 2}},
            Ready(5, Dumps(3, 2)),
        ),
        ({"ready": 5, "dumps": None}, Ready(5, None)),
        (
            {"progress": {"done": 1, "total": 2.5, "label": "x"}},
            Progress(1, 2.5, "x"),
        ),
        ({"progress": {"done": 0.5, "total": None, "label": ""}}, Progress(0.5, None, "")),
        ({"mask": "a secret", "number": 1}, Mask("a secret", 1)),
        ({"hidden": True, "number": 2}, Hidden(True, 2)),
        ({"hidden": 1, "number": 2}, Hidden(False, 2)),
        ({"report": 2, "threads": [thread()]}, Threads(2, [thread()])),
        (
            {"end": {"state": "failed", "code": 3, "reason": "exited with code 3"}},
            Exit("failed", 3, "exited with code 3"),
        ),
    ],
)
def test_what_the_child_tells_is_read(said: dict[str, Any], read: object) -> None:
    assert read_tell(json.loads(json.dumps(said))) == read


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"unknown": 1},
        {"ready": "5"},
        {"ready": True},
        {"ready": 1 << 70},
        {"ready": 5, "dumps": [1]},
        {"progress": None},
        {"progress": {"done": float("nan"), "total": 1, "label": ""}},
        {"progress": {"done": "1", "total": 1, "label": ""}},
        {"progress": {"done": 1, "total": 1, "label": 5}},
        {"mask": 5, "number": 1},
        {"mask": "x" * 70_000, "number": 1},
        {"mask": "a secret"},
        {"report": 1},
        {"report": 1, "threads": [thread(stack=[frame(line="3")])]},
        {"report": 1, "threads": [5]},
        {"end": {"state": "lost", "code": 0, "reason": ""}},
        {"end": {"state": "failed", "code": 1}},
        {"end": "failed"},
    ],
)
def test_what_is_wrong_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        read_tell(said)


def test_what_is_too_much_is_cut() -> None:
    deep = thread(stack=[frame(line=line) for line in range(1000)])
    tell = read_tell({"report": 1, "threads": [deep] * 1000})
    assert isinstance(tell, Threads)
    assert len(tell.threads) == MAX_THREADS
    lines = [each["line"] for each in tell.threads[0]["stack"]]
    assert lines == list(range(1000 - MAX_FRAMES, 1000))  # the innermost stay
    end = read_tell({"end": {"state": "failed", "code": 1, "reason": "x" * 10_000}})
    assert isinstance(end, Exit)
    assert len(end.reason) == MAX_TEXT


def test_text_that_cannot_be_sent_to_a_page_is_spelled_out() -> None:
    tell = read_tell({"progress": {"done": 1, "total": None, "label": "caf\udce9"}})
    assert isinstance(tell, Progress)
    assert tell.label == "caf\\udce9"
