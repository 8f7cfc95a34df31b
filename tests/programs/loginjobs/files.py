"""A job that is given a file."""

from pathlib import Path
from typing import Annotated

from flask_realtime import Upload, job


@job
def measure(running, file: Annotated[Path, Upload(max_mib=1)]):
    """Says how long the file is."""
    print(file.stat().st_size)
