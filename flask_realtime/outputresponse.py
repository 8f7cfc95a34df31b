"""The output of a run as an HTTP response: the exact bytes, streamed, from any offset."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from flask_realtime import host
from flask_realtime.engine import Engine
from flask_realtime.errors import BadOffset
from flask_realtime.runs import Run
from flask_realtime.tail import Gap

READ_BYTES = 1 << 18  # of the output at a time, about
READ_ENTRIES = 64  # of Redis at a time: at most 4 MiB
GONE_CHECK_SECONDS = 5.0  # how often a silent stream looks whether its client is still there


def output_response(engine: Engine, run: Run, offset: int, *, follow: bool) -> Response:
    """Return the output from byte `offset` on, up to its present end or, to follow, up to its last.

    `X-Output-Offset` says where it begins: later than asked for when bytes there are no longer
    kept. A Range header counts from the beginning of the output and excludes `offset` and
    following. Raises BadOffset and StoreUnavailable.
    """
    end = engine.outputs.end(run)
    until: int | None = None if follow else end
    ranged = None if follow else request.range
    if ranged is not None:
        wanted = ranged.range_for_length(end)
        if wanted is None:
            raise RequestedRangeNotSatisfiable(length=end)
        offset, until = wanted
    if offset > end:
        raise BadOffset(f"offset {offset} is beyond the output, which has {end} bytes so far")
    first = engine.log.read(run.id, offset, 1, 1)
    if first and isinstance(first[0], Gap):
        offset = first[0].end if until is None else min(first[0].end, until)
    connection = host.Connection(request.environ)
    stream = _stream(engine, run, offset, until, connection)
    if follow:
        stream = _watching(engine, run, stream)
    response = Response(stream, mimetype="text/plain")
    response.headers["X-Output-Offset"] = str(offset)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx passes a stream on as it comes
    if until is not None:
        response.content_length = until - offset
    if ranged is not None and until is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {offset}-{until - 1}/{end}"
    return response


def _watching(engine: Engine, run: Run, stream: Iterator[bytes]) -> Iterator[bytes]:
    """Let whoever reads `stream` count as a viewer (docs/retention.md)."""
    with engine.unwatched.watching(run.id):
        yield from stream


def _stream(
    engine: Engine, run: Run, cursor: int, until: int | None, connection: host.Connection
) -> Iterator[bytes]:
    while until is None or cursor < until:
        ended = engine.outputs.ended(run)
        items = engine.log.read(run.id, cursor, READ_BYTES, READ_ENTRIES)
        if not items:
            if ended or connection.gone():
                return
            engine.log.wait(run.id, GONE_CHECK_SECONDS)
        for item in items:
            if isinstance(item, Gap):
                # Part of it went away under the reader: break off, so that it cannot be taken
                # for the whole.
                raise ConnectionAbortedError(f"bytes {item.offset} to {item.end} are gone")
            data = item.data if until is None else item.data[: until - cursor]
            cursor += len(data)
            yield data
            if cursor == until:
                return
