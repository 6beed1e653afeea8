"""Embed batches of files: decode, embed, write points, and report the outcome of each file.

Decoding runs in the pool's processes while this process embeds decoded media; a window bounds how much decoded media
waits. A bad file is an outcome, never an exception; only errors that stop every file (the store, the disk, a model
that cannot be loaded) are raised. A store that does not answer for a moment is waited for, so that decoded and embedded
media are not lost.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import Protocol

from search.errors import DecoderCrashError, DecoderStartError, DiskFullError, MediaError, ModelError
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from workers.batch.embedding_store import EmbeddingStore
from workers.batch.items import BatchItem, BatchProgress
from workers.batch.records import find_records, payload_changes, with_files
from workers.batch.report import Batch, BatchReport, FileRef, Status
from workers.batch.writer import Writer
from workers.cluster.retry import with_retries
from workers.decode.decoded import Decoded
from workers.decode.opened import ExpectedFile
from workers.embedders.models import Embedded
from workers.storage.files import FileAccess
from workers.storage.objects import FileChangedError
from workers.storage.previews import Previews

log = logging.getLogger(__name__)

SOUND_SECONDS = 1000
"""Seconds of decoded sound, 64 MB in memory or on a disk, from which a pass starts although its batch of pictures is
not full. Sounds are embedded one by one, so waiting gains nothing."""


class MediaDecoder(Protocol):
    """The methods of ``workers.decode.sandbox.pool.DecodePool`` that a batch uses."""

    def submit(self, path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Decoded]: ...


class MediaEmbedder(Protocol):
    """The methods of ``workers.embedders.models.Models`` that a batch uses."""

    def load(self) -> None: ...

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]: ...


class BatchProcessor:
    """Turns batches of files into stored points."""

    def __init__(self, settings: Settings, store: EmbeddingStore, pool: MediaDecoder, models: MediaEmbedder) -> None:
        self._settings, self._store, self._pool, self._models = settings, store, pool, models

    def process(self, batch: Batch) -> BatchReport:
        """Embed one batch.

        Raises:
            StoreError: the store or the disk refused; the whole batch can be run again.
            ModelError: a model could not be loaded.
        """
        return next(self.stream([batch]))

    def stream(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """Embed batches; reports come as batches end, which may be another order.

        The next batch is taken, and its decoding begins, while the last files of the one before are embedded.

        Raises:
            StoreError, ModelError: as :meth:`process`.
        """
        return _Stream(self._settings, self._store, self._pool, self._models).run(batches)


class _Stream:
    """The state of one run over many batches; used by one thread."""

    def __init__(self, settings: Settings, store: EmbeddingStore, pool: MediaDecoder, models: MediaEmbedder) -> None:
        self._settings, self._store, self._pool, self._models = settings, store, pool, models
        self._writer = Writer(settings, store)
        self._previews = Previews(settings)
        self._access = FileAccess(settings)
        workers = settings.decode_workers or settings.cores
        self._window = settings.batch_size + 2 * workers
        # Sounds and key frames are tens of megabytes: two a decoder keep it busy, however large a batch is.
        self._heavy = self._window // (2 * workers)
        self._queue: deque[BatchItem] = deque()
        self._decoding: dict[Future[Decoded], BatchItem] = {}
        self._decoded: list[tuple[BatchItem, Decoded]] = []
        self._by_id: dict[str, BatchItem] = {}
        self._open: list[BatchProgress] = []

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        source = iter(batches)
        try:
            self._fill(source)
            while self._open:
                if self._decoding:
                    self._collect()
                    self._fill(source)
                if self._enough() or not self._decoding:
                    waiting, self._decoded = self._decoded, []
                    self._fill(source)
                    self._embed(waiting)
                yield from self._finished()
                self._fill(source)
        finally:
            for future in self._decoding:
                future.cancel()

    def _fill(self, source: Iterator[Batch]) -> None:
        """Submit files to the decoders until the window is full, or a finished batch waits to be reported."""
        while sum(map(self._weight, self._decoding.values())) + len(self._decoded) < self._window:
            if self._queue:
                item = self._queue.popleft()
                item.began = time.monotonic()
                submitted = self._pool.submit(item.file.path, item.progress.batch.kind, _expected(item.file))
                self._decoding[submitted] = item
            elif any(progress.done for progress in self._open) or (batch := next(source, None)) is None:
                return
            else:
                self._admit(batch)

    def _weight(self, item: BatchItem) -> int:
        """Places of the window that a file takes while it is decoded."""
        return 1 if item.progress.batch.kind is Kind.IMAGE else self._heavy

    def _admit(self, batch: Batch) -> None:
        """Queue the files whose content is neither in progress nor stored, unless that is made anew."""
        progress = BatchProgress(batch, self._access)
        self._open.append(progress)
        ids = [media_id(file.sha256) for file in batch.files]
        known = with_retries(lambda: find_records(self._store, list(dict.fromkeys(ids))))
        for index, (file, id_) in enumerate(zip(batch.files, ids, strict=True)):
            item = BatchItem(progress, index, file, id_, known.get(id_))
            if id_ in self._by_id:
                self._by_id[id_].twins.append(item)
            elif item.known is not None and not file.anew and self._is_whole(item.known):
                known[id_] = self._add_path(item, item.known)
            else:
                self._by_id[id_] = item
                self._queue.append(item)

    def _is_whole(self, record: MediaRecord) -> bool:
        """Whether the preview of a stored content exists. Its spaces are checked by the store."""
        return record.thumbnail is None or self._previews.exists(record.thumbnail)

    def _add_path(self, item: BatchItem, record: MediaRecord) -> MediaRecord:
        if item.skip_if_changed():
            return record
        merged = with_files(record, [item.file])
        if changes := payload_changes(record, merged):
            with_retries(lambda: self._store.patch_payload(record.kind.collection, {record.id: changes}))
        item.end(Status.DUPLICATE, kind=record.kind)
        return merged

    def _collect(self) -> None:
        """Take the results of the decoders; wait for the first if there is none yet."""
        waited = time.monotonic()
        done, _ = wait(self._decoding, return_when=FIRST_COMPLETED)
        waited = time.monotonic() - waited
        for future in done:
            item = self._decoding.pop(future)
            item.progress.spend("decode", waited / len(done))
            try:
                decoded = future.result()
            except (CancelledError, DecoderStartError, DiskFullError):
                raise  # not the error of a file: decoded when the job goes on
            except FileChangedError:
                item.skip_changed()
                self._release(item)
            except Exception as error:  # the boundary of one file: any error of its decoder is its outcome
                self._fail(item, error if isinstance(error, MediaError) else DecoderCrashError(repr(error)))
            else:
                if not self._access.is_copied(item.file.path) and item.skip_if_changed():
                    self._release(item)
                else:
                    self._decoded.append((item, decoded))

    def _fail(self, item: BatchItem, error: MediaError | ModelError) -> None:
        if not item.skip_if_changed():
            item.end(Status.FAILED, code=error.code, detail=str(error))
        self._release(item)

    def _release(self, item: BatchItem) -> None:
        """Forget a file that was not embedded, and queue the next file of the same content instead."""
        del self._by_id[item.id]
        if item.twins:
            heir, *heir_twins = item.twins
            heir.twins = heir_twins
            self._by_id[item.id] = heir
            self._queue.appendleft(heir)

    def _enough(self) -> bool:
        """Whether the decoded pictures fill a forward pass, or too much sound waits for it."""
        rows = sum(max(1, len(decoded.crops)) for _, decoded in self._decoded)
        sound = sum(decoded.sound.seconds for _, decoded in self._decoded if decoded.sound is not None)
        return rows >= self._settings.batch_size or sound >= SOUND_SECONDS

    def _embed(self, waiting: Sequence[tuple[BatchItem, Decoded]]) -> None:
        if not waiting:
            return
        self._models.load()
        began = time.monotonic()
        made: list[tuple[BatchItem, Decoded, Embedded]] = []
        for item, decoded, embedded in self._run_models(waiting):
            if isinstance(embedded, ModelError):
                self._fail(item, embedded)
            elif not embedded.vectors and decoded.kind is not Kind.AUDIO:  # a silent recording is found by its name
                item.end(Status.SKIPPED, kind=decoded.kind, code="no_content", detail="It holds nothing to compare by.")
                self._release(item)
            else:
                made.append((item, decoded, embedded))
                del self._by_id[item.id]
        embedded_at = time.monotonic()
        with_retries(lambda: self._writer.write(made))
        written_at = time.monotonic()
        for item, _ in waiting:
            item.progress.spend("embed", (embedded_at - began) / len(waiting))
            item.progress.spend("write", (written_at - embedded_at) / len(waiting))

    def _run_models(
        self, waiting: Sequence[tuple[BatchItem, Decoded]]
    ) -> Iterator[tuple[BatchItem, Decoded, Embedded | ModelError]]:
        """Embed all files at once; if that fails, one by one, so that only the failing file fails."""
        try:
            together = self._models.embed([decoded for _, decoded in waiting])
        except Exception as error:  # the boundary of one file
            log.warning("Embedding %d files together failed (%s); trying them one by one.", len(waiting), error)
        else:
            for (item, decoded), embedded in zip(waiting, together, strict=True):
                yield item, decoded, embedded
            return
        for item, decoded in waiting:
            try:
                yield item, decoded, self._models.embed([decoded])[0]
            except ModelError as error:
                yield item, decoded, error
            except Exception as error:
                yield item, decoded, ModelError(f"Embedding failed: {error!r}.")

    def _finished(self) -> Iterator[BatchReport]:
        done = [progress for progress in self._open if progress.done]
        self._open = [progress for progress in self._open if not progress.done]
        for progress in done:
            yield progress.report()


def _expected(file: FileRef) -> ExpectedFile:
    return ExpectedFile(file.sha256, file.size, file.mtime, file.ctime_ns, file.root, file.sidecars)
