"""One row of the table of settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. `default` is text, as in the environment; empty text means the default.

    `parse` turns text into the value; it takes the folder that relative paths start from as well,
    and raises ValueError with what is expected.
    """

    name: str
    default: str
    unit: str
    parse: Callable[[str, Path], object]
    help: str
    example: str
