#!/usr/bin/env python3
"""Prints what it was started with, as JSON; bytes as Latin-1."""

import json
import os
import sys

told = {
    "argv": [os.fsencode(each).decode("latin-1") for each in sys.argv],
    "cwd": os.getcwd(),
    "environ": {
        name.decode("latin-1"): value.decode("latin-1") for name, value in os.environb.items()
    },
    "terminal": [os.isatty(number) for number in (0, 1, 2)],
}
print(json.dumps(told))
