"""Train the encoder that ships: ``python -m workers.style.train DIR``.

Writes ``weights.npz`` beside this module and prints its revision, which belongs into ``workers.embedders.registry``.
The shipped one was trained with the defaults on the 800 photos of images_caltech101, five developments each; that
takes two or three minutes on an idle core.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from search.settings import load_settings
from workers.decode.pool import DecodePool
from workers.presets.photos import Album, read_subjects
from workers.style import network
from workers.style.training import practise, train


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--each", default=5, show_default=True, help="Photographers that develop each photo.")
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path(network.__file__).with_name(network.WEIGHTS))
def main(folder: Path, each: int, seed: int, out: Path) -> None:
    """Train the style encoder on the photos in FOLDER."""
    practice = practise(read_photos(folder), each, seed)
    click.echo(network.save_encoder(train(practice), out))


def read_photos(folder: Path) -> list[NDArray[np.uint8]]:
    """Every photo below ``folder`` that can be decoded, uint8 ``(h, w, 3)``, in order of path.

    Raises:
        NotFoundError, UsageError: see ``workers.presets.photos.read_subjects``.
    """
    subjects, _ = read_subjects(folder)
    with DecodePool(load_settings()) as pool:
        album = Album(pool)
        photos = [album.photo(path, subject) for path, subject in subjects.items()]
    return [photo.pixels for photo in photos if photo is not None]


if __name__ == "__main__":
    main()
