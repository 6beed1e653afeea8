"""Rendering photos with settings, and learning to read them."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray
from PIL import Image

from search.errors import MediaError
from search.photographers.develop.lut import cube
from search.photographers.develop.settings import PARAMETERS, Preset
from search.settings import Settings
from workers.photographers.benchmark.vectors.colour_distance import delta_e_2000, lab
from workers.photographers.develop.preview import DevelopedPreviews
from workers.photographers.develop.render import BAND, apply, bands
from workers.photographers.develop.train import ReaderExamples, learn

LOOK = Preset(0.4, 0.3, -0.1, 0.5, 0.06, 0.8, 0.04, 0.02, -0.03, 0.01, 0.9, 6.0)


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """Every hue in every tone, 170 x 230."""
    y, x = np.mgrid[0:170, 0:230] / (170, 230)[0]
    hues = np.stack([np.sin(7 * x + shift) * y for shift in (0.0, 2.0, 4.0)], axis=-1)
    return (127 + 120 * hues).clip(0, 255).astype(np.uint8)


def test_bands_are_the_whole(picture: NDArray[np.uint8]) -> None:
    parts = list(bands(picture, LOOK, seed=4))
    assert max(map(len, parts)) == BAND
    np.testing.assert_array_equal(np.concatenate(parts), apply(picture, LOOK, np.random.default_rng(4)))


@pytest.mark.parametrize("look", [LOOK, Preset(exposure=-0.6, contrast=-0.4, fade=-0.05, saturation=1.6)])
def test_ffmpeg_makes_the_preview_of_a_written_cube(look: Preset, picture: NDArray[np.uint8], tmp_path: Path) -> None:
    plain = replace(look, vignette=0.0, grain=0.0)
    (tmp_path / "like.cube").write_text(cube(plain, "like"), "ascii")
    graph = Graph()
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25))
    table, to_rgb = graph.add("lut3d", f"file={tmp_path / 'like.cube'}"), graph.add("format", "rgb24")
    sink = graph.add("buffersink")
    source.link_to(table)
    table.link_to(to_rgb)
    to_rgb.link_to(sink)
    graph.configure()
    graph.push(frame)
    made = graph.pull()
    assert isinstance(made, av.VideoFrame)
    wanted = apply(picture, plain, np.random.default_rng(0))
    assert delta_e_2000(lab(made.to_ndarray(format="rgb24")), lab(wanted)).mean() < 1  # type: ignore[arg-type]
    assert delta_e_2000(lab(picture), lab(wanted)).mean() > 5


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_differences_are_those_of_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert delta_e_2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def test_a_preview_is_decoded_in_a_child_and_rendered(picture: NDArray[np.uint8], tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=True)
    renderer = DevelopedPreviews(Settings(home=tmp_path))
    np.testing.assert_array_equal(renderer.pixels(file.getvalue()), picture)
    made = np.asarray(Image.open(io.BytesIO(renderer.render(file.getvalue(), replace(LOOK, grain=0.0)))).convert("RGB"))
    wanted = apply(picture, replace(LOOK, grain=0.0), np.random.default_rng(0))
    assert np.abs(made.astype(int) - wanted).mean() < 3
    with pytest.raises(MediaError):
        renderer.render(b"RIFF....WEBP", LOOK)


def test_a_reader_learns_from_photographers_and_reads_others() -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(len(PARAMETERS), 40))

    def drawn(people: int, each: int) -> ReaderExamples:
        settings = rng.normal(size=(people, len(PARAMETERS)))
        who = np.repeat(np.arange(people), each)
        styles = settings[who] @ mix + 2 * rng.normal(size=(len(who), 40))
        nothing = Preset().vector @ mix + 2 * rng.normal(size=(50, 40))
        return ReaderExamples(
            styles.astype(np.float32), settings[who].astype(np.float32), who, nothing.astype(np.float32)
        )

    reader, asked = learn(drawn(200, 10)), drawn(30, 20)
    read = reader.readings(asked.styles).reshape(30, 20, -1).mean(axis=1)
    truth = asked.parameters.reshape(30, 20, -1)[:, 0]
    assert np.sqrt(((read - truth) ** 2).mean()) < 0.4
    plain = np.stack([reader.photo(style).vector for style in asked.undeveloped])
    strays = np.stack([reader.readings(style[None])[0] for style in asked.undeveloped])
    assert np.abs(plain - Preset().vector).mean() < np.abs(strays - Preset().vector).mean()
