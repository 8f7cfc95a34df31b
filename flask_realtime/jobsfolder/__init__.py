"""Jobs out of a folder: Python files, and executables with a TOML file beside them."""
