"""Where the frames of a WebSocket begin and end in what passes; RFC 6455, section 5.2.

A Close frame can be put between two others, not into one: so their lengths are counted, and
nothing else of them is looked at. No input or output here.
"""

from __future__ import annotations

import os
import struct

_CLOSE = 8  # an opcode
_GOING_AWAY = struct.pack("!H", 1001)
_HEAD_BYTES = 10  # at most, without the mask
_MASK_BYTES = 4

TO_VISITOR = bytes([0x80 | _CLOSE, len(_GOING_AWAY)]) + _GOING_AWAY


def to_upstream() -> bytes:
    """The Close frame of a client, which is masked with bytes that nobody foresees."""
    mask = os.urandom(_MASK_BYTES)
    masked = bytes(byte ^ key for byte, key in zip(_GOING_AWAY, mask, strict=False))
    return bytes([0x80 | _CLOSE, 0x80 | len(_GOING_AWAY)]) + mask + masked


class Frames:
    """What one side of a tunnel has sent so far."""

    __slots__ = ("_head", "_is_cut", "closed", "left")

    def __init__(self) -> None:
        self.left = 0  # bytes of the last frame that are still to come; its head is known
        self.closed = False  # a Close frame has begun; what comes after it counts for nothing
        self._head = b""  # of the frame that has begun, while it is not whole
        self._is_cut = False

    @property
    def is_between(self) -> bool:
        """Whether no frame is in the middle of its bytes."""
        return not self.left and not self._head

    @property
    def is_over(self) -> bool:
        """Whether the side has said that it closes."""
        return self.closed and not self.left

    def pass_on(self, data: bytes | memoryview) -> None:
        """Note what the side has sent."""
        size = len(data)
        if size < self.left:  # in the middle of a large one
            self.left -= size
        else:
            self._walk(data, size)

    def cut(self, goodbye: bytes, data: bytes | memoryview = b"") -> bytes:
        """What to hand on, of `data` that came last, to one who is to hear `goodbye`.

        That is the rest of a frame that has begun, and `goodbye` after it, once; nothing then. No
        `goodbye` follows a Close frame of the side itself.
        """
        if self._is_cut:
            self.pass_on(data)
            return b""
        end = self._walk(data, len(data), is_one=True)
        words = bytes(data[:end])
        if self.is_between:
            self._is_cut = True
            words += b"" if self.closed else goodbye
            self.pass_on(data[end:])
        return words

    def _walk(self, data: bytes | memoryview, size: int, *, is_one: bool = False) -> int:
        """Note `data`; with `is_one`, only what belongs to the frame that has begun: its length."""
        at = min(self.left, size)
        self.left -= at
        while at < size and not self.closed and not (is_one and self.is_between):
            if not self._head and size - at >= _HEAD_BYTES:
                length = _length(data, at, size)
                self.closed = data[at] & 0x0F == _CLOSE
                at += length
            else:
                begun = len(self._head)
                head = self._head + bytes(data[at : at + _HEAD_BYTES - begun])
                length = _length(head, 0, len(head))
                if not length:
                    self._head = head
                    return size
                self._head = b""
                self.closed = head[0] & 0x0F == _CLOSE
                at += length - begun
            if at > size:
                self.left, at = at - size, size
        return at


def _length(data: bytes | memoryview, at: int, end: int) -> int:
    """The length of the frame at `at`, its head included; 0 while too little of it is there."""
    there = end - at
    if there < 2:
        return 0
    second = data[at + 1]
    size = second & 0x7F
    if size < 126:
        size += 2
    elif size == 126:
        if there < 4:
            return 0
        size = 4 + (data[at + 2] << 8 | data[at + 3])
    else:
        if there < _HEAD_BYTES:
            return 0
        size = _HEAD_BYTES + int.from_bytes(data[at + 2 : at + _HEAD_BYTES], "big")
    return size + _MASK_BYTES if second & 0x80 else size
