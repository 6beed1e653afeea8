"""Serve the preview and the file of a stored media by its id, never by a path of the request."""

from __future__ import annotations

import io
import os
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, Any, cast

from flask import Blueprint, Response, request, send_file
from werkzeug.http import parse_range_header
from werkzeug.wsgi import FileWrapper, wrap_file

from search import addresses
from search.errors import NotFoundError, StoreUnavailableError
from search.media import Kind, MediaRecord
from search.records.lookup import find_record
from search.records.shown import shown_record
from web.api.operation import current_node, held_threads
from web.api.questions import check_id
from workers.storage.files import bounded_ns
from workers.storage.objects import Objects
from workers.storage.previews import Previews
from workers.storage.sealed_webp import picture_alone

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
    record = shown_record(node.store, check_id(media_id))
    key = record.thumbnail
    previews = Previews(node.settings)
    path = previews.path(key) if key else None
    if key is None or (path is not None and not path.is_file()):
        raise NotFoundError(f"There is no preview of {media_id}.", "`likewise verify --repair` makes it again.")
    if path is not None and record.kind is Kind.IMAGE:
        return _sandboxed(send_file(path, mimetype="image/webp", conditional=True, max_age=DAY))
    webp = picture_alone(previews.read(key))  # an hour of fingerprints over time has a megabyte
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
    name = offered_name(addresses.name(found.path))
    if found.opened is None:
        objects = node.stored_files.access.objects
        return _sandboxed(_send_object(objects, found.address, mimetype, name, attached=attached))
    return _sandboxed(_send_local(found.opened, mimetype, name, attached=attached))


@blueprint.before_request
def _heed_only_single_ranges() -> None:
    """Answer with the whole where several ranges, another unit or nonsense is asked for (RFC 9110, 14.2)."""
    asked = parse_range_header(request.environ.get("HTTP_RANGE"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        request.environ.pop("HTTP_RANGE", None)


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
    """A file, or the requested range of it. It is closed with the response.

    The server sends it without holding a thread, for the response is the server's own wrapper of the file, which begins
    where the file stands and ends after ``Content-Length`` bytes (PEP 3333).
    """
    with _closed_on_error(file):
        status = os.fstat(file.fileno())
        response = _send(file, status.st_size, bounded_ns(status.st_mtime_ns), mimetype, name, attached=attached)
        if response.status_code == HTTPStatus.PARTIAL_CONTENT and "wsgi.file_wrapper" in request.environ:
            file.seek(response.content_range.start or 0)
            response.response = wrap_file(request.environ, file)
        return response


def _send_object(objects: Objects, address: str, mimetype: str, name: str, *, attached: bool) -> Response:
    """An object of a bucket, or the requested range of it; no more is fetched.

    Raises:
        StoreUnavailableError: it cannot be read, or too many are being sent: each keeps a thread.
    """
    try:
        stream, facts = objects.stream(address)
    except OSError as error:
        raise StoreUnavailableError(f"'{address}' cannot be read just now: {error.strerror}.") from error
    request.environ["wsgi.file_wrapper"] = FileWrapper  # the server's own would wait for the bucket in its loop
    file = _HeldStream(stream)
    with _closed_on_error(file):
        response = _send(cast("IO[bytes]", file), facts.size, facts.mtime_ns, mimetype, name, attached=attached)
        if request.method == "GET" and response.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            file.hold_thread()
        return response


def _send(file: IO[bytes], size: int, written_ns: int, mimetype: str, name: str, *, attached: bool) -> Response:
    tag, written = f"{size:x}-{written_ns:x}", written_ns / 10**9
    response = send_file(file, mimetype, attached, name, conditional=False, etag=tag, last_modified=written)
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    return response


class _HeldStream:
    """A stream whose reader keeps a thread until it is closed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._release: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def hold_thread(self) -> None:
        """
        Raises:
            StoreUnavailableError: too many threads are kept already.
        """
        self._release = held_threads().hold()
        if self._release is None:
            raise StoreUnavailableError("Too many files are being sent from buckets already.", "Try again in a moment.")

    def close(self) -> None:
        self._stream.close()
        if self._release is not None:
            self._release()


@contextmanager
def _closed_on_error(file: IO[bytes] | _HeldStream) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.close()
        raise


def _sandboxed(response: Response) -> Response:
    """Forbid scripts and further requests where the bytes are opened as a page of their own, and caches that others
    share to keep them."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.cache_control.public, response.cache_control.private = False, True
    return response
