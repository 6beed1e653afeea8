"""Fit the mean that is taken from what aisfx makes of a sound, on folders of speech.

``python -m workers.embedders.sound.fit_aisfx DIR…`` writes ``aisfx.npz`` beside this module and prints its revision.
The shipped one was fitted on the spoken digits, speakers and registers of the development data (316 recordings).

Speech, because its vectors lie closest together: less their own mean they tell voices apart, while instruments and
noises, which lie far apart, rank alike whichever mean is taken (P@1 of samples within .026, of instruments .04).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import click
import numpy as np
import torch

from search.errors import UsageError
from search.settings import load_settings
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.sound.aisfx import MEAN, Aisfx
from workers.embedders.sound.fit_logmel import beginnings
from workers.embedders.sound.rows import segments


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default=Path(__file__).with_name(MEAN),
    help="File to write.",
)
def main(folders: tuple[Path, ...], out: Path) -> None:
    """Fit the mean of the recordings in FOLDERS, each recording with the same weight."""
    model = Aisfx(torch.device("cpu"), mean=np.zeros(1, np.float32))
    with DecodePool(load_settings()) as pool:
        rows = [
            np.concatenate([model.blocks(segment.samples) for segment in segments([samples])]).mean(axis=0)
            for folder in folders
            for samples in beginnings(folder, pool)
        ]
    if not rows:
        raise UsageError("These folders hold no sounds.", "Name folders of recordings.")
    np.savez(out, mean=np.mean(rows, axis=0, dtype=np.float64).astype(np.float32))
    click.echo(f"{hashlib.sha256(out.read_bytes()).hexdigest()[:8]}, of {len(rows)} recordings")


if __name__ == "__main__":
    main()
