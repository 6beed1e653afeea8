"""How far ``motion`` tells movements apart, whatever moves; and what films cost.

    python tests/benchmarks/bench_movement.py [PHOTOS] [--films FOLDER] [--of FOLDER] [--curve]

Films of every movement of ``workers.embedders.video.movements``, each over another photo (those that
``workers.embedders.video.fit_flow`` leaves for tests), are encoded, decoded in the sandbox and compared: precision of
the first answer and of the first five. Then every film is played backwards: the share
whose nearest neighbour among all others moves the opposite way. ``--films`` leaves the films in a folder for
``likewise ingest`` and ``likewise evaluate``; ``--of`` plays the films of a folder backwards too. CPU time a second of
film is printed with and without movement. ``--curve`` prints the likeness curve of ``motion`` instead.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ingest.sample.recording import encode_film
from search.likeness.labelled_pairs import Labelled
from search.media import Kind
from search.model_descriptions.registry import FLOW, MOTION
from search.settings import load_settings
from workers.calibrate import held_out, learn
from workers.decode.decoded import Decoded
from workers.decode.file import decode_file
from workers.decode.kinds import kind_of_name
from workers.decode.opened import open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.pool import DecodePool
from workers.decode.sound import Sound
from workers.embedders.video.fit_flow import made_films, mixed_photos
from workers.embedders.video.flow import flow_embedder
from workers.embedders.video.movements import MOVEMENTS, SIZE, make_film

FILMS_EACH = 7
OPPOSITE = {"pan left": "pan right", "tilt up": "tilt down", "zoom in": "zoom out", "turn left": "turn right"}
OPPOSITE |= {after: before for before, after in OPPOSITE.items()}


def write_films(photos: Path, folder: Path) -> tuple[list[Path], list[Path], list[str]]:
    """Films, the same films backwards, and the movement of each."""
    rng = np.random.default_rng(7)
    paths, backwards, labels = [], [], []
    for number, (photo, movement) in enumerate(
        zip(mixed_photos(photos)[1::2], [*MOVEMENTS] * FILMS_EACH, strict=False)
    ):
        film = make_film(np.asarray(Image.open(photo).convert("RGB")), movement, rng)
        for into, frames, list_ in (("films", film.frames, paths), ("backwards", film.frames[::-1], backwards)):
            path = folder / into / movement.replace(" ", "-") / f"{number:03}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_film(frames, SIZE, film.rate, "mp4"))
            list_.append(path)
        labels.append(movement)
    return paths, backwards, labels


def decoded(paths: Sequence[Path]) -> list[Decoded]:
    with DecodePool(load_settings(), movement=True) as pool:
        return [future.result() for future in [pool.submit(str(path)) for path in paths]]


def movements(films: Sequence[Decoded]) -> np.ndarray:
    """float32 (n, 221), rows of zeros for films in which nothing moves."""
    embedder = flow_embedder()
    nothing = np.zeros((1, len(embedder.mean)), np.float32)
    return np.concatenate([nothing if film.movement is None else embedder.embed(film.movement) for film in films])


def precision(vectors: np.ndarray, labels: Sequence[str]) -> tuple[float, float]:
    scores, names = vectors @ vectors.T, np.array(labels)
    np.fill_diagonal(scores, -2)
    right = names[np.argsort(-scores, axis=1)] == names[:, None]
    return float(right[:, 0].mean()), float(right[:, :5].mean())


def play_backwards(path: Path, folder: Path) -> Path:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)][::-1]
        rate = round(float(stream.average_rate or 25))
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    target = folder / f"{path.parent.name}-{path.stem}.mp4"
    target.write_bytes(encode_film([frame[:height, :width] for frame in frames], (width, height), rate, "mp4"))
    return target


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=Path, nargs="?", default=Path("../shared/data/images_caltech101"))
    parser.add_argument("--films", type=Path)
    parser.add_argument("--of", type=Path)
    parser.add_argument("--curve", action="store_true")
    given = parser.parse_args()
    if not given.photos.is_dir():
        parser.exit(message=f"There are no photos in {given.photos}.\n")
    if given.curve:
        print_curve(given.photos)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.films or Path(temporary)
        paths, backwards, labels = write_films(given.photos, folder)
        forward, backward = movements(decoded(paths)), movements(decoded(backwards))
        first, five = precision(forward, labels)
        print(f"{len(paths)} films of {len(MOVEMENTS)} movements: P@1 {first:.3f}, P@5 {five:.3f}")
        told = []
        for at, label in enumerate(labels):
            if label in OPPOSITE:
                others = np.delete(np.arange(len(labels)), at)
                told.append(labels[others[int((forward[others] @ backward[at]).argmax())]] == OPPOSITE[label])
        print(f"played backwards, nearest to the opposite movement: {np.mean(told):.3f} of {len(told)}")
        if given.of:
            films = sorted(path for path in given.of.rglob("*") if kind_of_name(path.name) is Kind.VIDEO)
            one = movements(decoded(films))
            other = movements(decoded([play_backwards(path, Path(temporary)) for path in films]))
            scenes = np.array([path.parent.name for path in films])
            same = (scenes[:, None] == scenes) & ~np.eye(len(films), dtype=bool)
            moving = [(i, j) for i, j in zip(*np.nonzero(same), strict=True) if one[i].any() and one[j].any()]
            told = [one[i] @ one[j] > one[i] @ other[j] for i, j in moving]
            print(
                f"{given.of.name}: nearer to others forwards than backwards: {np.mean(told):.3f} of {len(told)} pairs"
            )
        cost(paths[:26])


def print_curve(photos: Path) -> None:
    """Print the likeness curve of ``motion`` as ``search/likeness/likeness_curves.json`` has it, learnt on the films by
    code that its mean and deviation are fitted on, and its error on halves of them."""
    embed = flow_embedder().embed
    media = [
        Labelled(Kind.VIDEO, movement, embed(numbers), str(at))
        for at, (movement, numbers) in enumerate(made_films(photos))
    ]
    curves = {kinds: curve.to_json() for kinds, curve in learn(media).items()}
    print(json.dumps({FLOW.space(MOTION).fingerprint: {"space": MOTION, "curves": curves}}, indent=1))
    measured = held_out(media)
    print(f"ECE {measured.ece:.3f} of {measured.pairs} pairs" if measured else "too few")


def cost(paths: Sequence[Path]) -> None:
    """Print CPU time a second of film, with and without movement, turn and turn about."""
    settings = load_settings()
    spent, seconds = {False: 0.0, True: 0.0}, 0.0
    for path in paths:
        for movement in spent:
            with open_media(str(path), 1 << 30) as media:
                began = time.process_time()
                film = decode_file(media, None, DecodeOptions.of(settings, movement=movement), Sound())
                spent[movement] += time.process_time() - began
        seconds += film.facts.duration or 0.0
    each = {movement: 1000 * took / seconds for movement, took in spent.items()}
    print(f"CPU ms a second of film of {SIZE}: {each[False]:.1f} without movement, {each[True]:.1f} with")


if __name__ == "__main__":
    main()
