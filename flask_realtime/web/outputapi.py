"""The calls of the API that are about the output of one run."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from flask_realtime import host
from flask_realtime.engine import Engine
from flask_realtime.errors import BadLine, LineGone, RealtimeError
from flask_realtime.search.runsearch import RunSearch
from flask_realtime.search.searchpattern import Pattern
from flask_realtime.web.outputresponse import Wanted, output_response
from flask_realtime.web.requestargs import flag, whole_number

FORMATS = ("raw", "text")  # of an output: the exact bytes, or without escape sequences
DEFAULT_MATCHES = 100  # lines of a search when nothing is said
MOST_MATCHES = 1000
LARGEST = 10**15  # a line's number beyond it is no number


def add_output_calls(api: Blueprint, engine: Engine, user: Callable[[], str]) -> None:
    """Add the calls to `api`; `user()` says who asks, and raises NotLoggedIn."""
    searches = RunSearch(engine.log)

    @api.get("/runs/<run_id>/output")
    def output(run_id: str) -> Response:
        run = engine.get_run(user(), run_id)
        line = request.args.get("line")
        if line is not None and "offset" in request.args:
            raise RealtimeError('give either "offset" or "line"')
        kind = request.args.get("format", "raw")
        if kind not in FORMATS:
            raise RealtimeError(f'"format" must be one of {", ".join(FORMATS)}')
        wanted = Wanted(
            offset=whole_number("offset", 0, 0, None),
            line=None if line is None else line_number(line),
            follow=flag("follow"),
            is_text=kind == "text",
            is_download=flag("download"),
        )
        return output_response(engine, run, wanted)

    @api.get("/runs/<run_id>/lines/<number>")
    def line(run_id: str, number: str) -> Response:
        run = engine.get_run(user(), run_id)
        wanted = line_number(number)
        offset = engine.log.offset_of_line(run.id, wanted)
        return jsonify({"line": wanted, "offset": offset, "lines": _lines(run.id)})

    @api.get("/runs/<run_id>/search")
    def search(run_id: str) -> Response:
        run = engine.get_run(user(), run_id)
        limit = whole_number("limit", DEFAULT_MATCHES, 1, MOST_MATCHES)
        after = whole_number("after", 0, 0, None)
        pattern = Pattern(
            request.args.get("q", ""), is_regex=flag("regex"), match_case=flag("case")
        )
        connection = host.Connection(request.environ)
        found = searches.find(run.id, pattern, after=after, limit=limit, gone=connection.gone)
        return jsonify(found)

    def _lines(run_id: str) -> int:
        """How many lines there are; a last one without its line feed counts."""
        end, last = engine.log.end(run_id), engine.log.end_line(run_id)
        try:
            return last - (engine.log.offset_of_line(run_id, last) == end)
        except LineGone:
            return last


def line_number(text: str) -> int:
    """The number of a line as a request gives it. Raises BadLine."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= LARGEST:
        return int(text[:20])
    raise BadLine(f"a line's number is a whole one, 1 or more, not {text[:50]!r}")
