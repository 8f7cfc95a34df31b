"""A file system in memory, for fsspec, whose calls fail or hang when a test says so."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

PROTOCOL = "faulty"


class FaultyFiles(MemoryFileSystem):
    """`faults`: what the call of a name raises, or an event for which it waits."""

    protocol = PROTOCOL
    cachable = False
    faults: ClassVar[dict[str, BaseException | threading.Event]] = {}
    calls: ClassVar[list[tuple[str, str]]] = []  # name and path of each

    def pipe_file(self, path: str, *args: Any, **options: Any) -> Any:
        self._meet("write", path)
        return super().pipe_file(path, *args, **options)

    def cat_file(self, path: str, *args: Any, **options: Any) -> Any:
        self._meet("read", path)
        return super().cat_file(path, *args, **options)

    @classmethod
    def reset(cls) -> None:
        cls.faults.clear()
        cls.calls.clear()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return MemoryFileSystem._strip_protocol(
            path.replace(f"{PROTOCOL}://", "memory://") if isinstance(path, str) else path
        )

    def _meet(self, name: str, path: str) -> None:
        self.calls.append((name, path))
        fault = self.faults.get(name)
        if isinstance(fault, threading.Event):
            fault.wait(60)
        elif fault is not None:
            raise fault


fsspec.register_implementation(PROTOCOL, FaultyFiles, clobber=True)
