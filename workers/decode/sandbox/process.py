"""One decoder child process: start it, give it files, replace it, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

import workers
from search.errors import (
    DecoderCrashError,
    DecoderMemoryError,
    DecoderSandboxError,
    DecoderStartError,
    DecodeTimeoutError,
    DiskFullError,
)
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.frames import Deadline, DeadlineExceeded, Json, PipeClosed, ProtocolError, read_header
from workers.decode.sandbox.handover import send_request
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.powers import Confinement
from workers.decode.sandbox.protocol import Reply, read_reply
from workers.decode.sandbox.sound_pieces import ReceivedSound

_PACKAGES = Path(workers.__file__).parents[1]
"""Folder of the packages: the child's working directory, which ``python -m`` searches first."""

_START_SECONDS = 60.0
_END_SECONDS = 2.0
_PIPE_BYTES = 1 << 20
_FILES_EACH = 1000
"""Files after which a child is replaced, so that small leaks of codecs do not accumulate."""

_LIKELY_CAUSE = MappingProxyType({signal.SIGKILL: " (was the machine out of memory?)"})

_ONE_THREAD = MappingProxyType(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
"""Cores are shared out by the number of children; and a child gives up its powers while it has a single thread."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "PYTHON", "LD_")
"""Prefixes of the environment variables that a child gets, passwords not among them."""


def child_environment() -> dict[str, str]:
    """Environment of a child: a part of this process's own."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}


def _not_started(why: str) -> DecoderStartError:
    return DecoderStartError(f"No decoder can be started: {why}.", "Is the machine out of memory or processes?")


class DecoderProcess:
    """One decoder child. Used by one thread; only :meth:`kill` may be called from others.

    Args:
        folder: gives the folder for the samples of long recordings.
    """

    def __init__(
        self, command: Sequence[str], options: DecodeOptions, folder: Callable[[], str] = tempfile.gettempdir
    ) -> None:
        self._options, self._folder = options, folder
        self._files = 0
        self._start_rss: int | None = None
        self._exhausted = False
        try:
            self._requests, childs_end = socket.socketpair()
        except OSError as error:
            raise _not_started(error.strerror or str(error)) from error
        try:
            self._child = subprocess.Popen(
                [*command, options.to_json()],
                stdin=childs_end.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_PACKAGES,
                env=child_environment() | _ONE_THREAD,
                bufsize=0,
                pipesize=_PIPE_BYTES,
                process_group=0,
            )
        except OSError as error:
            self._requests.close()
            raise _not_started(error.strerror or str(error)) from error
        finally:
            childs_end.close()
        assert self._child.stdout is not None
        self._replies = self._child.stdout.fileno()
        self._confinement: Confinement | None = None

    @property
    def usable(self) -> bool:
        """Whether it can decode another file: it is alive, and has not used up its files or memory."""
        return not self._exhausted and self._files < _FILES_EACH and self._child.poll() is None

    def decode(self, media: OpenedMedia, kind: Kind | None, seconds: float) -> Decoded:
        """Decode an opened file in the child, which can open none. The caller closes it.

        Raises:
            MediaError: the error of the file, or the end of the child.
            DecoderStartError, DecoderSandboxError: no child for it, which is not the file's fault.
        """
        self.confinement()
        self._files += 1
        reply = self._answer(media, kind, seconds)
        if self._start_rss is None:
            self._start_rss = reply.rss
        self._exhausted = reply.rss - self._start_rss > self._options.memory_bytes // 2
        if isinstance(reply.result, Decoded):
            return reply.result
        self._exhausted = self._exhausted or isinstance(reply.result, DecoderMemoryError)
        raise reply.result

    def _answer(self, media: OpenedMedia, kind: Kind | None, seconds: float) -> Reply:
        """What the child says of a file.

        Raises:
            MediaError: it did not answer in time, ended, or said what it must not; it is ended.
            DiskFullError: there is no room for its sound; it is ended.
        """
        try:
            send_request(self._requests, media, kind)
            heard = ReceivedSound(self._options.max_seconds, self._folder)
            return read_reply(self._replies, Deadline(seconds), heard)
        except DeadlineExceeded:
            self.close(at_once=True)
            raise DecodeTimeoutError(
                f"'{media.name}' was not decoded within {seconds:g} s.", "LIKEWISE_DECODE_TIMEOUT sets the limit."
            ) from None
        except (PipeClosed, ConnectionError):
            raise DecoderCrashError(f"The decoder of '{media.name}' {self._exit_reason()}.") from None
        except DiskFullError:
            self.close(at_once=True)
            raise
        except Exception as error:  # what follows in the pipe cannot be assigned to a request
            self.close(at_once=True)
            said = error if isinstance(error, ProtocolError) else "what cannot be read"
            raise DecoderCrashError(f"The decoder of '{media.name}' answered with {said}.") from error

    def confinement(self) -> Confinement:
        """What keeps the child from acting on others. Waits until it is ready.

        Raises:
            DecoderStartError: it did not start.
            DecoderSandboxError: it would keep powers that it must not have.
        """
        if self._confinement is not None:
            return self._confinement
        said: Json = {}
        with contextlib.suppress(PipeClosed, DeadlineExceeded, ProtocolError):
            said = read_header(self._replies, Deadline(_START_SECONDS))
        if said.get("ready") is True:
            words = said["confinement"]
            self._confinement = Confinement(tuple(words["in_force"]), tuple(words["lacking"]))
            return self._confinement
        status = self._exit_reason()
        if "why" in said:
            raise DecoderSandboxError(
                f"Decoders must give up their powers (LIKEWISE_DECODER_SANDBOX=required), but {said['why']}.",
                "Run on a kernel that can take them; LIKEWISE_DECODER_SANDBOX=auto decodes without what is lacking.",
            )
        raise _not_started(f"it {status}")

    def _exit_reason(self) -> str:
        """How the child ended, in words; called when its pipe has closed."""
        status = self.close()
        if status < 0:
            try:
                cause = signal.Signals(-status)
            except ValueError:
                return f"was killed by signal {-status}"
            return f"was killed by {cause.name}{_LIKELY_CAUSE.get(cause, '')}"
        return f"ended with status {status}"

    def kill(self) -> None:
        """Kill the child. The pipes stay open for the thread that may be reading them."""
        self._child.kill()

    def close(self, *, at_once: bool = False) -> int:
        """End the child, by a signal if ``at_once``, and close its pipes; its exit status, negative for a signal."""
        assert self._child.stdout is not None
        if at_once:
            self._child.kill()
        self._requests.close()
        try:
            status = self._child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            status = self._child.wait()
        self._child.stdout.close()
        return status
