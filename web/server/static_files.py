"""Scripts, style sheets and icons of the pages, at addresses that change with their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask, Response, send_from_directory

YEAR = 31_536_000


def install_static_files(app: Flask, folder: Path) -> str:
    """Serve ``folder`` below ``/static/``, and below ``/static/v…/`` with the digest of all files in it, where browsers
    may keep them for good. Modules import each other by relative addresses, which keep the digest.

    Returns:
        The digest, ``version`` of the addresses.
    """
    digest = _digest(folder)

    def serve(filename: str, version: str = "") -> Response:
        response = send_from_directory(folder, filename)
        response.direct_passthrough = False
        response.make_sequence()  # small texts, which are compressed
        if version == digest:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response

    app.add_url_rule("/static/v<version>/<path:filename>", "static", serve)
    app.add_url_rule("/static/<path:filename>", "static", serve)
    return digest


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
