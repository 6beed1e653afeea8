"""Compresses texts that are answered to clients that take gzip."""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Flask, Response, request

TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/problem+json",
        "application/x-ndjson",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
LEAST_BYTES = 600
"""Shorter texts are sent as they are: they fit into one packet anyway."""

LEVEL = 5
MOST_PADDING = 100
"""Random bytes in the header of each compressed answer, so that its length tells nothing about a secret in it that a
part of the address is compared with. Source: Palacios and others, Heal the Breach, IEEE Access 2023."""


def install_compression(app: Flask) -> None:
    """Compress the answers of ``app``, except streams and parts of files."""
    app.after_request(_compressed)


def _compressed(response: Response) -> Response:
    whole = response.status_code not in (204, 206, 304) and not response.is_streamed and not response.direct_passthrough
    if response.mimetype not in TEXTS or not whole or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    if len(body) < LEAST_BYTES or not request.accept_encodings.quality("gzip"):
        return response
    response.set_data(_gzip(body))
    response.content_encoding = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)
    return response


def _gzip(body: bytes) -> bytes:
    packed = io.BytesIO()
    padding = "a" * secrets.randbelow(MOST_PADDING)
    with gzip.GzipFile(padding, "wb", LEVEL, packed, mtime=0) as file:
        file.write(body)
    return packed.getvalue()
