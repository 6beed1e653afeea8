"""PQ and HLG in each still format that has codes for them, next to a twin in sRGB.

All three are made here: PNG with 16 bits and cICP by hand, HEIC with 10 bits by pillow-heif, AVIF with 10 bits by
FFmpeg's muxer and SVT-AV1.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from workers.decode.tone_mapping import HLG, PQ, WHITE_NITS

BT2020, BT2020_MATRIX, FULL_RANGE = 9, 9, 2
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""Linear RGB of BT.709 to that of BT.2020. Source: Recommendation ITU-R BT.2087-0, section 2."""
LUMA = np.array([0.2126, 0.7152, 0.0722])


def subject() -> np.ndarray:
    """uint8 (240, 320, 3) sRGB with shadows, whites and colours."""
    y, x = np.mgrid[0:240, 0:320].astype(np.float64)
    bright = 0.5 + 0.48 * np.sin(x / 37) * np.cos(y / 53)
    tint = np.stack([0.8 + 0.2 * np.sin(x / 61), 0.9 + 0.1 * np.cos(y / 29), 0.85 + 0.15 * np.sin(y / 71)], -1)
    return np.rint(255 * bright[..., np.newaxis] * tint).clip(0, 255).astype(np.uint8)


def to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def to_hlg(nits: np.ndarray) -> np.ndarray:
    """By the inverse of BT.2100's OOTF for a display of 1,000 cd/m2."""
    luminance = np.maximum(nits @ np.array([0.2627, 0.6780, 0.0593]), 1e-6) / 1000
    scene = nits / 1000 * (luminance ** (1 / 1.2 - 1))[..., np.newaxis]
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def coded(transfer: int) -> np.ndarray:
    """uint16 (240, 320, 3), all 16 bits: the subject in BT.2020, its white at that of SDR."""
    signal = subject() / 255
    linear = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    nits = WHITE_NITS * (linear @ TO_BT2020.T).clip(0)
    return np.rint(65535 * {PQ: to_pq, HLG: to_hlg}[transfer](nits).clip(0, 1)).astype(np.uint16)


def as_png(samples: np.ndarray, transfer: int) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, 2, 0, 0, 0)),
        (b"cICP", bytes([BT2020, transfer, 0, 1])),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def as_heic(samples: np.ndarray, transfer: int) -> bytes:
    buffer = io.BytesIO()
    picture = pillow_heif.from_bytes("RGB;16", samples.shape[1::-1], samples.tobytes())
    picture.save(
        buffer,
        quality=90,
        color_primaries=BT2020,
        transfer_characteristics=transfer,
        matrix_coefficients=BT2020_MATRIX,
        full_range_flag=1,
    )
    return buffer.getvalue()


def as_avif(samples: np.ndarray, transfer: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", "avif") as container:
        stream = container.add_stream("libsvtav1", rate=1, options={"crf": "12"})
        stream.height, stream.width, stream.pix_fmt = *samples.shape[:2], "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc = BT2020, transfer
        context.colorspace, context.color_range = BT2020_MATRIX, FULL_RANGE
        frame = av.VideoFrame.from_ndarray(samples, "rgb48le").reformat(
            format="yuv420p10le", dst_colorspace=BT2020_MATRIX, dst_color_range=FULL_RANGE
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize(("form", "encode"), [("png", as_png), ("heic", as_heic), ("avif", as_avif)])
def test_it_is_as_bright_and_contrasty_as_its_twin(
    decode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, encode: Callable, transfer: int
) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    (tmp_path / f"a.{form}").write_bytes(encode(coded(transfer), transfer))
    Image.fromarray(subject()).save(tmp_path / "twin.png")
    seen, twin = (decode(tmp_path / name).crops[0].astype(float) for name in (f"a.{form}", "twin.png"))
    assert (seen @ LUMA).std() == pytest.approx((twin @ LUMA).std(), rel=0.2)
    assert (seen @ LUMA).mean() == pytest.approx((twin @ LUMA).mean(), abs=12)
    assert np.abs(seen - twin).mean(axis=(0, 1)).max() < 8
