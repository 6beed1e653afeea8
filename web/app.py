"""Make the Flask application of a node: guard, JSON API, media and pages."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from web.api import health, media
from web.api.description import document
from web.api.operation import register
from web.api.ports import NodePort
from web.auth import OPEN_ENDPOINTS, Guard
from web.bodies import MIB, install_body_limits, install_body_permission
from web.errors import install_error_handlers
from web.pages.install import PAGE_SCOPES, install_pages
from web.server.compression import install_compression
from web.server.deadlines import install_deadlines
from web.server.held_threads import HeldThreads
from web.server.static_files import install_static_files


def create_app(node: NodePort) -> Flask:
    """The web front end of ``node``. Models are loaded only when a query needs them."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["node"] = node
    app.extensions["held_threads"] = HeldThreads(node.settings.web_threads)
    install_error_handlers(app)
    install_compression(app)
    assets = install_static_files(app, Path(__file__).with_name("static"))
    install_body_limits(app, node.settings.max_upload_mb * MIB, OPEN_ENDPOINTS)
    scopes = {f"api.{operation.name}": operation.scope for operation in document.OPERATIONS}
    install_deadlines(app, node.settings.store_seconds, PAGE_SCOPES | scopes)
    guard = Guard(node.settings, node.token, node.access, PAGE_SCOPES | scopes)
    guard.install(app)
    install_body_permission(app)
    register(app, document.OPERATIONS)
    for blueprint in (health.blueprint, media.blueprint, document.blueprint):
        app.register_blueprint(blueprint)
    if proxies := node.settings.web_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    install_pages(app, guard, document.likewise_version(), assets)
    return app
