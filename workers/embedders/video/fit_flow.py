"""Fit the mean and deviation by which movement is standardised, on films made by code and on real ones.

``python -m workers.embedders.video.fit_flow PHOTOS FILMS`` writes ``flow.npz`` beside this module and prints its
revision, which belongs into ``search.model_descriptions.registry``. The shipped one was fitted on films of every
movement of ``movements`` over photos of images_caltech101 and on video_scenes, the development data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import click
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from search.errors import UsageError
from search.media import Kind
from search.settings import load_settings
from workers.decode.kinds import kind_of_name
from workers.decode.recording.movement.windows import MovementWindows
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.video.flow import STATISTICS, fit, revision
from workers.embedders.video.movements import MOVEMENTS, make_film

FILMS_EACH = 14
"""Films of each movement, each over another photo."""


@click.command()
@click.argument("photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("films", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path(__file__).with_name(STATISTICS),
    help="File to write.",
)
def main(photos: Path, films: Path, out: Path) -> None:
    """Fit mean and deviation on films over PHOTOS and on FILMS, both with the same weight."""
    made, real = np.stack([numbers for _, numbers in made_films(photos)]), np.stack(list(real_films(films)))
    fitted = fit([made, real])
    np.savez(out, mean=fitted.mean, deviation=fitted.deviation)  # the same statistics make the same bytes
    click.echo(f"{revision(out.read_bytes())}, of {len(made)} films made by code and {len(real)} in {films.name}")


def made_films(photos: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Movement and numbers of films of every movement, float32 ``(221,)`` each.

    Raises:
        UsageError: there are too few photos.
    """
    rng = np.random.default_rng(0)
    paths = development_photos(photos)
    if len(paths) < FILMS_EACH * len(MOVEMENTS):
        raise UsageError(f"{photos} holds {len(paths)} photos for fitting: too few.")
    for path, movement in zip(paths, [*MOVEMENTS] * FILMS_EACH, strict=False):
        film = make_film(np.asarray(Image.open(path).convert("RGB")), movement, rng)
        windows = MovementWindows(len(film.frames) / film.rate, 1.0)
        for number, pixels in enumerate(film.frames):
            windows.offer(number / film.rate, VideoFrame.from_ndarray(pixels, format="rgb24"))
        numbers = windows.movement()
        if numbers is not None:
            yield movement, numbers


def development_photos(folder: Path) -> list[Path]:
    """Every other photo below a folder, mixed; the others are for tests."""
    return mixed_photos(folder)[::2]


def mixed_photos(folder: Path) -> list[Path]:
    """The photos below a folder in an order that is always the same and mixes its subfolders."""
    paths = sorted(path for path in folder.rglob("*") if kind_of_name(path.name) is Kind.IMAGE)
    return [paths[at] for at in np.random.default_rng(1).permutation(len(paths))]


def real_films(folder: Path) -> Iterator[NDArray[np.float32]]:
    """Numbers of the films below a folder in which anything moves, float32 ``(221,)`` each."""
    paths = sorted(path for path in folder.rglob("*") if kind_of_name(path.name) is Kind.VIDEO)
    with DecodePool(load_settings(), movement=True) as pool:
        for future in [pool.submit(str(path)) for path in paths]:
            numbers = future.result().movement
            if numbers is not None:
                yield numbers


if __name__ == "__main__":
    av.logging.set_level(av.logging.PANIC)
    main()
