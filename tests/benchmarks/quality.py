"""Quality of the answers on labelled media, compared with the figures that are committed.

    python tests/benchmarks/quality.py [--sample] [--data DIR] [--keep DIR] [--record] [SET…]

Takes each set into a library of its own, with default settings, and prints one table: of each space and of the one list
of all kinds precision at 1 and k and mean average precision, each with a 95 % interval by group (``GROUPED_BY``, else
the label) beside the committed value; then the recall of the index against exact search, with and without filters. It
ends with status 1 where a figure lies below the committed interval, or is missing, and names those.

Sets are the folders of ``--data`` (``../shared/data``) that ``SETS`` names, and any others given. ``--sample`` measures
the sample library instead, which code makes anywhere, and the index at 10,000 points only: what CI runs. ``--record``
writes ``quality.json`` anew; ``--keep`` keeps the libraries, so that a second run embeds nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_search import NEIGHBOURS, SCHEMA, SPACE, make_vectors, points_of

from ingest.sample.library import make_sample_library
from search.evaluation.fused import evaluate_fused
from search.evaluation.spaces import RankingFigures, evaluate_spaces
from search.evaluation.statistics import grouped_mean, wilson
from search.labels import MANIFEST, labels_by_id, read_column, read_labels
from search.settings import load_settings
from search.store.base import Point, VectorQuery
from search.store.edge.store import EdgeStore
from search.store.filters import Filter
from web.client import connect_inside
from web.commands.library.ingest import take_in

COMMITTED = Path(__file__).with_name("quality.json")

SETS = (
    "images_caltech101",
    "images_instance_pairs_exercise",
    "photographers_fsa_color",
    "video_scenes",
    "audio_instruments_fsd",
    "audio_samples_sonicpi",
    "audio_digits_fsdd",
    "audio_speakers_librispeech",
    "audio_gender_librispeech",
    "audio_formats_lena",
)

GROUPED_BY = {"audio_digits_fsdd": "speaker", "audio_gender_librispeech": "speaker", "video_scenes": "source"}
"""The manifest's column that names what is right or wrong together, where that is not the label."""

SAMPLE = ("sounds", "videos", "photographers")
"""Folders of the sample library whose folders are labels."""

FILTERS = {"no filter": 1.0, "filter of 50 %": 0.5, "filter of 5 %": 0.05, "filter of .1 %": 0.001}
"""Share of the points that a filter lets through."""

QUESTIONS = 200
FLOAT_ERROR = 1e-9


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure with its 95 % interval; ``n`` is the number of queries."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def of_set(folder: Path, home: Path) -> Iterator[tuple[str, Measured]]:
    """Name and value of each figure of a labelled folder."""
    column = GROUPED_BY.get(folder.name)
    with connect_inside(load_settings({"home": home})) as (client, node):
        take_in(client, (str(folder),))
        node.optimise()
        labels = labels_by_id(node.store, read_labels(folder))
        groups = labels_by_id(node.store, read_column(folder / MANIFEST, column)) if column else {}
        found: dict[str, RankingFigures] = {**evaluate_spaces(node.store, labels, groups=groups)}
        found["one list"] = evaluate_fused(node.store, labels, dict.fromkeys(labels, "all"), None, groups)["all"]
    for space, figures in found.items():
        for name, (low, high) in figures.intervals.items():
            said = {"p_at_1": "P@1", "p_at_k": f"P@{figures.k}", "map": "mAP"}[name]
            yield f"{folder.name} / {space} / {said}", Measured(getattr(figures, name), low, high, figures.n)


