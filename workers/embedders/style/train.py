"""Train the shipped style encoder and development reader.

    python -m workers.embedders.style.train DIR

Writes ``weights.npz`` and ``development.npz`` beside this module and prints the revision of the first, which belongs
into ``search.model_descriptions.registry``. The shipped ones were trained with the defaults on the 800 photos of
images_caltech101, five developments each for the encoder and 52 for the reader; that takes about ten minutes on an
idle core.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from search.settings import load_settings
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.style import development, network
from workers.embedders.style.training import make_training_set, train
from workers.photographers.benchmark.photos import Album, read_subjects

READER_PHOTOGRAPHERS, READER_EACH = 2000, 52
"""Photographers that the reader learns from, each of whom gets 21 of 800 photos. On five development draws distances of
presets were read at a rank correlation of .78 with 400 of them, .79 with 1000 and .80 with 1400 or 2000."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--each", default=5, show_default=True, help="Photographers that develop each photo.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    default=Path(network.__file__).parent,
    help="Folder to write into.",
)
def main(folder: Path, each: int, seed: int, out: Path) -> None:
    """Train the style encoder, and the reader of development, on the photos in FOLDER."""
    photos = read_photos(folder)
    encoder = train(make_training_set(photos, each, seed))
    click.echo(network.save_encoder(encoder, out / network.WEIGHTS))
    groups = make_training_set(photos, READER_EACH, seed + 1, photographers=READER_PHOTOGRAPHERS)
    development.learn(encoder, groups).save(out / development.WEIGHTS)


def read_photos(folder: Path) -> list[NDArray[np.uint8]]:
    """Every photo below ``folder`` that can be decoded, uint8 ``(h, w, 3)``, in order of path.

    Raises:
        NotFoundError, UsageError: see ``workers.photographers.benchmark.photos.read_subjects``.
    """
    subjects, _ = read_subjects(folder)
    with DecodePool(load_settings()) as pool:
        album = Album(pool)
        photos = [album.photo(path, subject) for path, subject in subjects.items()]
    return [photo.pixels for photo in photos if photo is not None]


if __name__ == "__main__":
    main()
