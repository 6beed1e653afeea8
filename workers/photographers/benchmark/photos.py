"""Base photos of a folder, split so that gallery and question share neither photo nor subject."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from search.errors import MediaError, NotFoundError, UsageError
from search.labels import read_labels
from search.media import Kind
from search.similar.near import PICTURE_BITS, fingerprint_distances
from workers.decode.kinds import kind_of_name
from workers.decode.sandbox.pool import DecodePool

LONG_SIDE = 320
"""Pixels of a base photo's long side, about what a preview on a page has."""

LEAST_GALLERY, LEAST_QUESTION = 20, 10
"""Fewer photos than these on either side are refused: an encoder is trained on twenty, a set of ten needs ten."""


@dataclass(frozen=True, slots=True)
class BasePhoto:
    """A photo as it is before any photographer develops it.

    Attributes:
        subject: the class it belongs to; its path where the folder has no classes.
        pixels: uint8 ``(h, w, 3)`` RGB, long side ``LONG_SIDE``, in its own proportions.
        fingerprint: perceptual hash, empty when the photo is too plain for one.
    """

    path: str
    subject: str
    pixels: NDArray[np.uint8]
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Photos to learn photographers from, and photos to ask about.

    Attributes:
        practice: more photos of the gallery's side, for what is learnt without photographers; the gallery among them.
    """

    gallery: tuple[BasePhoto, ...]
    question: tuple[BasePhoto, ...]
    practice: tuple[BasePhoto, ...] = ()

    @property
    def shared(self) -> int:
        """Photos of the question whose subject, path or fingerprint is learnt from too; 0 in an honest split."""
        learnt = (*self.gallery, *self.practice)
        subjects = {photo.subject for photo in learnt}
        paths = {photo.path for photo in learnt}
        prints = [photo.fingerprint for photo in learnt if photo.fingerprint]
        return sum(
            photo.subject in subjects or photo.path in paths or _near(photo.fingerprint, prints)
            for photo in self.question
        )


def read_subjects(folder: Path) -> tuple[dict[str, str], bool]:
    """Absolute paths of the photos below ``folder`` with their subjects, and whether those are classes.

    Classes are the folders in it, or what its manifest says (``search.labels``). Where there are fewer than two, every
    photo is a subject of its own.

    Raises:
        NotFoundError: there is no such folder.
        UsageError: too few photos for any split.
    """
    root = Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100 - resolve() would follow links
    if not root.is_dir():
        raise NotFoundError(f"'{root}' is not a folder.")
    try:
        labels = read_labels(root)
    except NotFoundError:
        raise
    except UsageError:
        labels = {}
    photos = {path: label for path, label in sorted(labels.items()) if kind_of_name(path) is Kind.IMAGE}
    classes = len(set(photos.values())) > 1
    if not classes:
        files = (path for path in sorted(root.rglob("*")) if not path.name.startswith(".") and path.is_file())
        photos = {name: name for name in map(Path.as_posix, files) if kind_of_name(name) is Kind.IMAGE}
    if len(photos) < LEAST_GALLERY + LEAST_QUESTION:
        raise UsageError(
            f"'{root}' holds {len(photos)} photos; the benchmark needs at least {LEAST_GALLERY + LEAST_QUESTION}.",
            "Name a folder with more photos, in one folder a subject where they have subjects.",
        )
    return photos, classes


class Album:
    """Decodes photos in decoder children when they are first asked for, and keeps them.

    Attributes:
        broken: what was said of each file that could not be decoded.
    """

    def __init__(self, pool: DecodePool) -> None:
        self.broken: list[str] = []
        self._pool = pool
        self._known: dict[str, BasePhoto | None] = {}

    def photo(self, path: str, subject: str) -> BasePhoto | None:
        """None for a file that cannot be decoded."""
        if path not in self._known:
            self._known[path] = self._decode(path, subject)
        return self._known[path]

    def _decode(self, path: str, subject: str) -> BasePhoto | None:
        try:
            decoded = self._pool.submit(path, Kind.IMAGE).result()
        except MediaError as error:
            self.broken.append(error.message)
            return None
        if decoded.whole is None or not len(decoded.whole):
            return None
        pixels = unsqueezed(decoded.whole[0], decoded.facts.width or 1, decoded.facts.height or 1)
        return BasePhoto(path, subject, pixels, next(iter(decoded.fingerprints), ""))


def unsqueezed(square: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture that was squeezed to a square, back in its proportions, long side ``LONG_SIDE`` pixels."""
    scale = LONG_SIDE / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels: NDArray[np.uint8] = cv2.resize(square, size, interpolation=cv2.INTER_CUBIC)
    return pixels


def split(
    subjects: Mapping[str, str], album: Album, gallery: int, question: int, practice: int, rng: np.random.Generator
) -> Split:
    """Photos drawn evenly over subjects, every subject on one side only; copies of a photo already drawn, and files
    that cannot be decoded, are passed over.

    Args:
        gallery, question: photos wanted on either side; where there are fewer, all there are.
        practice: photos wanted of the gallery's side in all, where it is more than ``gallery``.

    Raises:
        UsageError: one side gets too few.
    """
    sides = _sides(subjects, gallery, question, rng)
    drawn: list[list[BasePhoto]] = []
    prints: list[str] = []
    for paths, wanted in zip(sides, (max(gallery, practice), question), strict=True):
        photos: list[BasePhoto] = []
        for path in _round_robin(paths, subjects, rng):
            if len(photos) == wanted:
                break
            photo = album.photo(path, subjects[path])
            if photo is None or _near(photo.fingerprint, prints):
                continue
            photos.append(photo)
            prints += [photo.fingerprint] if photo.fingerprint else []
        drawn.append(photos)
    found = Split(tuple(drawn[0][:gallery]), tuple(drawn[1]), tuple(drawn[0]))
    if len(found.gallery) < LEAST_GALLERY or len(found.question) < LEAST_QUESTION:
        broken = f" {len(album.broken)} could not be decoded: {album.broken[0]}" if album.broken else ""
        raise UsageError(
            f"Only {len(found.gallery)} photos can be learnt from and {len(found.question)} asked about when no "
            f"subject is on both sides; it takes {LEAST_GALLERY} and {LEAST_QUESTION}.{broken}",
            "Name a folder with more photos, or with more folders of photos in it.",
        )
    return found


def _sides(
    subjects: Mapping[str, str], gallery: int, question: int, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Paths of either side: subjects in random order, each to the side that lacks most of what it should have."""
    members: dict[str, list[str]] = {}
    for path, subject in subjects.items():
        members.setdefault(subject, []).append(path)
    names = list(members)
    sides: tuple[list[str], list[str]] = ([], [])
    for at in rng.permutation(len(names)):
        lacks_gallery, lacks_question = len(sides[0]) / gallery, len(sides[1]) / question
        sides[int(lacks_question < lacks_gallery)].extend(members[names[at]])
    return sides


def _round_robin(paths: Sequence[str], subjects: Mapping[str, str], rng: np.random.Generator) -> Iterator[str]:
    """The paths in random order, one of each subject before the second of any."""
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, str]] = []
    for order, at in enumerate(rng.permutation(len(paths))):
        subject = subjects[paths[at]]
        seen[subject] = seen.get(subject, 0) + 1
        ranked.append((seen[subject], order, paths[at]))
    return (path for _, _, path in sorted(ranked))


def _near(fingerprint: str, others: Sequence[str]) -> bool:
    if not fingerprint or not others:
        return False
    return bool(fingerprint_distances([fingerprint], list(others)).min() <= PICTURE_BITS)
