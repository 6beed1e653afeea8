"""Job task ``calibrate``: learn likeness curves for the models of this library from labelled folders.

A folder whose name begins with ``photographers`` is used for ``style``, others for what is shown and heard. Files that
are in the library are used with their stored vectors; others are embedded like examples of a query, and not stored. A
model that ships without curves gets provisional ones at its first use, from the scenes of the sample library.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from ingest.jobs.kinds import CalibrateOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.entries import chunked
from ingest.scan.allowed import AllowedFolders
from search.errors import MediaError, UnsupportedMediaError, UsageError
from search.labels import read_labels
from search.likeness.curve import LikenessCurve
from search.likeness.curves import compared_spaces, curves_of
from search.likeness.labelled_pairs import Labelled, labels_are_about
from search.media import KIND_OF, Kind, media_id
from search.model_descriptions.registry import find_model
from search.similar.questions import Probe
from search.spaces import Space
from search.store.base import Array, Store
from search.store.temporary_folders import temporary_folder
from workers.calibrate import LEAST_PAIRS, learn
from workers.embedders.sound.standardise import restandardise

log = logging.getLogger(__name__)

PAGE = 64
MOST_FILES = 5_000
"""Most files of a folder that are used, spread evenly over its labels: more hardly change a curve, and all their
vectors are in memory at once."""


class FileEncoder(Protocol):
    """Embeds files."""

    def probe(self, path: str, name: str = "") -> Probe:
        """The file as an example of a query.

        Raises:
            MediaError: it cannot be decoded.
        """
        ...


class Calibrate:
    """The task ``calibrate``.

    Args:
        encoder: called when a file is not in the library, for what embeds it.
        allowed: where media may lie.
    """

    def __init__(self, store: Store, encoder: Callable[[], FileEncoder], allowed: AllowedFolders) -> None:
        self._store, self._encoder, self._allowed = store, encoder, allowed

    def check(self, options: CalibrateOptions) -> str:
        """Check the folders; the job's title.

        Raises:
            NotFoundError: a folder does not exist.
            UsageError: it holds no labelled file, or nothing has been ingested.
        """
        for folder in options.folders:
            read_labels(folder)
        if not any(info.points for info in self._store.collections().values()):
            raise UsageError(
                "Nothing has been ingested yet, so it is not settled which models are used.", "Ingest something first."
            )
        return ", ".join(folder.name for folder in options.folders)

    def run(self, options: CalibrateOptions, job: TaskRun) -> str:
        """Learn the curves, and save them.

        Raises:
            UsageError: there are too few labelled files.
            NotAllowedError: an administrator's list does not name a folder any more.
            StoreError, ModelError: it is not possible now.
        """
        for folder in options.folders:
            self._allowed.check(os.path.realpath(folder), anywhere=True)
        folders = {folder: _spread(read_labels(folder)) for folder in options.folders}
        job.begin(sum(map(len, folders.values())))
        # Files that are embedded here cannot be compared with sounds that an older version standardised.
        restandardise(self._store, goes_on=job.goes_on)
        media = LabelledMedia(self._store)
        for folder, labels in folders.items():
            for some in chunked(labels.items(), PAGE):
                if not job.goes_on():
                    return "Nothing was changed."
                done, failed = media.add(folder, some, self._encoder)
                job.count(done=done, failed=failed, skipped=len(some) - done - failed)
        learnt = media.curves()
        if not learnt:
            raise UsageError(
                f"No space has {LEAST_PAIRS} pairs of files with the same label, and others with different ones.",
                "Sort more files into folders, one a label.",
            )
        curves_of(self._store).save({space.fingerprint: curves for space, curves in learnt.items()})
        return " ".join(_summary(space, curves) for space, curves in learnt.items())


def make_provisional(
    store: Store,
    encoder: Callable[[], FileEncoder],
    goes_on: Callable[[], bool] = lambda: True,
    scratch: Path | None = None,
) -> list[str]:
    """Learn provisional curves for the spaces of models without any; the names of those that got some. Takes about a
    minute where there are any.

    Args:
        goes_on: called between files; when it returns False, the next call starts again.
        scratch: a folder that what embeds can read as well.

    Raises:
        StoreError, ModelError, OSError: it is not possible now.
    """
    wanted = [space for space in curves_of(store).unlearnt() if find_model(space.model) is not None]
    if not wanted or not any(info.points for info in store.collections().values()):
        return []
    from ingest.sample.library import make_sample_library

    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with temporary_folder("likewise-calibrate-", scratch) as folder:
        library = make_sample_library(folder)
        labels = [
            (str(library.folder / file.path), label)
            for file in library.files
            if not (file.broken or file.copy_of or file.edit_of)
            and (label := file.subjects[0] if file.subjects else file.sound)
        ]
        media = LabelledMedia(store)
        embedded = 0
        for one in labels:
            if not goes_on():
                return []
            embedded += media.add(Path("sample"), [one], encoder)[0]
        learnt = media.curves(provisional=True)
    if not embedded:
        return []
    # Spaces with too few files in the sample library get none, and are not tried again.
    curves_of(store).save_provisional({space.fingerprint: learnt.get(space, {}) for space in wanted})
    return [space.name for space in wanted if space in learnt]


class LabelledMedia:
    """Labelled media with their vectors in every space of the library."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spaces: dict[str, dict[str, Space]] = {
            name: {space.name: space for space in compared_spaces(info.schema)}
            for name, info in store.collections().items()
        }
        self._media: dict[Space, list[Labelled]] = {}

    def add(
        self, folder: Path, labels: Iterable[tuple[str, str]], encoder: Callable[[], FileEncoder]
    ) -> tuple[int, int]:
        """Add files of a folder, given as path and label; the number of files that were added, and the number of media
        files that could not be decoded.

        Equal labels of different folders count as different.
        """
        known: dict[str, tuple[str, str]] = {}
        failed = 0
        for path, label in labels:
            try:
                with Path(path).open("rb") as file:
                    known[media_id(hashlib.file_digest(file, "sha256").hexdigest())] = (path, label)
            except OSError as error:
                log.warning("%s is left out: it cannot be read (%s).", path, error.strerror)
                failed += 1
        stored = set(self._stored(folder, known))
        done = len(stored)
        for id_, (path, label) in known.items():
            if id_ in stored:
                continue
            try:
                probe = encoder().probe(path)
            except UnsupportedMediaError:
                continue
            except MediaError as error:
                log.warning("%s is left out: %s", path, error)
                failed += 1
                continue
            spaces = self._spaces.get(probe.kind.collection, {})
            made = {n: v for n, v in probe.vectors.items() if n in spaces and probe.spaces[n] == spaces[n].fingerprint}
            self._take(folder, probe.kind, label, made, id_)
            done += 1
        return done, failed

    def curves(self, *, provisional: bool = False) -> dict[Space, dict[str, LikenessCurve]]:
        """The curves that can be learnt, by space and pair of kinds."""
        learnt = {space: learn(media, provisional=provisional) for space, media in self._media.items()}
        return {space: curves for space, curves in learnt.items() if curves}

    def _stored(self, folder: Path, known: Mapping[str, tuple[str, str]]) -> Iterator[str]:
        """Add the vectors of files in the library; yields the ids of these."""
        for collection, spaces in self._spaces.items():
            for point in self._store.retrieve(collection, list(known), vectors=[*spaces], payload=False):
                if point.vectors:
                    self._take(folder, KIND_OF[collection], known[point.id][1], point.vectors, point.id)
                    yield point.id

    def _take(self, folder: Path, kind: Kind, label: str, vectors: Mapping[str, Array], source: str) -> None:
        for name, space in self._spaces.get(kind.collection, {}).items():
            rows = vectors.get(name)
            if rows is not None and len(rows) and labels_are_about(name, folder.name):
                self._media.setdefault(space, []).append(Labelled(kind, f"{folder}/{label}", rows, source))


def _spread(labels: Mapping[str, str]) -> dict[str, str]:
    """At most :data:`MOST_FILES` of the labelled files, a proportional share of each label."""
    ordered = sorted(labels.items(), key=lambda one: (one[1], one[0]))
    step = max(1.0, len(ordered) / MOST_FILES)
    return dict(ordered[int(at * step)] for at in range(min(len(ordered), MOST_FILES)))


def _summary(space: Space, curves: Mapping[str, LikenessCurve]) -> str:
    kinds = ", ".join(f"{curve.pairs:,} pairs of {name.replace(':', ' and ')}" for name, curve in curves.items())
    return f"{space.name}: {kinds}."
