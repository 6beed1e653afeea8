"""Serve the preview and the file of a stored media by its id, never by a path of the request."""

from __future__ import annotations

import io
import os
import unicodedata
import zlib
from typing import IO

from flask import Blueprint, Response, request, send_file
from werkzeug.wsgi import FileWrapper

from search import addresses
from search.errors import NotFoundError, StoreUnavailableError
from search.media import MediaRecord
from search.records.lookup import find_record
from web.api.operation import current_node
from web.api.questions import check_id
from workers.storage.files import bounded_ns
from workers.storage.objects import Objects
from workers.storage.previews import Previews

blueprint = Blueprint("media", __name__, url_prefix="/media")

PLAYABLE = ("video/", "audio/")
SHOWN_IN_BROWSER = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Formats that every current browser shows, and that cannot contain a script (SVG can)."""
MULTI_PICTURE = "image/mpo"
"""What older records call a JPEG with further pictures behind the first, which browsers show as a JPEG."""

DAY = 86_400


@blueprint.get("/<media_id>/preview")
def preview(media_id: str) -> Response:
    """A WebP picture of at most 480 pixels a side; the waveform of a sound."""
    node = current_node()
    key = find_record(node.store, check_id(media_id)).thumbnail
    previews = Previews(node.settings)
    path = previews.path(key) if key else None
    if key is None or (path is not None and not path.is_file()):
        raise NotFoundError(f"There is no preview of {media_id}.", "Ingesting its folder again makes one.")
    if path is not None:
        return _sandboxed(send_file(path, mimetype="image/webp", conditional=True, max_age=DAY))
    webp = previews.read(key)
    response = send_file(io.BytesIO(webp), mimetype="image/webp", max_age=DAY, etag=f"{zlib.crc32(webp):08x}")
    return _sandboxed(response)


@blueprint.get("/<media_id>/file")
def file(media_id: str) -> Response:
    """The bytes of the file, or a range of them; as an attachment unless browsers show or play its kind safely."""
    node = current_node()
    record = find_record(node.store, check_id(media_id))
    found = node.stored_files.open(record)
    inline = shown_inline(record)
    mimetype = "image/jpeg" if record.mime == MULTI_PICTURE else record.mime if inline else "application/octet-stream"
    attached = not inline or "download" in request.args
    request.environ["wsgi.file_wrapper"] = _SeekableWrapper
    name = offered_name(addresses.name(found.path))
    if found.opened is None:
        objects = node.stored_files.access.objects
        return _sandboxed(_send_object(objects, found.address, mimetype, name, attached=attached))
    return _sandboxed(_send_local(found.opened, mimetype, name, attached=attached))


class _SeekableWrapper:
    """Makes Werkzeug's file wrapper, which can seek, for a server whose own cannot (gunicorn's).

    Without seeking, a range near the end of a video would read all bytes before it. No response is an instance of this
    class, so that a server does not mistake one for its own wrapper.
    """

    def __new__(cls, file: IO[bytes], buffer_size: int = 8192) -> FileWrapper:  # type: ignore[misc]
        return FileWrapper(file, buffer_size)


def shown_inline(record: MediaRecord) -> bool:
    """Whether a browser may show or play the file in place."""
    return record.mime in SHOWN_IN_BROWSER or record.mime == MULTI_PICTURE or record.mime.startswith(PLAYABLE)


def offered_name(name: str) -> str:
    """The name under which a browser is to keep a file, for the header Content-Disposition (RFC 6266, RFC 8187).

    Control characters, separators of lines, halves of characters and marks that turn the direction of writing (which
    make ``gpj.exe`` look like ``exe.jpg``) become ``_``; Werkzeug quotes and encodes the rest.
    """
    safe = "".join("_" if _is_unsafe(character) else character for character in name)
    return safe if safe.strip(" .") else "file"


def _is_unsafe(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    )


def _send_local(file: IO[bytes], mimetype: str, name: str, *, attached: bool) -> Response:
    """A file, or the requested range of it. It is closed with the response."""
    status = os.fstat(file.fileno())
    size, written_ns = status.st_size, bounded_ns(status.st_mtime_ns)  # not every time of a file system is a date
    tag = f"{size:x}-{written_ns:x}"
    response = send_file(file, mimetype, attached, name, conditional=False, etag=tag, last_modified=written_ns / 10**9)
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    return response


def _send_object(objects: Objects, address: str, mimetype: str, name: str, *, attached: bool) -> Response:
    """An object of a bucket, or the requested range of it; no more is fetched."""
    try:
        stream, facts = objects.stream(address)  # closed by its wrapper when the response has been sent
    except OSError as error:
        raise StoreUnavailableError(f"'{address}' cannot be read just now: {error.strerror}.") from error
    tag, written = f"{facts.size:x}-{facts.mtime_ns:x}", facts.mtime_ns // 10**9
    response = send_file(stream, mimetype, attached, name, conditional=False, etag=tag, last_modified=written)
    response.content_length = facts.size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=facts.size)
    return response


def _sandboxed(response: Response) -> Response:
    """Forbid scripts and further requests where the bytes are opened as a page of their own."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
