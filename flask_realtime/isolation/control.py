"""The messages of the control socket between the server and a job's process. No I/O, no framing.

Both sides send lines of JSON, each an object whose one name says what it is:

    server: {"job": {"name", "reference"}, "params": {}, "run": {"id", "job", "user"}}   first, once
            {"stop": true, "interrupt": bool}   {"report": n}   {"masked": n}
    child:  {"ready": pid, "dumps": {"descriptor", "control"} or null}   first, once
            {"progress": {"done", "total", "label"}}   {"report": n, "threads": [...]}
            {"mask": secret, "number": n}   {"hidden": bool, "number": n}
            {"end": {"state", "code", "reason"}}   last, once

A child that masks a secret waits for ``{"masked": n}``, so what it prints afterwards is masked: the
server answers once it knows the secret. Likewise where it begins or ceases to read what is to be
hidden, on a pipe; on a terminal the echo says so. The child runs the job's code, so the server
believes nothing of what it says: `read_tell` checks and bounds all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_realtime.isolation.ending import Exit
from flask_realtime.isolation.framing import (
    MAX_ORDER,
    MAX_SECRET,
    MAX_TELL,
    MAX_TEXT,
    BadMessage,
    Lines,
    encode,
    text_of,
)

__all__ = [
    "MAX_ORDER",
    "MAX_SECRET",
    "MAX_TELL",
    "MAX_TEXT",
    "MAX_THREADS",
    "BadMessage",
    "Dumps",
    "Exit",
    "Hidden",
    "Lines",
    "Mask",
    "Progress",
    "Ready",
    "Tell",
    "Threads",
    "encode",
    "masked_order",
    "read_tell",
    "report_order",
    "start_order",
]

MAX_THREADS = 100  # of a report
MAX_FRAMES = 60  # of a thread's stack: more do not help, and the innermost are those that matter

STATES = ("succeeded", "failed", "stopped")


# What the server sends


def start_order(
    job: str, reference: Mapping[str, object], params: Mapping[str, object], run: Mapping[str, str]
) -> dict[str, object]:
    """The first message. `reference` is `Reference.public()`; `params` are JSON values."""
    return {"job": {"name": job, "reference": reference}, "params": params, "run": run}


def stop_order(*, interrupt: bool = False) -> dict[str, object]:
    """`interrupt`: as Ctrl+C does, since the job waits for input and does not ask running()."""
    return {"stop": True, "interrupt": interrupt}


def report_order(number: int) -> dict[str, object]:
    return {"report": number}


def masked_order(number: int) -> dict[str, object]:
    """The secret of the `Mask` with that number is known, to all output from here on."""
    return {"masked": number}


# What the child tells


@dataclass(frozen=True, slots=True)
class Dumps:
    """Where faulthandler writes (`dumps.take_dump`), and the thread that is not the job's."""

    descriptor: int  # of the child
    control: int  # native id


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
class Hidden:
    """What the child reads from now on is to be hidden, or no longer; it waits as for `Mask`."""

    hidden: bool
    number: int


@dataclass(frozen=True, slots=True)
class Threads:
    """The answer to ``report_order(number)``: the `threads` of the protocol's report."""

    number: int
    threads: list[dict[str, Any]]


Tell = Ready | Progress | Mask | Hidden | Threads | Exit


def read_tell(message: Mapping[str, Any]) -> Tell:
    """What a message of the child says. Raises BadMessage."""
    try:
        if "progress" in message:
            return _progress(message["progress"])
        if "mask" in message:
            return Mask(_secret(message["mask"]), _whole(message["number"]))
        if "hidden" in message:
            return Hidden(message["hidden"] is True, _whole(message["number"]))
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
    return Dumps(_whole(said["descriptor"]), _whole(said["control"]))


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
