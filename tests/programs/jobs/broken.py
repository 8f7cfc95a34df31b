"""A file that does not load: it must break nothing else."""

raise RuntimeError("this file is broken on purpose")
