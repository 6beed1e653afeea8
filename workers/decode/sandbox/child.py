"""Decoder child process: decodes one file at a time on request.

It is started as ``python -m workers.decode.sandbox.child OPTIONS`` with a socket as its standard input, by which it is
given opened files. It imports the decoders and no models, then gives up its powers. It ends when its parent does: at
once on Linux, by a signal, and elsewhere when its standard input closes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict

from search.errors import CorruptMediaError, DecoderMemoryError, MediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.frames import PipeClosed, write_frame
from workers.decode.sandbox.handover import receive_request
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.powers import PowersKeptError, give_up_powers
from workers.decode.sandbox.protocol import Reply, write_reply
from workers.decode.sandbox.sound_pieces import SentSound
from workers.decode.sound import Sound
from workers.runtime import MIB, keep_freed

Decode = Callable[[OpenedMedia, Kind | None, DecodeOptions, Sound], Decoded]
"""The last argument takes the samples of a recording, and is then the ``sound`` of what is decoded."""

_PR_SET_PDEATHSIG = 1
_KEPT, _OWN = 64 * MIB, 32 * MIB
"""Bytes. Arrays of a picture have a megabyte or more; without kept memory, page faults take more than half of the time
of the features (measured: 21 ms a picture against 13)."""
_PAGE = resource.getpagesize()


def serve(decode: Decode, options: DecodeOptions) -> None:
    """Answer requests until standard input closes. All imports are done before, as memory is limited from here on, and
    files of the process's account cannot be opened."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    keep_freed(_KEPT, _OWN)
    replies = _reserve_standard_output()
    requests = socket.socket(fileno=0)
    memory = _Memory()
    _limit(memory.now()[0] + options.memory_bytes)
    try:
        confinement = give_up_powers(options.sandbox)
    except PowersKeptError as error:
        write_frame(replies, {"ready": False, "why": str(error)})
        return
    write_frame(replies, {"ready": True, "confinement": asdict(confinement)})
    while True:
        try:
            media, kind = receive_request(requests)
        except PipeClosed:
            return
        with media:
            result = _attempt(decode, media, kind, options, SentSound(replies))
        write_reply(replies, Reply(result, memory.now()[1]))


def _attempt(
    decode: Decode, media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound
) -> Decoded | MediaError:
    """Decode one file; every exception of a decoder becomes the error of this file."""
    try:
        return decode(media, kind, options, sound)
    except MediaError as error:
        return type(error)(error.message, error.hint)
    except MemoryError:
        pass
    except Exception as error:
        return CorruptMediaError(f"'{media.name}': {type(error).__name__}: {error}")
    return DecoderMemoryError(
        f"'{media.name}' needs more than the {options.memory_bytes // MIB} MiB a decoder may take.",
        "LIKEWISE_DECODE_MEMORY_MB sets the limit.",
    )


def _reserve_standard_output() -> int:
    """Reserve the pipe for replies; output of C libraries is discarded."""
    replies = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return replies


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit(address_space: int) -> None:
    """Limit the address space, bytes; forbid core files and all other files."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class _Memory:
    """What this process takes, read from a file that is opened once, as none of its kind can be opened later."""

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def now(self) -> tuple[int, int]:
        """Address space and resident memory, bytes."""
        size, resident = os.pread(self._statm, 256, 0).split()[:2]
        return int(size) * _PAGE, int(resident) * _PAGE


def main() -> None:
    import cv2

    from workers.decode.file import decode_file

    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    serve(decode_file, DecodeOptions.from_json(sys.argv[1]))


if __name__ == "__main__":
    main()
