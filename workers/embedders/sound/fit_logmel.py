"""Fit the mean and deviation by which sounds are standardised, on folders of sounds.

``python -m workers.embedders.sound.fit_logmel DIR…`` writes ``logmel.npz`` beside this module and prints its version.
The shipped one was fitted on the six sets of sounds of the development data (450 sounds).

Every folder has the same weight, however many sounds it holds: the statistics are those of a sound drawn from a folder
drawn at random, so that 240 spoken digits count no more than 50 instruments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from search.errors import MediaError, UsageError
from search.media import Kind
from search.settings import load_settings
from search.store.base import Array
from workers.decode.decoded import Decoded
from workers.decode.kinds import kind_of_name
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.sound.logmel import WHOLE_SECONDS, LogMel
from workers.embedders.sound.rows import Samples, is_silent
from workers.embedders.sound.standardise import STATISTICS, SoundStatistics

LEAST_DEVIATION = 1e-3
"""Least deviation, for dimensions that hardly differ between the sounds. The smallest shipped one is .13."""


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path(__file__).with_name(STATISTICS),
    help="File to write.",
)
def main(folders: tuple[Path, ...], out: Path) -> None:
    """Fit mean and deviation of the log-mel statistics on the sounds in FOLDERS, each with the same weight."""
    with DecodePool(load_settings()) as pool:
        sets = [raw_sounds(folder, pool) for folder in folders]
    mean, deviation = fit(sets)
    np.savez(out, mean=mean, deviation=deviation)  # the same statistics make the same bytes
    sounds = ", ".join(f"{len(rows)} in {folder.name}" for folder, rows in zip(folders, sets, strict=True))
    click.echo(f"{SoundStatistics.of(out.read_bytes()).version}, of {sounds}")


def fit(sets: Sequence[Array]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and deviation of each dimension, float32 ``(dim,)`` each, over sets with the same weight each.

    The variance is the mean over the sets of the squared distance from the common mean, within and between sets.

    Args:
        sets: float32 ``(n, dim)`` each, with ``n`` at least 1.
    """
    rows = [each.astype(np.float64) for each in sets]
    mean = np.mean([each.mean(axis=0) for each in rows], axis=0)
    variance = np.mean([((each - mean) ** 2).mean(axis=0) for each in rows], axis=0)
    return mean.astype(np.float32), np.maximum(np.sqrt(variance), LEAST_DEVIATION).astype(np.float32)


def raw_sounds(folder: Path, pool: DecodePool) -> Array:
    """Log-mel statistics of every file below ``folder`` that is not silent, float32 ``(n, 256)``, in order of path.

    Raises:
        UsageError: there is no such file.
    """
    model = LogMel()
    rows = [model.embed(samples) for samples in beginnings(folder, pool)]
    if not rows:
        raise UsageError(f"'{folder}' holds no sounds.", "Name folders of recordings.")
    return np.concatenate(rows)


def beginnings(folder: Path, pool: DecodePool) -> Iterator[Samples]:
    """The first five minutes of every recording below ``folder`` that are not silent, in order of path.

    Files that cannot be decoded are named on the standard error stream and left out.
    """
    futures: dict[Path, Future[Decoded]] = {
        path: pool.submit(str(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and kind_of_name(path.name) in (Kind.AUDIO, Kind.VIDEO)
    }
    for path, future in futures.items():
        try:
            sound = future.result().sound
        except MediaError as error:
            click.echo(f"{path} is left out: {error}", err=True)
            continue
        samples = None if sound is None else next(sound.pieces(WHOLE_SECONDS), None)
        if samples is not None and not is_silent(samples):
            yield samples


if __name__ == "__main__":
    main()