def of_index(points: int) -> Iterator[tuple[str, Measured]]:
    """Recall at ten of the approximate index of synthetic vectors, under filters."""
    vectors = make_vectors(points)
    rng = np.random.default_rng(3)
    drawn = rng.random(points)
    asked = rng.integers(0, points, QUESTIONS)
    with tempfile.TemporaryDirectory(prefix="likewise-quality-") as folder:
        store = EdgeStore(Path(folder))
        store.ensure(SCHEMA)
        done = 0
        for batch in points_of(vectors):
            shares = drawn[done : done + len(batch)]
            done += len(batch)
            store.upsert("images", [_within(point, share) for point, share in zip(batch, shares, strict=True)])
        store.optimise("images")
        for name, share in FILTERS.items():
            where = Filter(libraries=(name,))
            recalls = []
            for at in asked:
                wanted, given = (
                    store.query("images", [VectorQuery(SPACE, vectors[at : at + 1], NEIGHBOURS, where, exact=exact)])[0]
                    for exact in (True, False)
                )
                # By score: which of several equally near points are given is no error of the index.
                least = wanted[-1].score - 1e-5 if wanted else 0.0
                recalls.append(sum(hit.score >= least for hit in given) / len(wanted) if wanted else 1.0)
            found = grouped_mean(np.array(recalls), np.arange(len(recalls)))
            yield (
                f"index / {points:,} points, {name} / recall@{NEIGHBOURS}",
                Measured(found.value, found.low, found.high, len(recalls)),
            )
            assert share == 1.0 or abs((drawn < share).mean() - share) < share
        store.close()


def _within(point: Point, share: float) -> Point:
    """The point in a library for each filter that lets it through."""
    names = sorted(name for name, most in FILTERS.items() if share < most)
    return Point(point.id, point.vectors, {**point.payload, "libraries": names})


def fallen(measured: Mapping[str, Measured], committed: Mapping[str, Measured]) -> list[str]:
    """What lies below its committed interval, in words.

    Drawn queries that are all right make an interval without width, so Wilson's counts as well.
    """
    return [
        f"{name}: {measured[name]}, committed {before}"
        for name, before in committed.items()
        if name in measured and measured[name].value < min(before.low, wilson(before.value, before.n)[0]) - FLOAT_ERROR
    ]


def missing(measured: Mapping[str, Measured], committed: Mapping[str, Measured]) -> list[str]:
    """Committed figures of the sets that were measured, which are not there any more."""
    sets = {name.split(" / ")[0] for name in measured}
    return [f"{name} was not measured" for name in committed if name not in measured and name.split(" / ")[0] in sets]


def read_committed(path: Path) -> dict[str, Measured]:
    return {name: Measured(**value) for name, value in json.loads(path.read_text()).items()} if path.exists() else {}


def write_committed(path: Path, figures: Mapping[str, Measured]) -> None:
    rows = {
        name: {"value": round(one.value, 4), "low": round(one.low, 4), "high": round(one.high, 4), "n": one.n}
        for name, one in sorted(figures.items())
    }
    path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items()) + "\n}\n")


def folders_of(asked: argparse.Namespace, scratch: Path) -> Sequence[Path]:
    """
    Raises:
        SystemExit: a set that is named is not there.
    """
    if asked.sample:
        sample = make_sample_library((asked.keep or scratch) / "sample").folder
        return [sample / name for name in SAMPLE]
    named = [Path(name) if Path(name).is_dir() else asked.data / name for name in asked.sets or SETS]
    absent = [str(folder) for folder in named if not folder.is_dir()]
    if absent:
        sys.exit(f"Not there: {', '.join(absent)}. Name another place with --data, or measure the --sample library.")
    return [folder.absolute() for folder in named]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "../shared/data")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    committed = read_committed(COMMITTED)
    measured: dict[str, Measured] = {}
    print(f"{'set / space / figure':<62}{'n':>6}  {'measured':<24}committed")

    def add(rows: Iterator[tuple[str, Measured]]) -> None:
        for name, one in rows:
            measured[name] = one
            print(f"{name:<62}{one.n:>6}  {one!s:<24}{committed.get(name, '')}", flush=True)

    with tempfile.TemporaryDirectory(prefix="likewise-quality-") as scratch:
        for folder in folders_of(asked, Path(scratch)):
            add(of_set(folder, (asked.keep or Path(scratch)) / "homes" / folder.name))
    if asked.sample or not asked.sets:
        for points in (10_000,) if asked.sample else (10_000, 100_000):
            add(of_index(points))
    if asked.record:
        write_committed(COMMITTED, {**committed, **measured})
        return
    worse = [*fallen(measured, committed), *([] if asked.sample else missing(measured, committed))]
    if worse:
        sys.exit("Worse than the figures that are committed:\n" + "\n".join(worse))


if __name__ == "__main__":
    main()
