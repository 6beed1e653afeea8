"""Make the Flask application of a node: guard, JSON API, media and pages."""

from __future__ import annotations

import threading

from flask import Blueprint, Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from web.api import health, media, openapi
from web.api.jobs import STREAMS_OF_THREADS
from web.api.operation import PREFIX, register
from web.api.ports import NodePort
from web.auth import Guard
from web.errors import install_error_handlers
from web.pages.install import PAGE_SCOPES, install_pages

MIB = 1 << 20
FORM_OVERHEAD = 64 * 1024
"""Bytes by which a multipart body may exceed its file."""


def create_app(node: NodePort) -> Flask:
    """The web front end of ``node``. Models are loaded only when a query needs them."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = node.settings.max_upload_mb * MIB + FORM_OVERHEAD
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["node"] = node
    app.extensions["streams"] = threading.BoundedSemaphore(max(1, node.settings.web_threads // STREAMS_OF_THREADS))
    install_error_handlers(app)
    scopes = {f"api.{operation.name}": operation.scope for operation in openapi.OPERATIONS}
    guard = Guard(node.settings, node.token, node.access, PAGE_SCOPES | scopes)
    guard.install(app)
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    register(api, openapi.OPERATIONS)
    for blueprint in (api, health.blueprint, media.blueprint, openapi.blueprint):
        app.register_blueprint(blueprint)
    if proxies := node.settings.web_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    install_pages(app, guard, openapi.likewise_version())
    return app
