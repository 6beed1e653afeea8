"""Base photos are split so that nothing of one side can be known from the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from search.errors import NotFoundError, UsageError
from search.settings import Settings
from workers.decode.sandbox.pool import DecodePool
from workers.photographers.benchmark.photos import LONG_SIDE, Album, BasePhoto, Split, read_subjects, split, unsqueezed


def photo(subject: str, name: str, fingerprint: str = "") -> BasePhoto:
    return BasePhoto(name, subject, np.zeros((4, 4, 3), np.uint8), fingerprint)


class Known(Album):
    """Photos without files: each is there, with its path's fingerprint, unless it is said to be broken."""

    def __init__(self, broken: frozenset[str] = frozenset(), prints: dict[str, str] | None = None) -> None:
        self.broken, self._broken, self._prints = [], broken, prints or {}

    def photo(self, path: str, subject: str) -> BasePhoto | None:
        if path in self._broken:
            self.broken.append(f"'{path}' is a broken picture.")
            return None
        return photo(subject, path, self._prints.get(path, ""))


def many(subjects: int, each: int) -> dict[str, str]:
    return {f"{s}/{n}.jpg": str(s) for s in range(subjects) for n in range(each)}


def textured(path: Path, seed: int, size: tuple[int, int] = (90, 120)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("seed", range(5))
def test_no_subject_is_on_both_sides_and_subjects_are_drawn_evenly(seed: int) -> None:
    found = split(many(20, 10), Known(), 42, 20, 0, np.random.default_rng(seed))
    assert (len(found.gallery), len(found.question), found.shared) == (42, 20, 0)
    counts = np.unique([one.subject for one in found.gallery], return_counts=True)[1]
    assert np.ptp(counts) <= 1


def test_another_seed_draws_otherwise_and_the_same_seed_alike() -> None:
    subjects = many(20, 10)
    first = split(subjects, Known(), 42, 20, 0, np.random.default_rng(1))
    again = split(subjects, Known(), 42, 20, 0, np.random.default_rng(1))
    other = split(subjects, Known(), 42, 20, 0, np.random.default_rng(2))
    assert [one.path for one in first.question] == [one.path for one in again.question]
    assert {one.path for one in first.question} != {one.path for one in other.question}


def test_what_cannot_be_decoded_is_passed_over() -> None:
    subjects = many(10, 10)
    broken = frozenset(path for path in subjects if path.endswith(("0.jpg", "1.jpg")))
    found = split(subjects, Known(broken), 40, 20, 0, np.random.default_rng(0))
    assert not broken & {one.path for one in (*found.gallery, *found.question)}
    assert (len(found.gallery), len(found.question)) == (40, 20)


def test_a_copy_of_a_photo_does_not_get_to_the_other_side() -> None:
    subjects = many(12, 6)
    prints = {path: np.random.default_rng(at).bytes(32).hex() for at, path in enumerate(subjects)}
    prints |= dict.fromkeys(("3/1.jpg", "5/2.jpg", "8/3.jpg"), prints["0/0.jpg"])
    found = split(subjects, Known(prints=prints), 50, 22, 0, np.random.default_rng(0))
    copies = [one for one in (*found.gallery, *found.question) if one.fingerprint == prints["0/0.jpg"]]
    assert len(copies) == 1
    assert found.shared == 0


@pytest.mark.parametrize(
    "leak",
    [
        lambda mine: replace(mine, path="elsewhere"),  # the same subject
        lambda mine: replace(mine, subject="another"),  # the same file
        lambda mine: replace(mine, subject="another", path="elsewhere"),  # a copy of it
    ],
)
def test_a_leak_is_counted(leak: object) -> None:
    assert callable(leak)
    mine = photo("cats", "cats/1.jpg", "ab" * 32)
    honest = photo("dogs", "dogs/1.jpg", "17" * 32)
    assert Split((mine,), (honest,)).shared == 0
    assert Split((mine,), (honest, leak(mine))).shared == 1


def test_too_few_subjects_for_two_sides_are_refused_in_words() -> None:
    with pytest.raises(UsageError, match="Only 40 photos can be learnt from and 3 asked about"):
        split(
            {**many(1, 40), **{f"few/{n}.jpg": "few" for n in range(3)}}, Known(), 40, 20, 0, np.random.default_rng(2)
        )


def test_files_that_cannot_be_decoded_are_the_reason_given() -> None:
    subjects = many(10, 4)
    with pytest.raises(UsageError, match=r"40 could not be decoded: '.*' is a broken picture"):
        split(subjects, Known(frozenset(subjects)), 40, 20, 0, np.random.default_rng(0))


def test_folders_are_classes_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("cats", "dogs"):
        for number in range(15):
            textured(tmp_path / name / f"{number}.jpg", number)
    (tmp_path / "cats" / "notes.txt").write_text("no photo")
    subjects, classes = read_subjects(tmp_path)
    assert classes
    assert len(subjects) == 30
    assert set(subjects.values()) == {"cats", "dogs"}


@pytest.mark.parametrize("folder", [".", "only"])
def test_without_classes_every_photo_is_a_subject(folder: str, tmp_path: Path) -> None:
    for number in range(30):
        textured(tmp_path / folder / f"{number}.jpg", number)
    subjects, classes = read_subjects(tmp_path)
    assert not classes
    assert len(set(subjects.values())) == len(subjects) == 30


def test_an_empty_folder_and_no_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds 0 photos; the benchmark needs at least 30"):
        read_subjects(tmp_path)
    with pytest.raises(NotFoundError):
        read_subjects(tmp_path / "nowhere")


def test_an_album_decodes_in_children_once_in_the_photos_own_proportions(tmp_path: Path) -> None:
    textured(tmp_path / "wide.jpg", 1, (50, 200))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    with DecodePool(Settings(home=tmp_path / "home", decode_workers=1)) as pool:
        album = Album(pool)
        found = album.photo(str(tmp_path / "wide.jpg"), "x")
        assert found is not None
        assert found.pixels.shape == (LONG_SIDE // 4, LONG_SIDE, 3)
        assert found.fingerprint
        assert album.photo(str(tmp_path / "wide.jpg"), "x") is found
        assert album.photo(str(tmp_path / "broken.jpg"), "x") is None


def test_unsqueezing_gives_back_the_proportions_and_the_picture() -> None:
    ramp = np.repeat(np.linspace(0, 255, 224)[:, None, None], 224, axis=1).astype(np.uint8).repeat(3, axis=2)
    tall = unsqueezed(ramp, 300, 600)
    assert tall.shape == (LONG_SIDE, LONG_SIDE // 2, 3)
    assert np.abs(tall[:, 0, 0] - np.linspace(0, 255, LONG_SIDE)).max() < 3
