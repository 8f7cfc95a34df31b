"""Where a run runs: one file an executor."""
