"""The HTTP side: jobs, runs, and the output of a run as plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES

from flask_realtime.engine import Engine
from flask_realtime.errors import LOG_IN, NotLoggedIn, RealtimeError
from flask_realtime.history import Filter
from flask_realtime.runs import STATES
from flask_realtime.service import describe
from flask_realtime.web.outputapi import add_output_calls
from flask_realtime.web.requestargs import whole_number
from flask_realtime.web.uploadapi import UPLOAD, add_upload_calls, bound_upload, leave_the_body

DEFAULT_LIMIT = 50  # runs of a list when nothing is said
MAX_LIMIT = 200


def api_blueprint(engine: Engine, identify: Callable[[], str | None]) -> Blueprint:
    """Return the blueprint with the calls of the API; all errors are RFC 9457 problem details."""
    api = Blueprint("realtime_api", __name__)
    upload_endpoint = f"{api.name}.{UPLOAD}"

    def user() -> str:
        name = identify()
        if name is None:
            raise NotLoggedIn(LOG_IN)
        return name

    @api.before_app_request  # before all that looks into the body for a token
    def bound_the_body() -> None:
        if request.endpoint == upload_endpoint:
            bound_upload(engine)
        elif request.blueprint == api.name:
            request.max_content_length = engine.options.max_event_bytes

    @api.errorhandler(RealtimeError)
    def refused(error: RealtimeError) -> Response:
        if request.endpoint == upload_endpoint:
            leave_the_body()
        return problem(error.status, error.code, error.message)

    @api.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        name = (error.name or "error").lower().replace(" ", "_")
        response = problem(error.code or 500, name, error.description or "")
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response

    @api.get("/jobs")
    def jobs() -> Response:
        user()
        return jsonify({"jobs": engine.describe_jobs()})

    @api.post("/jobs/<name>/control")
    def control(name: str) -> Response:
        action = _json_object().get("action")
        return jsonify({"service": describe(engine.control(user(), name, action))})

    @api.post("/runs")
    def start() -> tuple[Response, int, dict[str, str]]:
        payload = _json_object()
        job = payload.get("job")
        if not isinstance(job, str):
            raise RealtimeError('"job" must be the name of a job')
        run = engine.start_run(user(), job, payload.get("params", {}))
        location = url_for("realtime_api.get_run", run_id=run.id)
        return jsonify(engine.outputs.present(run)), 201, {"Location": location}

    @api.get("/runs")
    def list_runs() -> Response:
        state = request.args.get("state")
        if state is not None and state not in STATES:
            raise RealtimeError(f'"state" must be one of {", ".join(STATES)}')
        wanted = Filter(
            request.args.get("job"),
            request.args.get("user"),
            tuple(STATES) if state is None else (state,),
        )
        limit = whole_number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        runs, following = engine.list_runs(
            user(), limit, wanted, before=request.args.get("before") or None
        )
        return jsonify({"runs": [engine.outputs.present(run) for run in runs], "next": following})

    @api.get("/runs/<run_id>")
    def get_run(run_id: str) -> Response:
        return jsonify(engine.outputs.present(engine.get_run(user(), run_id)))

    @api.post("/runs/<run_id>/stop")
    def stop(run_id: str) -> Response:
        force = _json_object(required=False).get("force", False)
        if not isinstance(force, bool):
            raise RealtimeError('"force" must be true or false')
        return jsonify(engine.outputs.present(engine.stop_run(user(), run_id, force=force)))

    @api.post("/runs/<run_id>/input")
    def give_input(run_id: str) -> Response:
        payload = _json_object()
        data, eof = payload.get("data", ""), payload.get("eof", False)
        engine.give_input(user(), run_id, data, eof=eof)
        return jsonify({})

    @api.get("/runs/<run_id>/report")
    def report(run_id: str) -> Response:
        return jsonify({"report": engine.report(user(), run_id)})

    add_output_calls(api, engine, user)
    add_upload_calls(api, engine, user)

    @api.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def no_such_call(rest: str) -> Response:
        # Errors of routing reach a blueprint's handlers only from a route of its own.
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        methods = ("GET", "POST", "DELETE")
        calls = {method: adapter.match(method=method)[0] for method in methods}
        allowed = [method for method, endpoint in calls.items() if endpoint != request.endpoint]
        raise MethodNotAllowed(allowed) if allowed else NotFound()

    return api


def problem(status: int, code: str, detail: str) -> Response:
    """An error as RFC 9457 has it; `code` is the one of the socket protocol."""
    response = jsonify(
        type="about:blank",
        title=HTTP_STATUS_CODES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
    )
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _json_object(*, required: bool = True) -> dict[str, Any]:
    """The request's body. Only JSON is taken: another site's form cannot send it unasked."""
    if not request.is_json:
        raise RealtimeError("send JSON, with Content-Type: application/json", status=415)
    if not required and not request.get_data():
        return {}
    try:
        payload = request.get_json(silent=True)
    except RecursionError:
        raise RealtimeError("the body is nested too deeply") from None
    if not isinstance(payload, dict):
        raise RealtimeError("the body must be one JSON object")
    return payload
