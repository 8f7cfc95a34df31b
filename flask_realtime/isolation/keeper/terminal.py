"""The pseudo terminal of a run."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

_IUTF8 = 0o40000  # erasing a character erases all its bytes; the module does not name it
END_OF_FILE = b"\x04"


def open_terminal(columns: int, rows: int) -> tuple[int, int]:
    """The two ends of a new terminal: ours, which does not block, and the programs'.

    Input is by the line and echoed. Output is not processed: what a program prints arrives byte
    for byte, and a line ends as the program ended it.
    """
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    modes = termios.tcgetattr(theirs)
    modes[0] |= termios.ICRNL | _IUTF8
    modes[0] &= ~(termios.IXON | termios.IXOFF | termios.IMAXBEL)  # no byte holds the output up
    modes[1] &= ~termios.OPOST
    modes[3] |= termios.ICANON | termios.ECHO | termios.ISIG
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    resize(theirs, columns, rows)
    return ours, theirs


def resize(terminal: int, columns: int, rows: int) -> None:
    """Set its size; the kernel tells those who run on it."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def by_line(terminal: int) -> bool:
    """Whether input is given to programs by the line."""
    return bool(_local_modes(terminal) & termios.ICANON)


def hides(terminal: int) -> bool:
    """Whether a line that is typed now is not to be seen."""
    modes = _local_modes(terminal)
    return bool(modes & termios.ICANON) and not modes & termios.ECHO


def _local_modes(terminal: int) -> int:
    modes: int = termios.tcgetattr(terminal)[3]
    return modes
