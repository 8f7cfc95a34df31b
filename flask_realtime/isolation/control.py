"""The messages of the control socket between the server and a job's process. No I/O.

Both sides send lines of JSON, each an object whose one name says what it is:

    server: {"job": {"name", "reference"}, "params": {}, "run": {"id", "job", "user"}}   first, once
            {"stop": true}   {"report": n}   {"masked": n}
    child:  {"ready": pid, "dumps": {"descriptor", "main", "control"} or null}   first, once
            {"progress": {"done", "total", "label"}}   {"report": n, "threads": [...]}
            {"mask": secret, "number": n}   {"end": {"state", "code", "reason"}}   last, once

A child that masks a secret waits for ``{"masked": n}``, so what it prints afterwards is masked: the
server answers once it knows the secret. The child runs the job's code, so the server believes
nothing of what it says: `read_tell` checks and bounds all of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_realtime.isolation.box import Exit

MAX_ORDER = 16 << 20  # bytes of a message to the child: all parameters of a run are in one
MAX_TELL = 1 << 20  # bytes of a message of the child: the stacks of its threads are the largest
MAX_TEXT = 500  # characters of a reason, a path or a line of code
MAX_LABEL = 200  # characters of what progress says
MAX_SECRET = 64 << 10  # characters
MAX_THREADS = 100  # of a report
MAX_FRAMES = 60  # of a thread's stack: more do not help, and the innermost are those that matter

STATES = ("succeeded", "failed", "stopped")


class BadMessage(ValueError):
    """The other side sent what is no message: it is not to be listened to any longer."""


class Lines:
    """Cuts a byte stream into messages. A line of more than `max_bytes` raises BadMessage."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []  # of the line that has not ended
        self._size = 0

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The messages that `data` completes, in order."""
        *whole, rest = data.split(b"\n")
        messages = []
        for line in whole:
            self._add(line)
            messages.append(_decode(b"".join(self._parts)))
            self._parts.clear()
            self._size = 0
        self._add(rest)
        return messages

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            raise BadMessage(f"a message of more than {self._max_bytes} bytes")
        if part:
            self._parts.append(part)


def encode(message: Mapping[str, object]) -> bytes:
    """One message as a line. Text that is no Unicode (file names) passes as it is."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def _decode(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {line[:80]!r} ({error})") from error
    if not isinstance(message, dict):
        raise BadMessage(f"no object: {line[:80]!r}")
    return message


# What the server sends


def start_order(
    job: str, reference: Mapping[str, object], params: Mapping[str, object], run: Mapping[str, str]
) -> dict[str, object]:
    """The first message. `reference` is `Reference.public()`; `params` are JSON values."""
    return {"job": {"name": job, "reference": reference}, "params": params, "run": run}


STOP: dict[str, object] = {"stop": True}


def report_order(number: int) -> dict[str, object]:
    return {"report": number}


def masked_order(number: int) -> dict[str, object]:
    """The secret of the `Mask` with that number is known, to all output from here on."""
    return {"masked": number}


# What the child tells


@dataclass(frozen=True, slots=True)
class Dumps:
    """Where faulthandler writes (`dumps.take_dump`), and the idents of two threads."""

    descriptor: int  # of the child
    main: int
    control: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The child listens. `dumps` is None where it cannot write stacks while C code computes."""

    pid: int
    dumps: Dumps | None


@dataclass(frozen=True, slots=True)
class Progress:
    done: float
    total: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Mask:
    """The child waits for ``masked_order(number)``. Encode it as the output is: surrogateescape."""

    secret: str
    number: int


@dataclass(frozen=True, slots=True)
class Threads:
    """The answer to ``report_order(number)``: the `threads` of the protocol's report."""

    number: int
    threads: list[dict[str, Any]]


Tell = Ready | Progress | Mask | Threads | Exit


def read_tell(message: Mapping[str, Any]) -> Tell:
    """What a message of the child says. Raises BadMessage."""
    try:
        if "progress" in message:
            return _progress(message["progress"])
        if "mask" in message:
            return Mask(_secret(message["mask"]), _whole(message["number"]))
        if "report" in message:
            threads = message["threads"][:MAX_THREADS]
            return Threads(_whole(message["report"]), [_thread(each) for each in threads])
        if "ready" in message:
            return Ready(_whole(message["ready"]), _dumps(message.get("dumps")))
        if "end" in message:
            return _end(message["end"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadMessage(f"{next(iter(message))!r:.80} is wrong: {error!r:.200}") from error
    raise BadMessage(f"nothing that is known: {list(message)!r:.80}")


def _progress(said: Mapping[str, Any]) -> Progress:
    total = said["total"]
    return Progress(
        _amount(said["done"]), None if total is None else _amount(total), text_of(said["label"])
    )


def _end(said: Mapping[str, Any]) -> Exit:
    if said["state"] not in STATES:
        raise ValueError(said["state"])
    return Exit(said["state"], _whole(said["code"]), text_of(said["reason"], MAX_TEXT))


def _dumps(said: Mapping[str, Any] | None) -> Dumps | None:
    if said is None:
        return None
    return Dumps(_whole(said["descriptor"]), _whole(said["main"]), _whole(said["control"]))


def _thread(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": text_of(said["name"]),
        "ident": _whole(said["ident"]),
        "doing": text_of(said["doing"]),
        "stack": [
            {
                "file": text_of(frame["file"], MAX_TEXT),
                "line": _whole(frame["line"]),
                "function": text_of(frame["function"]),
                "code": text_of(frame["code"], MAX_TEXT),
            }
            for frame in said["stack"][-MAX_FRAMES:]
        ],
    }


def text_of(value: object, most: int = MAX_LABEL) -> str:
    """`value`, a text, cut to `most` characters and such that it can be sent as UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no text")
    return value[:most].encode("utf-8", "backslashreplace").decode("utf-8")


def _secret(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_SECRET:
        raise TypeError("a secret must be text")
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not -(1 << 63) <= value < 1 << 64:
        raise TypeError(f"{value!r:.80} is no whole number")
    return value


def _amount(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise TypeError(f"{value!r:.80} is no number")
    return value  # type: ignore[return-value]
