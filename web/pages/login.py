"""Login: by the token, or by an address with a code that works once."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from web.auth import Guard

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def page() -> Response:
    """The form. With a code in the address, begin a session and go on to an address without it."""
    guard: Guard = current_app.extensions["guard"]
    target = _local_path(request.args.get("next", "/"))
    code = request.args.get("code")
    if code is None:
        return _form(target)
    if guard.is_inside() or guard.log_in_by_code(code):
        return redirect(target, 303)
    return _form(target, "used", 401)


def _form(target: str, problem: str = "", status: int = 200) -> Response:
    return make_response(render_template("login.html", next=target, problem=problem), status)


@blueprint.post("/login")
def submit() -> Response:
    guard: Guard = current_app.extensions["guard"]
    target = _local_path(request.form.get("next", "/"))
    if guard.log_in(request.form.get("token", "")):
        return redirect(target, 303)
    return _form(target, "wrong", 401)


@blueprint.post("/logout")
def log_out() -> Response:
    current_app.extensions["guard"].log_out()
    return redirect("/login", 303)


def _local_path(target: str) -> str:
    """Target after the login if it is on this site, else ``/``.

    Browsers take ``\\`` for ``/`` and leave out tabs and line breaks, so that ``/\\elsewhere`` and ``/<tab>/elsewhere``
    are other sites. Source: WHATWG URL Standard, 4.4.
    """
    is_local = target.startswith("/") and not target.startswith("//")
    return target if is_local and target.isprintable() and "\\" not in target else "/"
