"""Prints every byte there is, in an order that is no text, and line ends of all kinds."""

import os

os.write(1, bytes(range(256)) * 4 + b"\r\n\n\r\x00\x04\x03" + b"\xff\xfe" + b"\xe4")
