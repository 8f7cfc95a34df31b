"""Which frames of a stack are not the job's: those of what runs it."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
# How our code comes to run, and how it imports the job's.
_AROUND = (os.path.join(os.path.dirname(_HERE), "flaskthread.py"), "<frozen ")


def is_ours(file: str) -> bool:
    """Whether code of `file` stands between the interpreter and a job's own."""
    if os.path.dirname(file) == _HERE or file.startswith(_AROUND):
        return True
    loaded = sys.modules.get("asyncio")
    return loaded is not None and os.path.dirname(file) == os.path.dirname(loaded.__file__ or "")


def without_ours(stack: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A stack of a report, innermost last, from the first frame of the job's; all if none is."""
    begin = 0
    while begin < len(stack) and _is_around(stack[begin]["file"]):
        begin += 1
    return stack[begin:] or stack


def _is_around(file: str) -> bool:
    # The modules that start threads and programs are found in the same place in any process.
    return is_ours(file) or file == threading.__file__ or file.endswith("/runpy.py")
