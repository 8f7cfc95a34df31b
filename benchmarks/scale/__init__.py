"""What one node and one worker carry, and what follows for many (docs/scaling.md)."""

from benchmarks.scale.parts import main

__all__ = ["main"]
