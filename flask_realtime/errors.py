"""What can go wrong: one root class, a code for programs, a sentence for people."""

from __future__ import annotations


class RealtimeError(Exception):
    """The root of all errors that this library raises on purpose.

    `code` is the stable name that socket clients get in ``{"error": {"code", "message"}}``;
    `status` is the HTTP status that the same error has in the API. The message says what happened,
    with which value, and what to do.
    """

    code = "bad_request"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.status = status or type(self).status


class ConfigurationError(RealtimeError):
    """The program cannot start as it is configured: one line a fault; it ends with exit code 2."""

    code = "configuration"
    status = 500

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class NotLoggedIn(RealtimeError):
    code = "not_logged_in"
    status = 401


LOG_IN = "you are not logged in, or not any more: load the page again to log in"


class UnknownJob(RealtimeError):
    code = "unknown_job"
    status = 404


class BadParameters(RealtimeError):
    code = "bad_parameters"
    status = 422


class UnknownRun(RealtimeError):
    code = "unknown_run"
    status = 404


class BadOffset(RealtimeError):
    code = "bad_offset"
    status = 416


class BadLine(RealtimeError):
    """There is no such line: the output has fewer, or the number is none."""

    code = "bad_line"
    status = 416


class LineGone(RealtimeError):
    """The line was there, and is no longer kept."""

    code = "line_gone"
    status = 410


class BadPattern(RealtimeError):
    code = "bad_pattern"


class TooManySearches(RealtimeError):
    code = "too_many_searches"
    status = 429


class TooManyRuns(RealtimeError):
    code = "too_many_runs"
    status = 429


class TooManyViewers(RealtimeError):
    code = "too_many_viewers"
    status = 429


class TooManyRequests(RealtimeError):
    code = "too_many_requests"
    status = 429


class TooManyUploads(RealtimeError):
    code = "too_many_uploads"
    status = 429


class UploadTooLarge(RealtimeError):
    code = "upload_too_large"
    status = 413


class UnknownUpload(RealtimeError):
    code = "unknown_upload"
    status = 404


class UploadFailed(RealtimeError):
    """The file cannot be stored here: no room, or no folder."""

    code = "upload_failed"
    status = 507


class NotRunning(RealtimeError):
    code = "not_running"
    status = 409


class InputFull(RealtimeError):
    """A run has not read what it was given to read."""

    code = "input_full"
    status = 429


class StoreUnavailable(RealtimeError):
    """Redis does not answer. What was printed is kept and written once it does."""

    code = "store_unavailable"
    status = 503


class ArchiveUnavailable(RealtimeError):
    """The archive of older output does not answer. What is there can be read once it does."""

    code = "archive_unavailable"
    status = 503


class ExecutorUnavailable(RealtimeError):
    """What hands runs to workers does not answer. They wait in line until it does."""

    code = "executor_unavailable"
    status = 503


class ShuttingDown(RealtimeError):
    code = "shutting_down"
    status = 503
