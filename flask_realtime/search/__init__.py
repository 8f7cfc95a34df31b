"""The search in the output of runs."""
