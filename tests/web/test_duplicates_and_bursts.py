"""From files to groups: what cameras write tells bursts from edits, and pixels where they write nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image


def texture(width: int, height: int, seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def scene(person: int, seed: int = 0) -> Image.Image:
    picture = texture(480, 320, seed)
    picture.paste(texture(32, 64, seed + 1), (person, 120))
    return picture


def exif(time: str | None, fraction: str = "", artist: str = "") -> bytes:
    written = Image.Exif()
    if artist:
        written[ExifTags.Base.Artist] = artist
    if time:
        written[ExifTags.Base.Make], written[ExifTags.Base.Model] = "Acme", "A1"
        shot = written.get_ifd(ExifTags.IFD.Exif)
        shot[ExifTags.Base.DateTimeOriginal] = f"2024:05:06 {time}"
        if fraction:
            shot[ExifTags.Base.SubsecTimeOriginal] = fraction
    return written.tobytes()


def jpeg(picture: Image.Image, described: bytes = b"", quality: int = 90) -> bytes:
    """A JPEG whose pixels do not depend on what is written of it."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    content = buffer.getvalue()
    if not described:
        return content
    return content[:2] + b"\xff\xe1" + (len(described) + 2).to_bytes(2, "big") + described + content[2:]


def relations(cli: Any, folder: Path) -> dict[str, list[str]]:
    cli("ingest", folder)
    groups = cli.json("duplicates")["groups"]
    return {
        group["relation"]: sorted(Path(path).name for one in group["members"] for path in one["paths"])
        for group in groups
    }


def test_frames_of_people_who_walk_are_a_burst_with_times_and_without(cli: Any, tmp_path: Path) -> None:
    folder = tmp_path / "walk"
    folder.mkdir()
    for at in range(3):
        (folder / f"timed{at}.jpg").write_bytes(jpeg(scene(100 + 20 * at, 10), exif(f"10:20:3{at}")))
        (folder / f"fraction{at}.jpg").write_bytes(jpeg(scene(100 + 20 * at, 20), exif("11:20:30", str(20 * at + 10))))
        (folder / f"second{at}.jpg").write_bytes(jpeg(scene(100 + 20 * at, 30), exif("12:20:30")))
        (folder / f"bare{at}.jpg").write_bytes(jpeg(scene(100 + 20 * at, 40)))
        (folder / f"still{at}.jpg").write_bytes(jpeg(scene(100, 50), exif(f"13:20:3{at}"), quality=90 - at))
    cli("ingest", folder)

    groups = cli.json("duplicates")["groups"]

    assert {group["relation"] for group in groups} == {"burst"}
    shots = [sorted(Path(one["paths"][0]).stem for one in group["members"]) for group in groups]
    names = ("bare", "fraction", "second", "still", "timed")
    assert sorted(shots) == [[f"{name}{at}" for at in range(3)] for name in names]
    assert sum(group["spare"] for group in groups) == 0
    said = cli("duplicates").stdout
    assert "burst, all of it to be kept" in said
    assert "edited" not in said


def test_the_same_pixels_with_other_metadata_are_no_edit(cli: Any, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    (folder / "bare.jpg").write_bytes(jpeg(scene(100)))
    (folder / "said.jpg").write_bytes(jpeg(scene(100), exif("10:20:30", artist="Ada Lovelace")))
    (folder / "again.jpg").write_bytes(jpeg(scene(100)))
    (folder / "small.jpg").write_bytes(jpeg(scene(100).resize((240, 160))))

    assert relations(cli, folder) == {
        "exact_copy": ["again.jpg", "bare.jpg"],
        "same_picture": ["again.jpg", "bare.jpg", "said.jpg"],
        "edited_copy": ["said.jpg", "small.jpg"],
    }
    said = cli("duplicates").stdout.splitlines()
    start = said.index("Group 2: image, same picture, other metadata")
    assert said[start + 1] == f"  {folder / 'said.jpg'}"
    assert "    Photographer: Ada Lovelace | –" in said
    assert "    Camera: Acme A1 | –" in said
    hits = cli.json("similar", folder / "bare.jpg", "--limit", "5")["hits"]
    assert [(Path(hit["paths"][0]).name, hit["relation"], hit["band"]) for hit in hits] == [
        ("again.jpg", "exact_copy", "identical"),
        ("said.jpg", "same_picture", "same picture"),
        ("small.jpg", "edited_copy", "edited copy"),
    ]


def test_an_uploaded_frame_is_compared_by_its_pixels(cli: Any, tmp_path: Path) -> None:
    folder = tmp_path / "stored"
    folder.mkdir()
    (folder / "first.jpg").write_bytes(jpeg(scene(100)))
    (tmp_path / "moved.jpg").write_bytes(jpeg(scene(130)))
    (tmp_path / "edit.jpg").write_bytes(jpeg(scene(100), quality=60))
    cli("ingest", folder)

    for name, relation in (("moved.jpg", "burst"), ("edit.jpg", "edited_copy")):
        (hit,) = cli.json("similar", tmp_path / name)["hits"]
        assert hit["relation"] == relation, name
