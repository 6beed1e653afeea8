"""Where media lies, as text: an absolute POSIX path or an address such as ``s3://bucket/a.jpg``.

The only module that splits such a text: ``os.path`` and ``pathlib`` would make ``s3:/bucket`` of ``s3://bucket``.
An address is an fsspec one: a scheme, then a bucket or container, then a key whose parts are separated by slashes.
Nothing here reads the file; ``workers.storage.files`` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from search.errors import UsageError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USUAL_SCHEME = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfss": "abfs"}
"""Other spellings of a scheme to the one that the ledger keeps, so that no bucket is taken in twice."""


def is_remote(text: str) -> bool:
    """Whether it is an address and no path."""
    return not text.startswith("/") and _ADDRESS.match(text) is not None


def scheme(text: str) -> str:
    """``s3`` of ``s3://bucket``; empty for a path."""
    return text.partition("://")[0] if is_remote(text) else ""


def absolute(given: Path | str) -> str:
    """What a person named, as the rest of Likewise writes it: an absolute path, or an address in its usual spelling.

    Raises:
        UsageError: an address that names no bucket, or whose key has empty, ``.`` or ``..`` parts.
    """
    text = str(given)
    if not is_remote(text):
        return str(Path(given).expanduser().absolute())
    head, _, rest = text.partition("://")
    parts = rest.rstrip("/").split("/")
    if not parts[0]:
        raise UsageError(f"'{text}' names no bucket.", "An address reads s3://bucket or s3://bucket/folder.")
    if any(part in ("", ".", "..") for part in parts) or _CONTROL.search(rest):
        raise UsageError(f"{text!r} has a part that is empty, '.' or '..', or a control character.")
    return f"{_USUAL_SCHEME.get(head.lower(), head.lower())}://{'/'.join(parts)}"


def parent(text: str) -> str | None:
    """The folder it lies in; None for the root of the file system, and for a bucket."""
    head, slash, last = text.rpartition("/")
    if not slash or head.endswith(":/") or not (head or last):
        return None
    return head or "/"


def parents(text: str) -> Iterator[str]:
    """Every folder above it, the closest first."""
    above = parent(text)
    while above is not None:
        yield above
        above = parent(above)


def name(text: str) -> str:
    """Its last part: the name of the file, the folder, the bucket."""
    return text.rstrip("/").rpartition("/")[2]


def suffix(text: str) -> str:
    """The extension of its name with the dot, as written; empty when there is none."""
    return Path(name(text)).suffix


def parts(text: str) -> tuple[str, ...]:
    """Folder names and the last name, without the scheme and slashes."""
    return tuple(part for part in text.removeprefix(f"{scheme(text)}://").split("/") if part)


def is_at_or_below(text: str, folder: str) -> bool:
    """Whether it is this folder or something in it, however deep."""
    return text == folder or text.startswith(folder.rstrip("/") + "/")
