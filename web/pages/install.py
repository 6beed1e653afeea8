"""Put the pages into an application."""

from __future__ import annotations

from flask import Flask

from web.auth import Guard
from web.pages import item, jobs, library, login, search
from web.pages.formats import install_formats
from web.pages.shelf import Shelf


def install_pages(app: Flask, guard: Guard, version: str) -> None:
    install_formats(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(node=app.extensions["node"], guard=guard, asset_version=version)
    app.extensions["shelf"] = Shelf()
    app.extensions["choices"] = search.Choices()
    for module in (search, item, jobs, library, login):
        app.register_blueprint(module.blueprint)
