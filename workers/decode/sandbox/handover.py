"""Hand an opened file to a decoder child: descriptors over a socket, then a header that names them."""

from __future__ import annotations

import socket

from search.media import Kind
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.frames import PipeClosed, ProtocolError, read_header, write_frame

_MOST_DESCRIPTORS = 3
"""A file and two sidecars."""


def send_request(requests: socket.socket, media: OpenedMedia, kind: Kind | None) -> None:
    """Ask for a file to be decoded. The child gets descriptors of its own; the caller closes its own ones.

    Raises:
        ConnectionError: the child has closed the socket.
    """
    socket.send_fds(requests, [b"\0"], media.descriptors)
    write_frame(requests.fileno(), {"name": media.name, "kind": kind.value if kind else None})


def receive_request(requests: socket.socket) -> tuple[OpenedMedia, Kind | None]:
    """The next file to be decoded, which the caller closes, and its kind; the child's side of :func:`send_request`.

    Raises:
        PipeClosed: the parent has closed the socket.
    """
    mark, descriptors, _, _ = socket.recv_fds(requests, 1, _MOST_DESCRIPTORS)
    if not mark:
        raise PipeClosed
    if not descriptors:
        raise ProtocolError("no file")
    header = read_header(requests.fileno())
    kind = header["kind"]
    return OpenedMedia(header["name"], descriptors[0], tuple(descriptors[1:])), Kind(kind) if kind else None
