"""Answer errors over HTTP: problem details (``web.api.problem``) for programs, a page for people."""

from __future__ import annotations

import errno
import logging

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from search.errors import DiskFullError, LikewiseError
from web.api.problem import CONTENT_TYPE, problem
from web.bodies import why_too_large

log = logging.getLogger(__name__)

STATUS_OF = {
    "usage": 400,
    "not_allowed": 403,
    "not_found": 404,
    "confirmation_required": 409,
    "key_reused": 422,
    "key_in_use": 409,
    "unsupported": 415,
    "too_large": 413,
    "empty": 422,
    "unreadable": 422,
    "corrupt": 422,
    "timeout": 422,
    "decoder_crash": 422,
    "out_of_memory": 422,
    "decoder_start": 503,
    "model": 503,
    "training": 503,
    "store_unavailable": 503,
    "store_locked": 409,
    "space_mismatch": 409,
    "disk_full": 507,
    "ledger": 503,
    "broker_unavailable": 503,
    "message_refused": 502,
    "no_worker": 503,
    "workers_busy": 503,
    "lease_lost": 409,
    "ledger_unavailable": 503,
    "backup": 409,
}
"""HTTP status of each stable error code (``search.errors``); all others are 500."""

_HTTP_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method",
    413: "too_large",
    429: "throttled",
}


class Refusal(LikewiseError):
    """The request is not allowed: a wrong token, origin, host or form."""

    code = "forbidden"

    def __init__(self, status: int, message: str, hint: str = "", *, retry_after: int | None = None) -> None:
        """
        Args:
            retry_after: seconds until it may be sent again, where that helps.
        """
        super().__init__(message, hint)
        self.status, self.retry_after = status, retry_after


def install_error_handlers(app: Flask) -> None:
    """Register handlers that answer every error as JSON or as a page."""
    app.register_error_handler(LikewiseError, _likewise_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OSError, _os_error)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Whether to answer JSON: for all paths below ``/api``, and for clients that do not ask for HTML by name, as every
    browser does."""
    if request.path.startswith("/api/") or request.path in {"/openapi.json", "/healthz", "/readyz", "/metrics"}:
        return True
    named = {name for name, quality in request.accept_mimetypes if quality > 0}
    return not named & {"text/html", "application/xhtml+xml"} or (
        request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )


def answer_error(status: int, code: str, message: str, hint: str = "") -> Response:
    if wants_json():
        response = jsonify(problem(status, code, message, hint, request.path))
        response.content_type = CONTENT_TYPE
    else:
        response = make_response(render_template("error.html", status=status, code=code, message=message, hint=hint))
    response.status_code = status
    return response


def _likewise_error(error: LikewiseError) -> Response:
    if isinstance(error, Refusal):
        refused = answer_error(error.status, _HTTP_CODES.get(error.status, "forbidden"), error.message, error.hint)
        if error.retry_after is not None:
            refused.headers["Retry-After"] = str(error.retry_after)
        return refused
    status = STATUS_OF.get(error.code, 500)
    if status >= 500:
        log.error("%s %s: %s", request.method, request.path, error)
    response = answer_error(status, error.code, error.message, error.hint)
    if error.retryable:
        response.headers["Retry-After"] = "5"
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    code = _HTTP_CODES.get(status, "usage" if 400 <= status < 500 else "error")
    if status == 413:
        return answer_error(status, code, *why_too_large(request.max_content_length or 0))
    if status == 404:
        return answer_error(status, code, f"There is nothing at {request.path}.")
    if 300 <= status < 400:
        return make_response(error.get_response())
    response = answer_error(status, code, error.description or error.name)
    for name, value in error.get_headers():
        if name in {"Allow", "Content-Range", "Accept-Ranges"}:
            response.headers[name] = value
    return response


def _os_error(error: OSError) -> Response:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        full = DiskFullError("The disk is full.", "Free some space and ask again.")
        return _likewise_error(full)
    return _unexpected(error)


def _unexpected(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return answer_error(500, "error", "Something went wrong inside Likewise.", "The log of the server says what.")
