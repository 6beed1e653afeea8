"""The sample library: what it holds, that what it says of itself is true, and that making it again changes nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import pillow_heif
import pytest
from PIL import ExifTags, Image, UnidentifiedImageError

from ingest.sample import library
from ingest.sample.library import SampleLibrary, make_sample_library
from ingest.sample.photographers import PHOTOGRAPHERS
from search.media import Kind

pillow_heif.register_heif_opener()


@pytest.fixture
def sample(sample_library: SampleLibrary, fewer_samples: None) -> SampleLibrary:
    """A part of the library, which the functions of ``library`` then describe too."""
    return sample_library


@pytest.fixture
def described() -> SampleLibrary:
    """The whole library as it is described, of which no file is made."""
    groups = (library.video_items, library.picture_items, library.sound_items, library.broken_items, library.copy_items)
    return SampleLibrary(Path("nowhere"), tuple(item.file for group in groups for item in group()))


def originals(sample: SampleLibrary, kind: Kind) -> list[library.SampleFile]:
    return [file for file in sample.of(kind) if not file.copy_of and not file.edit_of]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_describes_exactly_the_files_on_disk(sample: SampleLibrary) -> None:
    found = {
        path.relative_to(sample.folder).as_posix()
        for path in sample.folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    described = [file.path for file in sample.files]
    assert found == set(described)
    assert len(described) == len(found)


def test_every_photographer_takes_every_subject_twice(described: SampleLibrary) -> None:
    pictures = originals(described, Kind.IMAGE)
    taken = Counter((file.photographer, file.subjects) for file in pictures)
    assert len({photographer for photographer, _ in taken}) == 5
    assert len({subjects for _, subjects in taken}) >= 8
    assert set(taken.values()) == {2}


def test_each_manner_of_moving_and_kind_of_sound_has_variations(described: SampleLibrary) -> None:
    motions = Counter(file.motion for file in originals(described, Kind.VIDEO))
    sounds = Counter(file.sound for file in originals(described, Kind.AUDIO))
    assert len(motions) >= 6
    assert min(motions.values()) >= 2
    assert len(sounds) >= 6
    assert min(sounds.values()) >= 4


def test_some_films_are_cut_from_two_subjects_that_pictures_show(described: SampleLibrary) -> None:
    pictured = {subject for file in described.of(Kind.IMAGE) for subject in file.subjects}
    films = originals(described, Kind.VIDEO)
    assert all(set(film.subjects) <= pictured for film in films)
    assert sum(len(film.subjects) == 2 for film in films) >= 3


def test_is_small(sample: SampleLibrary, described: SampleLibrary) -> None:
    estimated = 0.0
    for kind in Kind:
        sizes = [(sample.folder / file.path).stat().st_size for file in sample.of(kind)]
        pixels = 1 if kind is Kind.AUDIO else 4  # the tests' library has a quarter of them or more
        estimated += pixels * sum(sizes) / len(sizes) * len(described.of(kind))
    assert estimated < 40_000_000


def test_pictures_decode_and_name_their_photographer_and_camera(sample: SampleLibrary) -> None:
    cameras = {photographer.name: photographer.camera[1] for photographer in PHOTOGRAPHERS}
    for file in originals(sample, Kind.IMAGE):
        with Image.open(sample.folder / file.path) as image:
            image.load()
            exif = image.getexif()
        assert exif[ExifTags.Base.Artist] == file.photographer, file.path
        assert exif[ExifTags.Base.Model] == cameras[file.photographer or ""], file.path
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert details[ExifTags.Base.FNumber] > 1, file.path
        assert str(details[ExifTags.Base.DateTimeOriginal]).startswith("202"), file.path


def test_films_decode_and_carry_the_sound_they_are_said_to(sample: SampleLibrary) -> None:
    paths = {file.path: file for file in sample.files}
    carrying = 0
    for film in originals(sample, Kind.VIDEO):
        with av.open(sample.folder / film.path) as container:
            frames = sum(1 for _ in container.decode(video=0))
            tracks = len(container.streams.audio)
        assert frames >= 40, film.path
        assert tracks == (1 if film.carries else 0), film.path
        if film.carries:
            carrying += 1
            assert paths[film.carries].sound == film.sound
            assert sound_seconds(sample.folder / film.path) == pytest.approx(
                sound_seconds(sample.folder / film.carries), abs=0.2
            )
    assert carrying >= 2


def sound_seconds(path: Path) -> float:
    with av.open(path) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) / stream.rate


def test_sounds_decode_in_every_format(sample: SampleLibrary) -> None:
    assert {Path(file.path).suffix for file in sample.of(Kind.AUDIO)} >= {
        ".wav",
        ".flac",
        ".mp3",
        ".ogg",
        ".opus",
        ".m4a",
    }
    for file in sample.of(Kind.AUDIO):
        assert 1.9 <= sound_seconds(sample.folder / file.path) <= 8, file.path


def test_copies_have_the_same_bytes_and_edits_do_not(sample: SampleLibrary) -> None:
    copies = [file for file in sample.files if file.copy_of]
    edits = [file for file in sample.files if file.edit_of]
    assert {file.kind for file in copies} == {file.kind for file in edits} == set(Kind)
    for file in copies:
        assert digest(sample.folder / file.path) == digest(sample.folder / str(file.copy_of))
    for file in edits:
        assert digest(sample.folder / file.path) != digest(sample.folder / str(file.edit_of))
    unique = {digest(sample.folder / file.path) for file in sample.files}
    assert len(unique) == len(sample.files) - len(copies)


def test_broken_files_cannot_be_decoded(sample: SampleLibrary) -> None:
    picture, film = sample.broken
    with pytest.raises((OSError, UnidentifiedImageError)), Image.open(sample.folder / picture.path) as image:
        image.load()
    with pytest.raises(av.FFmpegError), av.open(sample.folder / film.path) as container:
        list(container.decode(video=0))


def test_a_second_call_leaves_everything_as_it_is(sample: SampleLibrary) -> None:
    before = {file.path: (sample.folder / file.path).stat() for file in sample.files}
    assert make_sample_library(sample.folder) == sample
    after = {file.path: (sample.folder / file.path).stat() for file in sample.files}
    assert {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in before.items()} == {
        path: (stat.st_ino, stat.st_mtime_ns) for path, stat in after.items()
    }


def test_an_interrupted_library_is_completed_with_the_same_bytes(sample: SampleLibrary, tmp_path: Path) -> None:
    sample = replace(sample, folder=shutil.copytree(sample.folder, tmp_path / "library"))
    lost = [
        next(file for file in sample.files if file.path.endswith(extension) and not file.broken)
        for extension in (".jpg", ".heic", ".avif", ".webp", ".png", ".mp4", ".webm", ".opus", ".m4a", ".mp3", ".ogg")
    ]
    before = {
        file.path: (digest(sample.folder / file.path), (sample.folder / file.path).stat().st_mtime) for file in lost
    }
    for file in lost:
        (sample.folder / file.path).unlink()
    make_sample_library(sample.folder)
    after = {
        file.path: (digest(sample.folder / file.path), (sample.folder / file.path).stat().st_mtime) for file in lost
    }
    assert after == before


def test_an_older_version_is_replaced_and_other_files_are_kept(
    tmp_path: Path, sample: SampleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounds = [item for item in library.sound_items() if item.file.sound == "drums"]
    for group in ("video_items", "picture_items", "broken_items", "copy_items"):
        monkeypatch.setattr(library, group, list)
    monkeypatch.setattr(library, "sound_items", lambda: sounds)
    old, own = tmp_path / sounds[0].file.path, tmp_path / "sounds" / "drums" / "mine.wav"
    own.parent.mkdir(parents=True)
    old.write_bytes(b"from an older version")
    own.write_bytes(b"somebody's own")
    (tmp_path / library.MARKER).write_text(json.dumps({"version": library.VERSION - 1}))

    made = make_sample_library(tmp_path)

    assert len(made.files) == len(sounds)
    for item in sounds:
        assert digest(tmp_path / item.file.path) == digest(sample.folder / item.file.path)
    assert own.read_bytes() == b"somebody's own"
