"""Prints lines of 80 characters: argv[1] bytes, 1 GB if there is none."""

import sys

size = int(sys.argv[1]) if len(sys.argv) > 1 else 10**9
block = b"".join(b"%079d\n" % number for number in range(1000))
while size > 0:
    sys.stdout.buffer.write(block[:size])
    size -= len(block)
