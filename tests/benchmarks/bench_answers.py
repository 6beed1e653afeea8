"""Whether the one list of all kinds can be trusted, on labelled folders.

    python tests/benchmarks/bench_answers.py [--home DIR] [--without NAME] SET…

Takes the sets into one library (``--home`` keeps it) and prints

* for each set how good the fused list is, and the row of the asked kind alone (``likewise evaluate`` prints more);
* how many pairs of media of different sets would be called very similar, of 10,000 drawn at random in each space;
* how many of the edits that ``likewise duplicates`` groups are called a copy, and stand before every stranger;
* with ``--without NAME``, what changes when that set is not in the library: order and likeness of what remains.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from search.evaluation.fused import evaluate_fused
from search.labels import labels_by_id, read_labels
from search.likeness.best_pairs import best_pair, corrected, effective_rows
from search.likeness.curve import Band
from search.likeness.curves import curves_of
from search.media import KIND_OF
from search.records.lookup import asked_fields
from search.settings import Settings, load_settings
from search.similar.duplicates import find_duplicates
from search.similar.find import find_similar
from search.similar.questions import Question, Relation
from search.similar.shots import Comparisons, ShotComparer
from search.store.base import Store
from web.client import connect_inside
from web.commands.library.ingest import take_in
from workers.alignment import PreviewComparer

DRAWN = 10_000
COPIES = (Band.IDENTICAL, Band.SAME_PICTURE, Band.EDITED_COPY)
SECONDS = 600.0


def sets_by_path(folders: Sequence[Path]) -> tuple[dict[str, str], dict[str, str]]:
    """Path to label, and path to the name of its set."""
    labels, sets = {}, {}
    for folder in folders:
        for path, label in read_labels(folder).items():
            labels[path], sets[path] = f"{folder.name}/{label}", folder.name
    return labels, sets


def strangers(store: Store, sets: Mapping[str, str]) -> None:
    """Bands of pairs of media of different sets, by space."""
    rng = np.random.default_rng(0)
    for space in sorted({f.space for name in store.collections() for f in asked_fields(store.schema(name))}, key=str):
        held = [
            (point.id, KIND_OF[name], point.vectors[space.name])
            for name in store.collections()
            if store.schema(name).space(space.name) is not None
            for point in store.scroll(name, vectors=[space.name], payload=False)
            if space.name in point.vectors and point.id in sets
        ]
        bands: Counter[Band] = Counter()
        for one, other in rng.integers(len(held), size=(DRAWN, 2)):
            (a, kind, rows), (b, other_kind, others) = held[one], held[other]
            if sets[a] == sets[b]:
                continue
            curve = curves_of(store).curve(space, kind, other_kind)
            tries = effective_rows(rows, curve.background) * effective_rows(others, curve.background)
            score = corrected(np.array([best_pair(rows, others)]), np.array([tries]), curve.background)
            bands[Band.of(float(curve.likenesses(score)[0]))] += 1
        pairs = sum(bands.values())
        if pairs:
            shares = ", ".join(f"{band.value} {bands[band] / pairs:.4f}" for band in bands if bands[band])
            print(f"strangers in {space.name}: {pairs} pairs, {shares}")


def edits(store: Store, labels: Mapping[str, str], comparer: ShotComparer | None = None) -> None:
    """Whether every two members of a group of edits find each other as copies, before all else."""
    found = missed = behind = 0
    for group in find_duplicates(store, comparisons=Comparisons(comparer, SECONDS)):
        if group.relation is not Relation.EDITED_COPY:
            continue
        ids = {member.id for member in group.members}
        for id_ in ids:
            hits = find_similar(store, Question((id_,)), Comparisons(comparer, SECONDS)).hits
            places = [at for at, hit in enumerate(hits) if hit.id in ids and hit.band in COPIES]
            first_stranger = next(
                (at for at, hit in enumerate(hits) if labels.get(hit.id) != labels.get(id_)), len(hits)
            )
            found += len(places)
            missed += len(ids) - 1 - len(places)
            behind += sum(at > first_stranger for at in places)
    print(f"edits: {found} pairs called copies, {missed} not, {behind} behind a stranger")


def without(store: Store, other: Store, labels: Mapping[str, str]) -> None:
    """What the answers of a library lack or change that holds one set less."""
    kept = {
        point.id: name
        for name in other.collections()
        for point in other.scroll(name, payload=False)
        if point.id in labels
    }
    videos = [id_ for id_, name in kept.items() if name == "videos"]
    moved = worst = 0.0
    for id_ in videos:
        question = Question((id_,), limit=500)
        here, there = (find_similar(one, question).by_collection["videos"] for one in (store, other))
        moved += [hit.id for hit in here] != [hit.id for hit in there]
        likeness = {hit.id: hit.likeness for hit in there}
        worst = max([worst, *(abs(hit.likeness - likeness[hit.id]) for hit in here if hit.id in likeness)])
    print(
        f"without the set: {len(videos)} videos asked, order of videos differs for {moved:.0f}, likeness by {worst:.1e}"
    )


def settings_of(home: Path) -> Settings:
    return load_settings({"home": home})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--without", metavar="NAME")
    asked = parser.parse_args()
    folders = [folder.absolute() for folder in asked.folders]
    labels_of, sets_of = sets_by_path(folders)
    with tempfile.TemporaryDirectory(prefix="likewise-bench-") as scratch:
        home = asked.home or Path(scratch, "all")
        with connect_inside(settings_of(home)) as (client, node):
            take_in(client, tuple(map(str, folders)))
            labels, sets = labels_by_id(node.store, labels_of), labels_by_id(node.store, sets_of)
            for name, one in evaluate_fused(node.store, labels, sets, None).items():
                print(
                    f"{name}: n {one.n}, fused P@1 {one.p_at_1:.3f} (row {one.row_p_at_1:.3f}), P@{one.k} "
                    f"{one.p_at_k:.3f} (row {one.row_p_at_k:.3f}), mAP {one.map:.3f}, missing {one.missing:.3f}"
                )
            strangers(node.store, sets)
            edits(node.store, labels)
            print("and where pixels are compared")
            edits(node.store, labels, PreviewComparer(node.settings))
            if asked.without:
                rest = [folder for folder in folders if folder.name != asked.without]
                with connect_inside(settings_of(Path(scratch, "rest"))) as (other_client, other):
                    take_in(other_client, tuple(map(str, rest)))
                    without(node.store, other.store, labels)
                    kept = {id_: name for id_, name in sets.items() if name != asked.without}
                    for name, one in evaluate_fused(other.store, {i: labels[i] for i in kept}, kept, None).items():
                        print(f"{name} without {asked.without}: fused P@1 {one.p_at_1:.3f}, P@{one.k} {one.p_at_k:.3f}")


if __name__ == "__main__":
    main()
