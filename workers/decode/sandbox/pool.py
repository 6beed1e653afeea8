"""Pool of decoder child processes: files in, futures of decoded media out, isolated from this process."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

from search.errors import DecoderSandboxError, DecoderStartError, MediaError
from search.media import Kind
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.opened import ExpectedFile, OpenedMedia, open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.powers import Confinement
from workers.decode.sandbox.process import DecoderProcess
from workers.storage.disk_folder import disk_folder
from workers.storage.files import FileAccess
from workers.storage.objects import FileChangedError

COMMAND = (sys.executable, "-m", "workers.decode.sandbox.child")
PREVIEW_COMMAND = (sys.executable, "-m", "workers.decode.sandbox.preview_child")
VECTOR_CACHE_COMMAND = (sys.executable, "-m", "workers.decode.sandbox.vector_cache_child")
COLOUR_PREVIEW_COMMAND = (*PREVIEW_COMMAND, "colours")


class DecodePool:
    """Decodes files in child processes with limits on time and memory, as many at once as ``decode_workers``.

    Children start when there is work for them. Usable from several threads; use it as a context manager, or call
    :meth:`close`.

    Args:
        clips: also cut the clips of R3D-18 from videos.
        movement: also measure how videos move.
        command: starts a child; the options are appended as one argument.
    """

    def __init__(
        self, settings: Settings, *, clips: bool = False, movement: bool = False, command: Sequence[str] = COMMAND
    ) -> None:
        self._options = DecodeOptions.of(settings, clips=clips, movement=movement)
        self._seconds = settings.decode_timeout
        self._command = command
        self._access = FileAccess(settings)
        self._folder = partial(disk_folder, settings.home)
        self._lock = threading.Lock()
        self._processes: set[DecoderProcess] = set()
        self._closed = False
        self._per_thread = threading.local()
        self.workers = settings.decode_workers or settings.cores
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="decode")

    def submit(self, path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Decoded]:
        """Decode ``path`` when a child is free. An object of a bucket is copied first, and the copy removed afterwards.

        Args:
            path: a path, or an address.
            kind: assumed where the content does not tell; by the name when None.
            expected: what the path held when it was scanned; None for whatever it holds.

        Returns:
            A future that can be cancelled until it starts. Its exception is a ``MediaError``; a ``FileChangedError``
            when the path holds other bytes; a ``DecoderStartError`` when no child can be started for it; a
            ``DecoderSandboxError`` when one would have more powers than the settings allow; a ``DiskFullError`` when
            there is no room for a copy or for the samples of a long recording; or ``CancelledError`` when the pool was
            closed meanwhile.
        """
        return self._threads.submit(self._decode, path, kind, expected)

    def submit_bytes(self, data: bytes, name: str) -> Future[Decoded]:
        """Decode a file that is in memory, as :meth:`submit` does one in a folder.

        Args:
            name: of the file, for messages.
        """
        return self._threads.submit(self._decode_bytes, data, name)

    def confinement(self) -> Confinement:
        """What keeps the children from acting on others; one is started where there is none.

        Raises:
            DecoderStartError: it cannot be started.
            DecoderSandboxError: it would have more powers than the settings allow.
        """
        return self._threads.submit(lambda: self._process().confinement()).result()

    def close(self) -> None:
        """Cancel waiting files and kill the children. Prompt, and safe to call twice."""
        with self._lock:
            self._closed = True
            running = set(self._processes)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._access.close()
        for process in running:
            process.kill()
        self._threads.shutdown(wait=True)
        for process in self._processes:
            process.close(at_once=True)
        self._processes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decode(self, path: str, kind: Kind | None, expected: ExpectedFile | None) -> Decoded:
        of_copy = (expected.sha256, expected.sidecars) if expected is not None else ("", ())
        if expected is not None:  # a copy has been compared while it was made, and lies in a folder of its own
            here = replace(expected, root=self._access.local_address(expected.root) if expected.root else "")
            expected = None if self._access.is_copied(path) else here
        try:
            with self._access.local(path, *of_copy) as local:
                return self._decode_opened(lambda: open_media(local, self._options.max_bytes, expected), kind)
        except (MediaError, FileChangedError, DecoderStartError, DecoderSandboxError):
            if self._closed:
                raise CancelledError from None
            raise

    def _decode_bytes(self, data: bytes, name: str) -> Decoded:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return self._decode_opened(lambda: OpenedMedia(name, os.dup(file.fileno())), None)

    def _decode_opened(self, opened: Callable[[], OpenedMedia], kind: Kind | None) -> Decoded:
        """Decode what is opened once a child is there for it."""
        process = self._process()
        try:
            process.confinement()
            with opened() as media:
                return process.decode(media, kind, self._seconds)
        finally:
            if not process.usable:
                self._retire(process)

    def _process(self) -> DecoderProcess:
        """The child of this thread, which is started where there is none."""
        process: DecoderProcess | None = getattr(self._per_thread, "process", None)
        if process is not None and process.usable:
            return process
        if process is not None:
            self._retire(process)
        with self._lock:
            if self._closed:
                raise CancelledError
            process = DecoderProcess(self._command, self._options, self._folder)
            self._processes.add(process)
        self._per_thread.process = process
        return process

    def _retire(self, process: DecoderProcess) -> None:
        self._per_thread.process = None
        with self._lock:
            self._processes.discard(process)
        process.close()
