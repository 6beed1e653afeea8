"""A decoder child like any other, but for files whose names say what they do to it."""

from __future__ import annotations

import os
import signal
import sys
import time

from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.file import decode_file
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound


def decode(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    if media.name.startswith("kills-decoder"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if media.name.startswith("hangs-decoder"):
        time.sleep(3600)
    return decode_file(media, kind, options, sound)


if __name__ == "__main__":
    serve(decode, DecodeOptions.from_json(sys.argv[1]))
