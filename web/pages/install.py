"""Register the pages, their navigation and their caches with a Flask application."""

from __future__ import annotations

from functools import lru_cache

from flask import Flask, request, url_for

from ingest.ledger.access import Scope
from search.errors import StoreError
from web.api.ports import NodePort
from web.auth import Guard
from web.pages import item, jobs, library, login, photographers, search
from web.pages.formats import install_formats
from web.pages.recent_uploads import OwnRecentUploads, SharedRecentUploads
from web.pages.tile_markup import install_tiles

NAVIGATION = {
    "search.page": "Search",
    "photographers.everyone": "Photographers",
    "library.duplicates": "Duplicates",
    "jobs.page": "Jobs",
    "jobs.failures": "Failures",
    "library.status": "Status",
}
"""Endpoint of each page that the head of every page leads to, with the text of its link, in order."""

PAGE_SCOPES = {
    "search.look_up": Scope.READ,
    "photographers.upload": Scope.READ,
    "photographers.upload_to_develop": Scope.READ,
}
"""What a caller needs for forms that only ask; every other form needs ``ingest``."""


def models_in_use(node: NodePort) -> dict[str, str]:
    """Model of each space, for the foot of every page.

    Empty when the store does not answer, so that an error page about it can still be shown.
    """
    try:
        infos = node.store.collections().values()
    except StoreError:
        return {}
    spaces = [field.space for info in infos for field in info.schema.fields if not field.space.name.endswith("_raw")]
    return {space.name: space.model for space in sorted(spaces, key=lambda space: space.name, reverse=True)}


@lru_cache(maxsize=256)
def _fixed(root: str, endpoint: str, values: tuple[tuple[str, str], ...]) -> str:
    return url_for(endpoint, **dict(values))  # type: ignore[arg-type]  # these are no options of it


def fixed_url(endpoint: str, **values: str) -> str:
    """``url_for``, for the addresses in the head of every page: they are always the same, and there are many."""
    return _fixed(request.script_root, endpoint, tuple(values.items()))


def install_pages(app: Flask, guard: Guard, version: str, assets: str) -> None:
    """Register all pages.

    Args:
        version: of Likewise.
        assets: digest in the addresses of scripts and style sheets.
    """
    install_formats(app)
    install_tiles(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    node: NodePort = app.extensions["node"]
    app.jinja_env.globals.update(
        node=node, guard=guard, likewise_version=version, asset_version=assets, navigation=NAVIGATION
    )
    app.jinja_env.globals["fixed_url"] = fixed_url
    app.extensions["recent_uploads"] = OwnRecentUploads() if node.broker is None else SharedRecentUploads(node.broker)
    app.extensions["choices"] = search.Choices()
    app.context_processor(lambda: {"models": models_in_use(node)})
    for module in (search, item, jobs, library, login, photographers):
        app.register_blueprint(module.blueprint)
