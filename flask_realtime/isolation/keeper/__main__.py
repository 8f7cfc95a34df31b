"""Where the keeper begins; run by its path: ``python -I -S .../keeper``, with no site-packages."""

from __future__ import annotations

import os
import sys

# Last, so that nothing that lies beside the library stands in for a module of Python's own.
sys.path.append(os.path.abspath(f"{__file__}/../../../.."))

from flask_realtime.isolation.keeper.keeper import main

if __name__ == "__main__":
    # Interpreters' own way out would flush and collect; there is nothing to.
    os._exit(main())
