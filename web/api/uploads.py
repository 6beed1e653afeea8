"""Uploads: onto disk under the cap, to the encoder, and away again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from flask import Request
from werkzeug.datastructures import FileStorage

from search.errors import EmptyFileError, MediaError, MediaTooLargeError, UsageError
from search.questions import Probe
from web.api.ports import Node

CHUNK = 1 << 20
MIB = 1 << 20


def probe_upload(node: Node, request: Request) -> Probe | None:
    """The example in the multipart part ``file``; None when the request carries none.

    Raises:
        UsageError: several files.  MediaError: the file is too large, or no media that can be decoded.
    """
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        return None
    if len(files) > 1:
        raise UsageError("Several files came in one request.", "Send one file, or ingest them and ask by their ids.")
    file = files[0]
    name = PurePosixPath((file.filename or "").replace("\\", "/")).name
    with _on_disk(file, node.settings.home / "uploads", node.settings.max_upload_mb) as path:
        try:
            return node.encoder.probe(str(path), name)
        except MediaError as error:  # it speaks of the file it was given, the reader knows another name
            raise type(error)(error.message.replace(path.name, name), error.hint) from None


@contextmanager
def _on_disk(file: FileStorage, folder: Path, cap_mb: int) -> Iterator[Path]:
    """The upload as a file of its own, which is gone afterwards whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=_suffix(file.filename or "")) as target:
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
        yield Path(target.name)


def _suffix(name: str) -> str:
    """The extension, which helps some decoders, if it is a harmless one."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
