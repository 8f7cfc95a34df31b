"""The calls of the API that take files for runs."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from flask_realtime.engine import Engine
from flask_realtime.errors import RealtimeError
from flask_realtime.server.httpprotocol import BE_LAST

CONTENT_TYPE = "application/octet-stream"
UPLOAD = "upload"  # the endpoint


def add_upload_calls(api: Blueprint, engine: Engine, user: Callable[[], str]) -> None:
    """Add the calls to `api`; `user()` says who asks, and raises NotLoggedIn."""

    @api.post("/uploads", endpoint=UPLOAD)
    def upload() -> tuple[Response, int]:
        name = request.args.get("name", "")
        if not name:
            raise RealtimeError('"name" must be the name of the file: POST /api/uploads?name=...')
        stored = engine.uploads.receive(user(), name, request.stream.read)
        return jsonify(upload=stored.id, name=stored.name, bytes=stored.bytes), 201

    @api.delete("/uploads/<upload_id>")
    def remove(upload_id: str) -> Response:
        engine.uploads.delete(user(), upload_id)
        return Response(status=204)


def bound_upload(engine: Engine) -> None:
    """Say how long the body of this request may be, before anybody looks at it.

    Raises RealtimeError for a body that is none of a file, UploadTooLarge where it says its length.
    A form would be read into memory and temporary files by whoever asks for its fields.
    """
    if request.mimetype != CONTENT_TYPE:
        raise RealtimeError(f"send the file itself, with Content-Type: {CONTENT_TYPE}", status=415)
    engine.uploads.check_size(request.content_length or 0)
    # One more: Werkzeug takes a chunked body for too long once it is as long.
    request.max_content_length = engine.uploads.max_bytes + 1


def leave_the_body() -> None:
    """Close the connection after the answer, rather than take in a file that is not wanted."""
    be_last = request.environ.get(BE_LAST)
    if be_last is not None:
        be_last()
