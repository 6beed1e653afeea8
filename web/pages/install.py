"""Put the pages into an application."""

from __future__ import annotations

from flask import Flask

from search.errors import StoreError
from web.api.ports import Node
from web.auth import Guard
from web.pages import item, jobs, library, login, photographers, search
from web.pages.formats import install_formats
from web.pages.recent_uploads import OwnShelf, SharedShelf


def models_in_use(node: Node) -> dict[str, str]:
    """Model of each space, for the foot of every page; nothing when the store does not answer, so that an error page
    about it can still be shown."""
    try:
        infos = node.store.collections().values()
    except StoreError:
        return {}
    spaces = [field.space for info in infos for field in info.schema.fields if not field.space.name.endswith("_raw")]
    return {space.name: space.model for space in sorted(spaces, key=lambda space: space.name, reverse=True)}


def install_pages(app: Flask, guard: Guard, version: str) -> None:
    install_formats(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    node: Node = app.extensions["node"]
    app.jinja_env.globals.update(node=node, guard=guard, asset_version=version)
    app.extensions["shelf"] = OwnShelf() if node.broker is None else SharedShelf(node.broker)
    app.extensions["choices"] = search.Choices()
    app.extensions["duplicates"] = library.Found()
    app.context_processor(lambda: {"models": models_in_use(node)})
    for module in (search, item, jobs, library, login, photographers):
        app.register_blueprint(module.blueprint)
