"""Media by id: the preview picture and the file itself, never by a path from the request."""

from __future__ import annotations

import io
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
from workers.storage.files import FileAccess
from workers.storage.objects import Objects, UnreachableError
from workers.storage.previews import Previews

blueprint = Blueprint("media", __name__, url_prefix="/media")

PLAYABLE = ("video/", "audio/")
SHOWN_IN_BROWSER = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"})
"""Pictures every current browser draws, and none of which can carry a script (SVG can)."""

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
        return _locked_down(send_file(path, mimetype="image/webp", conditional=True, max_age=DAY))
    webp = previews.read(key)
    response = send_file(io.BytesIO(webp), mimetype="image/webp", max_age=DAY, etag=f"{zlib.crc32(webp):08x}")
    return _locked_down(response)


@blueprint.get("/<media_id>/file")
def file(media_id: str) -> Response:
    """The bytes, in whole or by Range; as an attachment unless browsers show or play that kind safely."""
    node = current_node()
    record = find_record(node.store, check_id(media_id))
    access = FileAccess(node.settings)
    path = existing_path(record, access)
    inline = shown_inline(record)
    mimetype = record.mime if inline else "application/octet-stream"
    attached = not inline or "download" in request.args
    request.environ["wsgi.file_wrapper"] = _SeekableWrapper
    address, name = access.local_address(path), addresses.name(path)
    if addresses.is_remote(address):
        return _locked_down(_send_object(access.objects, address, mimetype, name, attached=attached))
    return _locked_down(send_file(address, mimetype, attached, name, conditional=True))


class _SeekableWrapper:
    """Werkzeug's wrapper in place of a server's own (gunicorn's), which cannot seek: a range near the end of a film
    would read all that is before it. No answer is an instance of this class, so that a server which looks whether an
    answer is one of its own wrappers takes none for that."""

    def __new__(cls, file: IO[bytes], buffer_size: int = 8192) -> FileWrapper:  # type: ignore[misc]
        return FileWrapper(file, buffer_size)


def shown_inline(record: MediaRecord) -> bool:
    """A browser may show or play these bytes in place."""
    return record.mime in SHOWN_IN_BROWSER or record.mime.startswith(PLAYABLE)


def existing_path(record: MediaRecord, access: FileAccess) -> str:
    """A path or address that still holds this content, as far as its size tells.

    Raises:
        NotFoundError: none does.
        StoreUnavailableError: none was found, but a bucket gives no answer just now.
    """
    silent: UnreachableError | None = None
    for path in record.paths:
        try:
            size, _ = access.size_and_time(path)
            if size == record.size and (addresses.is_remote(access.local_address(path)) or access.is_file(path)):
                return path
        except UnreachableError as error:
            silent = error
        except (OSError, ValueError):
            continue
    if silent is not None:
        raise StoreUnavailableError(f"The file of {record.id} cannot be reached: {silent.strerror}.")
    raise NotFoundError(
        f"The file of {record.id} has gone or has changed: {', '.join(record.paths)}.", "Ingest its folder again."
    )


def _send_object(objects: Objects, address: str, mimetype: str, name: str, *, attached: bool) -> Response:
    """An object of a bucket, as much of it as the request asks for; no more is fetched than that."""
    try:
        stream, facts = objects.stream(address)  # closed by the wrapper around it, when the answer has been sent
    except OSError as error:
        raise StoreUnavailableError(f"'{address}' cannot be read just now: {error.strerror}.") from error
    tag, written = f"{facts.size:x}-{facts.mtime_ns:x}", facts.mtime_ns // 10**9
    response = send_file(stream, mimetype, attached, name, conditional=False, etag=tag, last_modified=written)
    response.content_length = facts.size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=facts.size)
    return response


def _locked_down(response: Response) -> Response:
    """Whatever the bytes are, opened on their own they may run and load nothing."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
