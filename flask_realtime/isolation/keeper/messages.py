"""What the server and a keeper say to each other: a JSON object a line. No I/O.

Server → keeper, first what to run (`setup` in keeper.py), then orders; keeper → server, tells.

| order | |
|---|---|
| `{"stop": n}` | it was asked to end: count who ends; signal `n` to its group, unless 0 |
| `{"force": true}` | end the tree now |
| `{"input": text}`, `{"end_input": true}` | bytes to read, as Latin-1; there are no more |
| `{"report": n}` | tell of all processes, in a moment |

| tell | |
|---|---|
| `{"started": pid, "group": folder}` | of the main process; its control group, or null |
| `{"failed": reason, "code": n}` | it could not be started; nothing follows |
| `{"watching": true}` | after `{"stop": 0}`: from here on who ends is counted |
| `{"waiting": {"hidden", "bytes"}}`, `{"waiting": null}` | for input, after so many bytes |
| `{"taken": n}` | bytes of input that it has room for again |
| `{"report": n, "processes": [...], "cpu_percent", "computing", \
"waiting_for_room"}` | sampling.py |
| `{"exit": status, "bound", "how", "ended", "left"}` | how the main process ended: status as of \
os.waitpid, or null; how: "itself", "term" or "kill" |
"""

from __future__ import annotations

import json
from typing import Any

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """The line of a message."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


class Decoder:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> list[Message]:
        """The messages that end in `data`."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        return [json.loads(line) for line in lines]
