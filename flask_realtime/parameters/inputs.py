"""What a parameter may be beside what Python has: a secret, an upload, a text of several lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec

from flask_realtime.errors import RealtimeError

MIB = 1 << 20


class Secret(str):
    """A parameter that nobody is to see: ``password: Secret``.

    The job gets the text itself; its repr is ``***``. The page hides what is typed in, and the
    run's record has ``***`` in its place. From 8 characters on, `masking.LEAST_LENGTH`, it is
    masked in the run's output, wherever it is printed.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent for one run: ``report: Annotated[Path, Upload(max_mib=10)]``.

    The job gets the path of a file with the name that it had, which is gone after the run.
    `max_mib` bounds its size, beside the setting MAX_UPLOAD_MIB for all.
    """

    max_mib: float = 100

    def __post_init__(self) -> None:
        size = self.max_mib
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1e9:
            raise RealtimeError(f"Upload(max_mib={size!r}) is wrong: expected a number above 0")

    @property
    def max_bytes(self) -> int:
        return int(self.max_mib * MIB)


class UploadId(str):
    """The id of an upload, as `bind` returns it: a file once a run has claimed it."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{32}")


# A text that may have several lines: ``notes: MultiLine``. For the job it is a str.
MultiLine: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "multi-line"})]
