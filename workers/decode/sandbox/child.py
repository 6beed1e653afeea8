"""Decoder child process: decodes one file at a time on request.

It is started as ``python -m workers.decode.sandbox.child OPTIONS``. It imports the decoders and no models. It ends when
its parent does: at once on Linux, by a signal, and elsewhere when its standard input closes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from search.errors import CorruptMediaError, DecoderMemoryError, MediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.protocol import PipeClosed, Reply, read_header, write_frame, write_reply
from workers.runtime import MIB, keep_freed

Decode = Callable[[str, Kind | None, DecodeOptions], Decoded]

_PR_SET_PDEATHSIG = 1
_KEPT, _OWN = 64 * MIB, 32 * MIB
"""Bytes. Arrays of a picture have a megabyte or more; without kept memory, page faults take more than half of the time
of the features (measured: 21 ms a picture against 13)."""
_PAGE = resource.getpagesize()


def serve(decode: Decode, options: DecodeOptions) -> None:
    """Answer requests until standard input closes. All imports are done before, as memory is limited from here on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    keep_freed(_KEPT, _OWN)
    replies = _reserve_standard_output()
    _limit(options.memory_bytes)
    write_frame(replies, {"ready": True})
    while True:
        try:
            request = read_header(0)
        except PipeClosed:
            return
        kind = request["kind"]
        result = _attempt(decode, request["path"], Kind(kind) if kind else None, options)
        write_reply(replies, Reply(result, _memory()[1]))


def _attempt(decode: Decode, path: str, kind: Kind | None, options: DecodeOptions) -> Decoded | MediaError:
    """Decode one file; every exception of a decoder becomes the error of this file."""
    try:
        return decode(path, kind, options)
    except MediaError as error:
        return type(error)(error.message, error.hint)
    except MemoryError:
        pass
    except Exception as error:
        return CorruptMediaError(f"'{Path(path).name}': {type(error).__name__}: {error}")
    return DecoderMemoryError(
        f"'{Path(path).name}' needs more than the {options.memory_bytes // MIB} MiB a decoder may take.",
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


def _limit(memory_bytes: int) -> None:
    """Limit the address space; forbid core files and all other files."""
    resource.setrlimit(resource.RLIMIT_AS, (_memory()[0] + memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _memory() -> tuple[int, int]:
    """Address space and resident memory, bytes."""
    size, resident = Path("/proc/self/statm").read_text().split()[:2]
    return int(size) * _PAGE, int(resident) * _PAGE


def main() -> None:
    import cv2

    from workers.decode.file import decode_file

    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    serve(decode_file, DecodeOptions.from_json(sys.argv[1]))


if __name__ == "__main__":
    main()
