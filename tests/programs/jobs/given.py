"""Jobs that are given files and secrets."""

import hashlib
import sys
import time
from pathlib import Path
from typing import Annotated, Any

from flask_realtime import Secret, Upload, job


def _told(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while data := opened.read(1 << 20):
            digest.update(data)
    return f"{file.name} {file.stat().st_size} {digest.hexdigest()} {file}"


@job
def digest(
    running,
    file: Annotated[Path, Upload(max_mib=100)],
    other: Annotated[Path, Upload(max_mib=0.001)] | None = None,
    hold: bool = False,
):
    """Says what is in the files that it gets."""
    for each in filter(None, (file, other)):
        print(_told(each))
    while hold and running():
        time.sleep(0.01)


@job(isolation="process")
def digest_apart(running, file: Annotated[Path, Upload()], hold: bool = False):
    """Does it in a process of its own."""
    print(_told(file))
    while hold and running():
        time.sleep(0.01)


def _give_away(password: Secret, pin: Secret | None) -> None:
    print(f"password {password} {password!r} {type(password).__name__} {len(password)}")
    print(f"pin {pin!r}")
    print(password, file=sys.stderr)
    raise LookupError(password)


@job
def knock(running, password: Secret, pin: Secret | None = None):
    """Prints its password wherever it can."""
    _give_away(password, pin)


@job(isolation="process")
def knock_apart(running, password: Secret, pin: Secret | None = None):
    """Does it in a process of its own."""
    _give_away(password, pin)


@job
def anything(running, text: str = "", numbers: list[float] | None = None, data: Any = None):
    """Takes whatever JSON has."""
    print(text, numbers, data)
