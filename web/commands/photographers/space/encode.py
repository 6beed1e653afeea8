"""``likewise photographers encode``: image codes of files, by the encoder of the photographer space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from workers.photographers.joint.encode import EncodedFile, EncodedPicture


@click.command("encode", short_help="Image codes of photos, and what they are near to.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--near", type=click.IntRange(0, 100), default=5, show_default=True, help="So many nearest photos.")
@click.option(
    "--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the codes: .npz, .joblib, .parquet."
)
@common
def command(call: Call, files: tuple[str, ...], near: int, target: Path | None) -> int:
    """Encode pictures, stored or not, by the autoencoder that `train --joint` has saved.

    Prints the 16 numbers of each, its place on the map of photos, and the photos whose codes are nearest (distances are
    in deviations of all codes). FILE may lie in a bucket. The saved encoder is read from this data directory, or from
    the bucket that web and workers share.

    Exits with 1 where a file cannot be read.
    """
    from search.photographers.model_registry import ModelKind, untrained
    from web.commands.questions.export import kind_of
    from workers.decode.sandbox.pool import DecodePool
    from workers.photographers.joint.encode import SavedEncoder
    from workers.training.shared_models import SharedModels

    kind = None if target is None else kind_of(target)
    settings = call.settings()
    models = SharedModels(settings)
    version = models.current(ModelKind.JOINT)
    if version is None:
        raise untrained(ModelKind.JOINT)
    encoder = SavedEncoder(models.folder(ModelKind.JOINT, version))
    with DecodePool(settings) as pool:
        found = tuple(encoder.encode_files(pool, map(_absolute, files), near))
    encoded = [(one.path, one.picture) for one in found if one.picture is not None]
    if target is not None and kind is not None:
        _write(kind, target.expanduser(), encoded)
    call.answer({"version": version.name, "files": found}, lambda console: _show(found, console))
    return 0 if len(encoded) == len(found) else 1


def _absolute(path: str) -> str:
    from search import addresses

    return path if addresses.is_remote(path) else str(Path(path).expanduser().absolute())


def _write(kind: str, target: Path, encoded: Sequence[tuple[str, EncodedPicture]]) -> None:
    """
    Raises:
        UnreadableFileError: the file cannot be written.
    """
    import numpy as np

    from search.errors import UnreadableFileError
    from web.export import Rows, write

    codes = np.array([picture.code for _, picture in encoded], np.float32).reshape(len(encoded), -1)
    rows = Rows([path for path, _ in encoded], [""] * len(encoded), [float("nan")] * len(encoded), codes)
    try:
        write(kind, target, [rows])
    except OSError as error:
        raise UnreadableFileError(f"'{target}' cannot be written: {error.strerror}.") from error


def _show(found: Sequence[EncodedFile], console: Console) -> None:
    for one in found:
        console.print(one_line(one.path))
        if one.picture is None:
            console.print(f"  {one_line(one.error)}")
            continue
        console.print("  code " + " ".join(f"{value:.3f}" for value in one.picture.code))
        console.print(f"  on the map of photos at {one.picture.at[0]:.3f}, {one.picture.at[1]:.3f}")
        for photo in one.picture.near:
            console.print(f"  near {photo.id} {one_line(photo.photographer)} ({photo.distance:.2f})")
