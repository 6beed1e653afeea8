"""What moved between two shots is told from what an edit changes, by their previews."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from search.settings import Settings
from search.similar.shots import Shot
from workers.alignment import MOST_BYTES, PreviewComparer, compare, moved
from workers.storage.previews import Previews

IDS = tuple(f"0a1b2c3d-0000-5000-8000-00000000000{at}" for at in range(3))


def scene(person: int | None = None, *, seed: int = 0, width: int = 480, height: int = 320) -> Image.Image:
    """A textured scene, and a textured figure whose left side is at ``person``."""
    picture = texture(width, height, seed)
    if person is not None:
        picture.paste(texture(60, 140, seed + 1), (person, 120))
    return picture


def texture(width: int, height: int, seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def gray(picture: Image.Image, side: int = 480) -> Any:
    shown = picture.convert("RGB")
    shown.thumbnail((side, side))
    return np.asarray(shown.convert("L"))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "none": lambda picture: picture,
    "half": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "stretched": lambda picture: picture.resize((400, 400)),
    "gray": ImageOps.grayscale,
    "contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.6),
    "darker": lambda picture: picture.point([int(255 * (level / 255) ** 1.8) for level in range(256)] * 3),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "cropped": lambda picture: picture.crop((20, 12, 470, 310)),
    "cut to a third": lambda picture: picture.crop((100, 60, 380, 250)),
    "framed": lambda picture: ImageOps.expand(picture, border=24, fill="black"),
    "turned a little": lambda picture: picture.rotate(2, Image.Resampling.BICUBIC).crop((20, 20, 460, 300)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_nothing_moves_in_an_edit(edit: str) -> None:
    original, edited = gray(scene(200)), gray(EDITS[edit](scene(200)))
    assert moved(original, edited) is False
    assert moved(edited, original) is False


@pytest.mark.parametrize("edit", ["none", "half", "gray", "darker", "cropped"])
def test_a_person_who_took_a_step_moved_whatever_was_edited(edit: str) -> None:
    first, second = gray(scene(200)), gray(EDITS[edit](scene(230)))
    assert moved(first, second) is True
    assert moved(second, first) is True


def test_a_person_who_hardly_moved_stands_out_from_all_else() -> None:
    blocks = compare(gray(scene(200)), gray(scene(202)))
    assert blocks is not None
    assert (blocks.many_unlike, blocks.stands_out, blocks.moved) == (False, True, True)


def test_a_person_who_came_moved() -> None:
    assert moved(gray(scene()), gray(scene(200))) is True


def test_parts_of_a_panorama_have_too_little_in_common_for_an_edit() -> None:
    wide = scene(width=800)
    left, right = gray(wide.crop((0, 0, 480, 320))), gray(wide.crop((240, 0, 720, 320)))
    blocks = compare(left, right)
    assert blocks is not None
    assert blocks.overlap == pytest.approx(0.5, abs=0.03)
    assert moved(left, right) is True


@pytest.mark.parametrize("size", [(480, 320), (10, 10), (480, 8)])
def test_too_plain_or_small_a_picture_tells_nothing(size: tuple[int, int]) -> None:
    plain = gray(Image.new("RGB", size, (90, 90, 90)))
    assert moved(plain, plain) is None
    assert moved(plain, gray(scene())) is None


def webp(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=78)
    return buffer.getvalue()


def test_only_small_webp_is_decoded_and_in_a_child(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preview may have been made by a decoder that a hostile file had taken over."""
    comparer = PreviewComparer(make_settings())
    png = io.BytesIO()
    scene().save(png, "PNG")
    wide, whole = webp(Image.new("RGB", (1200, 10))), webp(scene())
    monkeypatch.setattr(Image, "open", lambda *given, **named: pytest.fail("It is decoded in this process."))
    for content in (b"", b"no picture", whole[:200], whole + bytes(MOST_BYTES), png.getvalue(), wide):
        assert comparer.decoded(content) is None
    shown = comparer.decoded(whole)
    assert shown is not None
    assert (shown.shape, shown.dtype) == ((320, 480), np.uint8)
    monkeypatch.undo()
    assert (shown == np.asarray(Image.open(io.BytesIO(whole)).convert("L"))).all()
    (process,) = comparer._pool._processes
    del comparer
    gc.collect()
    assert not process.usable, "it ends with its owner"


def test_previews_are_read_by_key_and_comparisons_remembered(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings()
    keys = Previews(settings).save(dict(zip(IDS, map(webp, (scene(200), scene(200), scene(240))), strict=True)))
    first, same, other = (Shot(preview=keys[id_]) for id_ in IDS)
    comparer = PreviewComparer(settings)
    assert comparer.moved(first, same) is False
    assert comparer.moved(first, other) is True
    assert comparer.moved(first, Shot(preview=webp(scene(240)))) is True

    monkeypatch.setattr("workers.alignment.moved", lambda one, another: pytest.fail("It is compared again."))
    assert comparer.moved(other, first) is True


def test_a_preview_that_is_missing_tells_nothing(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings()
    (key,) = Previews(settings).save({IDS[0]: webp(scene())}).values()
    comparer = PreviewComparer(settings)
    here = Shot(preview=key)
    for preview in (None, f"0a/{IDS[1]}.webp", "../../etc/passwd", str(tmp_path), b"", b"no picture"):
        assert comparer.moved(here, Shot(preview=preview)) is None


def test_previews_may_lie_in_a_bucket(make_settings: Callable[..., Settings], bucket: Any) -> None:
    settings = make_settings(shared=f"{bucket.root}/likewise")
    keys = Previews(settings).save({IDS[0]: webp(scene(200)), IDS[1]: webp(scene(240))})
    first, second = (Shot(preview=key) for key in keys.values())
    assert PreviewComparer(settings).moved(first, second) is True
