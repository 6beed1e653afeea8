"""Embed an uploaded file: store it in the shared place, encode it, and delete it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from flask import Request
from werkzeug.datastructures import FileStorage

from search import addresses, metrics
from search.errors import EmptyFileError, MediaError, MediaTooLargeError, UsageError
from search.settings import Settings
from search.similar.questions import Probe
from web.api.ports import NodePort
from workers.storage.shared_place import UPLOADS, shared_place

CHUNK = 1 << 20
MIB = 1 << 20


@metrics.question("example")
def probe_upload(node: NodePort, request: Request) -> Probe | None:
    """The example in the multipart part ``file``; None when the request carries none.

    Raises:
        UsageError: the request holds several files.
        MediaError: the file is too large, or cannot be decoded.
    """
    files = uploaded_files(request)
    if not files:
        return None
    if len(files) > 1:
        raise UsageError("Several files came in one request.", "Send one file, or ingest them and ask by their ids.")
    return probe_file(node, files[0])


def uploaded_files(request: Request) -> list[FileStorage]:
    """The multipart parts ``file`` that hold a file; a form without a chosen file sends an empty one."""
    return [file for file in request.files.getlist("file") if file.filename]


def uploaded_name(file: FileStorage) -> str:
    """Name of an uploaded file without the folders that some browsers send before it."""
    return PurePosixPath((file.filename or "").replace("\\", "/")).name


def probe_file(node: NodePort, file: FileStorage) -> Probe:
    """An uploaded file as an example.

    Raises:
        MediaError: the file is too large, or cannot be decoded.
    """
    name = uploaded_name(file)
    with _stored(file, node.settings) as path:
        try:
            return node.encoder.probe(path, name)
        except MediaError as error:  # the message names the temporary file; people know the name of the upload
            raise type(error)(error.message.replace(addresses.name(path), name), error.hint) from None


@contextmanager
def _stored(file: FileStorage, settings: Settings) -> Iterator[str]:
    """The path or address of the upload in the shared place; it is deleted after the block in every case."""
    place = shared_place(settings)
    folder = place.path(UPLOADS)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=_suffix(file.filename or "")) as target:
        _copy(file, target, settings.max_upload_mb)
        if settings.broker_url is not None:
            os.fsync(target.fileno())  # a network file system shows it to others no sooner
        if folder is not None:
            yield target.name
            return
        name = f"{UPLOADS}/{Path(target.name).name}"
        try:
            yield place.add(Path(target.name), name)
        finally:
            place.delete(name)


def _copy(file: FileStorage, target: IO[bytes], cap_mb: int) -> None:
    written = 0
    while chunk := file.stream.read(CHUNK):
        written += len(chunk)
        if written > cap_mb * MIB:
            raise MediaTooLargeError(
                f"'{file.filename}' is larger than {cap_mb} MiB.",
                "Raise LIKEWISE_MAX_UPLOAD_MB, or ingest the file by its path.",
            )
        target.write(chunk)
    if not written:
        raise EmptyFileError(f"'{file.filename}' has no bytes.")
    target.flush()


def _suffix(name: str) -> str:
    """The extension, which some decoders need, if it is harmless; else nothing."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
