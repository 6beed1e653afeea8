from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from search.errors import MediaError
from search.similar.near import PICTURE_BITS, SOUND_BITS
from workers.decode.perceptual import picture_fingerprint, sound_fingerprint
from workers.decode.sound import SOUND_RATE


def distance(a: str | None, b: str | None) -> int:
    assert a is not None
    assert b is not None
    return (int(a, 16) ^ int(b, 16)).bit_count()


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p.resize((90, 70)),
        lambda p: p.resize((500, 500)),
        lambda p: p.filter(ImageFilter.GaussianBlur(2)),
        lambda p: ImageEnhance.Contrast(p).enhance(1.4),
        lambda p: ImageEnhance.Brightness(p).enhance(0.7),
        lambda p: p.convert("L"),
    ],
)
def test_edits_stay_near(photo: Image.Image, edit) -> None:
    assert distance(picture_fingerprint(photo), picture_fingerprint(edit(photo))) <= PICTURE_BITS


def test_other_pictures_are_far(photo: Image.Image) -> None:
    other = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert distance(picture_fingerprint(photo), picture_fingerprint(other)) > 2 * PICTURE_BITS


def test_plain_pictures_have_none() -> None:
    assert picture_fingerprint(Image.new("RGB", (100, 100), "teal")) is None
    sky = Image.linear_gradient("L").resize((300, 200))
    assert picture_fingerprint(sky.point(lambda level: level // 8)) is None


UNLIKE = ("rotate", "flip", "letterboxed")


def test_every_edit_of_the_bridge_is_near_another_and_no_distractor_is(decode, shared_data: Path) -> None:
    prints: dict[str, str] = {}
    for row in csv.DictReader((shared_data / "images_neardup" / "manifest.csv").open()):
        try:
            found = decode(shared_data / "images_neardup" / row["path"]).fingerprints
        except MediaError:
            assert row["decodes"] == "0"
            continue
        prints.update((row["path"], text) for text in found)
    for path, text in prints.items():
        near = {other for other in prints if other != path and distance(text, prints[other]) <= PICTURE_BITS}
        assert {other.split("/")[0] for other in near} <= {path.split("/")[0]}
        if path.startswith("bridge/") and not any(word in path for word in UNLIKE):
            assert near, f"{path} is near no other edit"


def test_different_photographs_are_hardly_ever_near(shared_data: Path) -> None:
    """Among some 320,000 pairs only stop signs, cropped to the very same octagon, come within the threshold."""
    bits, labels = [], []
    for path in sorted((shared_data / "images_caltech101").rglob("*.jpg")):
        with Image.open(path) as picture:
            text = picture_fingerprint(picture.convert("RGB"))
        if text:
            bits.append(np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)).astype(np.float32))
            labels.append(path.parent.name)
    matrix = np.stack(bits)
    differing = matrix @ (1 - matrix).T + (1 - matrix) @ matrix.T
    first, second = np.nonzero(np.triu(differing <= PICTURE_BITS, 1))
    assert all(labels[a] == labels[b] for a, b in zip(first, second, strict=True))
    assert len(first) < len(labels) ** 2 / 2 * 1e-4


def noise(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Noise whose colour wanders, float32 at 16 kHz."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(int(seconds * 4)):
        spectrum = np.fft.rfft(random.standard_normal(SOUND_RATE // 4))
        centre = random.uniform(300, 3000)
        hertz = np.fft.rfftfreq(SOUND_RATE // 4, 1 / SOUND_RATE)
        parts.append(np.fft.irfft(spectrum * np.exp(-(((hertz - centre) / 500) ** 2))))
    samples = np.concatenate(parts)
    return (samples / np.abs(samples).max() * 0.5).astype(np.float32)


def test_the_same_sound_stays_near() -> None:
    sound = noise(1)
    padded = np.concatenate([np.zeros(1105, np.float32), sound, np.zeros(400, np.float32)])
    hissing = sound + np.random.default_rng(5).standard_normal(len(sound)).astype(np.float32) * 0.002
    for changed in (sound * 0.1, -sound, padded, hissing):
        assert distance(sound_fingerprint(sound), sound_fingerprint(changed)) <= SOUND_BITS


def test_other_sounds_are_far() -> None:
    assert distance(sound_fingerprint(noise(1)), sound_fingerprint(noise(2))) > SOUND_BITS + 30


def test_silence_and_clicks_have_none() -> None:
    assert sound_fingerprint(np.zeros(5 * SOUND_RATE, np.float32)) is None
    assert sound_fingerprint(noise(1)[: SOUND_RATE // 4]) is None
    assert sound_fingerprint(np.empty(0, np.float32)) is None


def test_every_encoding_of_a_recording_is_near_another(decode, shared_data: Path) -> None:
    prints = [decode(path).fingerprints[0] for path in sorted((shared_data / "audio_formats_lena").rglob("lena*.*"))]
    assert len(prints) > 1
    for index, text in enumerate(prints):
        assert min(distance(text, other) for at, other in enumerate(prints) if at != index) <= SOUND_BITS
