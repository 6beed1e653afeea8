"""Media by id: the preview picture and the file itself, never by a path from the request."""

from __future__ import annotations

import contextlib
from pathlib import Path

from flask import Blueprint, Response, request, send_file

from search.errors import NotFoundError
from search.media import MediaRecord
from search.records import find_record
from web.api.operation import current_node
from web.api.questions import check_id
from workers.previews import preview_path

blueprint = Blueprint("media", __name__, url_prefix="/media")

PLAYABLE = ("video/", "audio/")
SHOWN_IN_BROWSER = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Pictures every current browser draws, and none of which can carry a script (SVG can)."""


@blueprint.get("/<media_id>/preview")
def preview(media_id: str) -> Response:
    """A WebP picture of at most 480 pixels a side; the waveform of a sound."""
    node = current_node()
    record = find_record(node.store, check_id(media_id))
    path = preview_path(node.settings.home, record.thumbnail) if record.thumbnail else None
    if path is None or not path.is_file():
        raise NotFoundError(f"There is no preview of {media_id}.", "Ingesting its folder again makes one.")
    return _locked_down(send_file(path, mimetype="image/webp", conditional=True, max_age=86_400))


@blueprint.get("/<media_id>/file")
def file(media_id: str) -> Response:
    """The bytes, in whole or by Range; as an attachment unless browsers show or play that kind safely."""
    record = find_record(current_node().store, check_id(media_id))
    path = existing_path(record)
    inline = shown_inline(record)
    response = send_file(
        path,
        mimetype=record.mime if inline else "application/octet-stream",
        as_attachment=not inline or "download" in request.args,
        download_name=path.name,
        conditional=True,
    )
    return _locked_down(response)


def shown_inline(record: MediaRecord) -> bool:
    """A browser may show or play these bytes in place."""
    return record.mime in SHOWN_IN_BROWSER or record.mime.startswith(PLAYABLE)


def existing_path(record: MediaRecord) -> Path:
    """A path that still holds this content, as far as its size tells.

    Raises:
        NotFoundError: none does.
    """
    for path in map(Path, record.paths):
        with contextlib.suppress(OSError, ValueError):
            if path.is_file() and path.stat().st_size == record.size:
                return path
    raise NotFoundError(
        f"The file of {record.id} has gone or has changed: {', '.join(record.paths)}.", "Ingest its folder again."
    )


def _locked_down(response: Response) -> Response:
    """Whatever the bytes are, opened on their own they may run and load nothing."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
