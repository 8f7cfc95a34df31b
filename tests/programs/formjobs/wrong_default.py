"""Cannot be loaded: a default that its type refuses."""

from flask_realtime import job


@job
def wrong(running, lines: int = "many"):  # type: ignore[assignment]
    """Never a job."""
