"""What the runs of the fault tests print: any piece of it can be told from its offset."""

from __future__ import annotations

from zlib import crc32

LINE_BYTES = 64


def line(tag: str, number: int) -> str:
    """Line `number`, counted from 0, of the run that was started with `tag`."""
    told = f"{tag} {number:010d}"
    return f"{told} {crc32(told.encode()):08x} ".ljust(LINE_BYTES - 1, ".") + "\n"


def expected(tag: str, offset: int, size: int) -> bytes:
    """Bytes `offset` to `offset + size` of such a run's output."""
    first, skipped = divmod(offset, LINE_BYTES)
    last = -(-(offset + size) // LINE_BYTES)
    lines = "".join(line(tag, number) for number in range(first, last)).encode()
    return lines[skipped : skipped + size]
