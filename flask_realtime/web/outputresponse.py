"""The output of a run as an HTTP response: streamed from any offset, exact or as text."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, groupby

from flask import Response, request
from werkzeug.datastructures import Range
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from flask_realtime import host
from flask_realtime.begunline import BegunLine, begun_line
from flask_realtime.engine import Engine
from flask_realtime.errors import (
    ArchiveUnavailable,
    BadOffset,
    RealtimeError,
    StoreUnavailable,
)
from flask_realtime.logreader import LogReader
from flask_realtime.outputlog import OutputLog
from flask_realtime.runs import Run
from flask_realtime.tail import Chunk, Gap, Item
from flask_realtime.web.outputencoding import Encoder, TextOutput, to_next_character

logger = logging.getLogger(__name__)

READ_BYTES = 1 << 18  # of the output at a time, about
GONE_CHECK_SECONDS = 5.0  # how often a silent stream looks whether its client is still there
BEFORE_BYTES = 1 << 14  # of a line, in which an escape sequence may have begun
LEAST_PACKED = 1024  # bytes of a response that gzip is worth it for
OFFLOADED = 1 << 14  # bytes that take long enough to be encoded on a native thread


@dataclass(frozen=True)
class Wanted:
    """What a request asks of a run's output.

    It begins at byte `offset`, or at `line`. It ends where the output does now, or, to `follow`,
    with the run. `is_text`: UTF-8 without escape sequences; otherwise the exact bytes.
    """

    offset: int = 0
    line: int | None = None
    follow: bool = False
    is_text: bool = False
    is_download: bool = False


def output_response(engine: Engine, run: Run, wanted: Wanted) -> Response:
    """Return the output as `wanted`.

    `X-Output-Offset` and `X-Output-Line` say where it begins: later than asked for when bytes there
    are no longer kept. A Range header counts from the beginning of the output, and excludes
    `offset`, `line`, following and gzip. What goes away while it is sent breaks the answer off.
    Raises BadOffset, BadLine, LineGone, UnknownRun, StoreUnavailable and ArchiveUnavailable.
    """
    while True:
        try:
            return _response(engine, run, wanted)
        except ConnectionAbortedError:  # retention was there between two looks: see what is left
            run = engine.runs.get(run.id)


def _response(engine: Engine, run: Run, wanted: Wanted) -> Response:
    """Raises ConnectionAbortedError as well: the beginning is not there any more."""
    offset, until, end = _span(engine, run, wanted)
    begin, kept, line = _beginning(engine.log, run.id, offset, wanted)
    is_range = until is not None and _asked_range() is not None
    if until is not None and kept >= until:
        if is_range:
            raise RequestedRangeNotSatisfiable(length=end)
        kept = until
    packs = not is_range and request.accept_encodings["gzip"] > 0
    if until is not None and until - kept < LEAST_PACKED:
        packs = False
    text = TextOutput(line.before) if wanted.is_text else None
    encoder = Encoder(text, gzip=packs, flushes=wanted.follow)
    is_exact = not packs and text is None
    items = _items(engine, run, begin, until, host.Connection(request.environ))
    stream = _stream(items, encoder, computes=not is_exact)
    if not wanted.follow:
        first = next(stream, b"")
        stream = chain((first,), stream) if first else stream
    stream = _aborted(run, stream)
    if wanted.follow:
        stream = _watching(engine, run, stream)
    response = Response(stream, mimetype="text/plain")
    headers = response.headers
    headers["X-Output-Offset"] = str(kept)
    headers["X-Output-Line"] = str(line.number)
    headers["Accept-Ranges"] = "none" if wanted.is_text or wanted.follow else "bytes"
    headers["Cache-Control"] = "no-store"
    headers["X-Accel-Buffering"] = "no"  # nginx passes a stream on as it comes
    response.vary.add("Accept-Encoding")
    if packs:
        headers["Content-Encoding"] = "gzip"
    if wanted.is_download:
        headers["Content-Disposition"] = f'attachment; filename="{_file_name(run, wanted)}"'
    if until is not None and is_exact:
        response.content_length = until - kept
    if is_range and until is not None:
        response.status_code = 206
        headers["Content-Range"] = f"bytes {kept}-{until - 1}/{end}"
    return response


def _span(engine: Engine, run: Run, wanted: Wanted) -> tuple[int, int | None, int]:
    """Where to begin, where to end (None: with the run), and where the output ends now."""
    offset = wanted.offset
    if wanted.line is not None:
        offset = engine.log.offset_of_line(run.id, wanted.line)
    end = engine.outputs.end(run)
    if offset > end:
        raise BadOffset(f"offset {offset} is beyond the output, which has {end} bytes so far")
    if wanted.follow:
        return offset, None, end
    ranged = _asked_range()
    if ranged is None:
        return offset, end, end
    if wanted.is_text:
        raise RealtimeError("a Range counts the exact bytes: ask for it with format=raw")
    found = ranged.range_for_length(end)
    if found is None:
        raise RequestedRangeNotSatisfiable(length=end)
    return *found, end


def _asked_range() -> Range | None:
    """The request's Range, if it counts bytes: another unit is to be ignored (RFC 9110, 14.2)."""
    ranged = request.range
    return ranged if ranged is not None and ranged.units == "bytes" else None


