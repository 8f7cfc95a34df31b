"""Commands as jobs: programs with arguments out of parameters."""
