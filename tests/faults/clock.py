"""The clock of one process: libfaketime moves the wall clock, and the monotonic one stays."""

from __future__ import annotations

from pathlib import Path

from tests.support.loggedprocess import ROOT

LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")


class Clock:
    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self.move(0)

    @property
    def environ(self) -> dict[str, str]:
        """What a process is started with whose clock this is."""
        found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern[1:])]
        assert found, "libfaketime is not installed: tools/install_test_system.sh does it"
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": f"{Path(__file__).parent / 'faketime'}:{ROOT}",
        }

    def move(self, seconds: int) -> None:
        """From now on, or a second later, the clock is that far ahead of this machine's."""
        self._offset.write_text(f"{seconds:+d}\n")