def _beginning(log: OutputLog, run: str, offset: int, wanted: Wanted) -> tuple[int, int, BegunLine]:
    """From where on to read, the first byte that is there, and what comes before it in its line.

    Exact bytes begin behind a gap; a text says that it is there, and begins with a character.
    """
    kept = offset
    while (first := log.read(run, kept, 1, 1)) and isinstance(first[0], Gap):
        kept = first[0].end
    if not wanted.is_text:
        return kept, kept, BegunLine(log.line_of(run, kept), kept)
    if kept > offset:
        return offset, kept, BegunLine(log.line_of(run, kept), kept)
    if offset and first and isinstance(first[0], Chunk):
        kept += to_next_character(first[0].data)
    return kept, kept, begun_line(log, run, kept, BEFORE_BYTES)


def _file_name(run: Run, wanted: Wanted) -> str:
    job = re.sub(r"[^A-Za-z0-9._-]+", "_", run.job)
    return f"{job}-{run.id}{'.txt' if wanted.is_text else '.log'}"


def _watching(engine: Engine, run: Run, stream: Iterator[bytes]) -> Iterator[bytes]:
    """Let whoever reads `stream` count as a viewer (docs/retention.md)."""
    with engine.unwatched.watching(run.id):
        yield from stream


def _stream(items: Iterator[list[Item]], encoder: Encoder, *, computes: bool) -> Iterator[bytes]:
    """The response's body, a piece for each read; constant in memory."""
    for each in items:
        size = sum(len(item.data) for item in each if isinstance(item, Chunk))
        if computes and size > OFFLOADED:
            data = host.offload(encoder.feed, each)
        else:
            data = encoder.feed(each)
        if data:
            yield data
    if rest := encoder.end():
        yield rest


def _aborted(run: Run, stream: Iterator[bytes]) -> Iterator[bytes]:
    """Log it when an answer is broken off."""
    try:
        yield from stream
    except ConnectionAbortedError as error:
        text = "broke an answer with the output of run %s off: %s"
        logger.warning(text, run.id, error, extra=run.named)
        raise


def _items(
    engine: Engine, run: Run, cursor: int, until: int | None, connection: host.Connection
) -> Iterator[list[Item]]:
    """The output in [cursor, until), or up to the run's end, as it can be read.

    Raises ConnectionAbortedError when the run is removed meanwhile.
    """
    reader = LogReader(engine.log, run.id, READ_BYTES)
    due = run.output_bytes if until is None and run.final else until or 0
    while until is None or cursor < until:
        ended = engine.outputs.ended(run)
        try:
            is_end = not ended and engine.log.mirrors.is_end(run.id, cursor)
            items = [] if is_end else reader.read(cursor)
        except BadOffset:  # the run is no longer known, so that it has no bytes
            items = []
        except (StoreUnavailable, ArchiveUnavailable):
            if connection.gone():
                return
            with host.Timeout(GONE_CHECK_SECONDS, False):
                engine.log.wait_readable()
            continue
        if items:
            items = [item for item in items if until is None or item.offset < until]
            last = items[-1]
            cursor = last.end
            if until is not None and cursor > until and isinstance(last, Chunk):
                items[-1] = replace(last, data=last.data[: until - last.offset])
            for _, alike in groupby(items, lambda item: isinstance(item, Gap)):
                yield list(alike)  # what comes before a gap goes out before it
        elif ended:
            if cursor < due:
                raise ConnectionAbortedError(f"bytes {cursor} to {due} are gone")
            return
        elif connection.gone():
            return
        else:
            engine.log.wait(run.id, cursor, GONE_CHECK_SECONDS)
