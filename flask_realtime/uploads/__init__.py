"""Files that are sent for one run."""
