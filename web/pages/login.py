"""Login form of a node with a token."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from web.auth import Guard

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def page() -> str:
    return render_template("login.html", next=_local_path(request.args.get("next", "/")), wrong=False)


@blueprint.post("/login")
def submit() -> Response:
    guard: Guard = current_app.extensions["guard"]
    target = _local_path(request.form.get("next", "/"))
    if guard.log_in(request.form.get("token", "")):
        return redirect(target, 303)
    return make_response(render_template("login.html", next=target, wrong=True), 401)


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
