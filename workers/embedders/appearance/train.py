"""Fit the shipped projection of appearance.

    python -m workers.embedders.appearance.train DIR

Writes ``weights.npz`` beside this module and prints its revision, which belongs into
``search.model_descriptions.registry``. The shipped one was fitted on the 800 photos of images_caltech101, whose objects
have nothing to do with any photographer.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from torch import Tensor

from search.settings import load_settings
from workers.decode.sandbox.pool import DecodePool
from workers.device import choose_device
from workers.embedders.appearance import projection
from workers.embedders.appearance.statistics import DIMENSIONS, OF_STAGES, LayerStatistics
from workers.embedders.networks import Runner
from workers.photographers.benchmark.photos import read_subjects


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    default=Path(projection.__file__).parent,
    help="Folder to write into.",
)
def main(folder: Path, out: Path) -> None:
    """Fit the projection of appearance on the photos in FOLDER."""
    settings = load_settings()
    paths, _ = read_subjects(folder)
    with DecodePool(settings) as pool:
        decoded = [pool.submit(str(path)).result() for path in paths]
    pictures = [one.whole if one.inner is None else one.inner for one in decoded]
    run = Runner(_Statistics(), choose_device(settings), settings.batch_size, "appearance")
    (statistics,) = run(np.concatenate([picture for picture in pictures if picture is not None]))
    fitted = projection.fit(statistics, (OF_STAGES, DIMENSIONS - OF_STAGES))
    click.echo(projection.save_projection(fitted, out / projection.WEIGHTS))


class _Statistics(LayerStatistics):
    """:class:`LayerStatistics`, as a tuple of one."""

    def forward(self, pixels: Tensor) -> tuple[Tensor]:  # type: ignore[override]
        return (super().forward(pixels),)


if __name__ == "__main__":
    main()
