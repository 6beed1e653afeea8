"""How well words find what photos show, and what each choice behind it is worth.

    python tests/benchmarks/bench_words.py [--photos DIR] [--cache FILE]

``DIR`` is ``images_caltech101``: 800 photos in one folder a category. Prints P@10 and AP

1. of the twelve queries through the store and ``search_words(by="shows")``, next to the class probabilities themselves,
2. of 37 words for ways to weigh a word's senses, with nothing cut,
3. of the twelve queries for ways to keep few components, with their number,
4. precision, recall and F1 for strengths from which a picture holds a word.

EfficientNet-Lite0, on the CPU; ``--cache`` keeps the probabilities, which take a minute.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.labels import read_labels
from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.registry import EFFICIENTNET_LITE0
from search.settings import Settings
from search.spaces import CollectionSchema, VectorField
from search.store.base import Array, Point
from search.store.edge.store import EdgeStore
from search.words import search_words
from search.words.meaning import meaning
from search.words.table import table
from workers.embedders.image.concepts import concept_vector, least

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "images_caltech101"

ASKED: Mapping[str, tuple[str, ...]] = {
    "dog": ("dalmatian",),
    "bird": ("flamingo", "ibis"),
    "guitar": ("electric_guitar",),
    "musical instrument": ("electric_guitar", "grand_piano"),
    "vehicle": ("Motorbikes", "airplanes", "car_side", "ferry", "helicopter", "ketch", "schooner"),
    "aircraft": ("airplanes", "helicopter"),
    "boat": ("ferry", "ketch", "schooner"),
    "cat": ("Leopards", "cougar_face"),
    "insect": ("butterfly", "dragonfly"),
    "butterfly": ("butterfly",),
    "flower": ("lotus", "sunflower"),
    "furniture": ("lamp",),
}
"""The twelve queries and the categories that answer them."""

FURTHER: Mapping[str, tuple[str, ...]] = {
    "car": ("car_side",),
    "bike": ("Motorbikes",),
    "motorcycle": ("Motorbikes",),
    "plane": ("airplanes",),
    "lamp": ("lamp",),
    "leopard": ("Leopards",),
    "panther": ("Leopards", "cougar_face"),
    "crab": ("crab",),
    "crayfish": ("crayfish",),
    "animal": (
        *("Leopards", "butterfly", "cougar_face", "crab", "crayfish", "dalmatian", "dolphin", "dragonfly"),
        *("elephant", "flamingo", "hawksbill", "ibis", "kangaroo", "llama", "scorpion", "starfish"),
    ),
    "turtle": ("hawksbill",),
    "ball": ("soccer_ball",),
    "sign": ("stop_sign",),
    "ship": ("ferry", "ketch", "schooner"),
    "sailboat": ("ketch", "schooner"),
    "computer": ("laptop",),
    "clock": ("watch",),
    "umbrella": ("umbrella",),
    "piano": ("grand_piano",),
    "elephant": ("elephant",),
    "scorpion": ("scorpion",),
    "starfish": ("starfish",),
    "whale": ("dolphin",),
    "mammal": ("Leopards", "cougar_face", "dalmatian", "dolphin", "elephant", "kangaroo", "llama"),
    "crustacean": ("crab", "crayfish"),
    "vessel": ("ferry", "ketch", "schooner"),
    "machine": ("laptop",),
}
WORDS = {**ASKED, **FURTHER}

Scores = Callable[[str], NDArray[np.float64]]


def precision_at_10_and_ap(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Of the items with a score above zero, best first; what is not among them counts as not found."""
    order = np.argsort(-scores, kind="stable")
    found = truth[order[scores[order] > 0]]
    if not len(found):
        return 0.0, 0.0
    precision = np.cumsum(found) / np.arange(1, len(found) + 1)
    return float(found[:10].sum() / min(10, len(found))), float((precision * found).sum() / truth.sum())


def measure(
    scores: Scores, labels: NDArray[np.str_], words: Mapping[str, Sequence[str]]
) -> Mapping[str, tuple[float, float]]:
    return {word: precision_at_10_and_ap(scores(word), np.isin(labels, folders)) for word, folders in words.items()}


def mean_ap(measured: Mapping[str, tuple[float, float]]) -> float:
    return float(np.mean([ap for _, ap in measured.values()]))


def photos_seen(folder: Path, cache: Path | None) -> tuple[list[str], NDArray[np.str_], Array, NDArray[np.uint8]]:
    """Paths, labels, class probabilities ``(n, 1000)`` and whole pictures ``(n, 224, 224, 3)``."""
    if cache and cache.is_file():
        with np.load(cache) as kept:
            return list(kept["paths"]), kept["labels"], kept["probs"], kept["whole"]
    import torch

    from workers.decode.sandbox.pool import DecodePool
    from workers.embedders.image.efficientnet import efficientnet_lite0_network
    from workers.embedders.networks import Runner

    by_path = read_labels(folder)
    paths = sorted(by_path)
    with tempfile.TemporaryDirectory() as home, DecodePool(Settings(home=Path(home), device="cpu")) as pool:
        decoded = [future.result() for future in [pool.submit(path) for path in paths]]
    run = Runner(efficientnet_lite0_network(None), torch.device("cpu"), 16)
    probabilities = np.concatenate([run(one.crops)[1] for one in decoded])
    whole = np.concatenate([one.whole for one in decoded if one.whole is not None])
    labels = np.array([by_path[path] for path in paths])
    if cache:
        np.savez(cache, paths=np.array(paths), labels=labels, probs=probabilities, whole=whole)
    return paths, labels, probabilities, whole


def through_the_store(
    paths: Sequence[str], vectors: Array, labels: NDArray[np.str_]
) -> Mapping[str, tuple[float, float]]:
    """The twelve queries and ``dogs``, asked as users ask them, with the whole answer."""
    schema = CollectionSchema(Kind.IMAGE, (VectorField(concepts_space(EFFICIENTNET_LITE0), sparse=True),))
    ids = {media_id(path): n for n, path in enumerate(paths)}
    with tempfile.TemporaryDirectory() as home:
        store = EdgeStore(Path(home))
        store.ensure(schema)
        records = [MediaRecord(id_, Kind.IMAGE, (paths[n],)) for id_, n in ids.items()]
        points = [Point(r.id, {"concepts": row[None]}, r.to_payload()) for r, row in zip(records, vectors, strict=True)]
        store.upsert("images", points)

        def scores(word: str) -> NDArray[np.float64]:
            found = np.zeros(len(paths))
            for rank, hit in enumerate(search_words(store, word, limit=len(paths), by="shows").hits):
                found[ids[hit.id]] = 1 / (1 + rank)
            return found

        measured = measure(scores, labels, {**ASKED, "dogs": ASKED["dog"]})
        store.close()
    return measured


def values_of(probabilities: Array) -> Array:
    """Every concept's value, ``(n, concepts)``, with nothing cut."""
    return np.stack([probabilities[:, list(classes)].sum(axis=1) for classes in table().classes], axis=1)


def senses_by(rule: str, word: str) -> list[tuple[int, float]]:
    meant = meaning(word.split())
    assert meant is not None, word
    senses = table().words[meant.base]
    useful = [(concept, rare_sense) for concept, rare_sense in senses if concept in dict(meant.senses)]
    usual = [concept for concept, rare_sense in useful if not rare_sense]
    if rule == "usual ones alone":
        return [(concept, 1.0) for concept in usual]
    other = {"all alike": 1.0}.get(rule) or float(rule.removeprefix("others "))
    return [(concept, other if rare_sense else 1.0) for concept, rare_sense in useful]


def compare_senses(values: Array, labels: NDArray[np.str_]) -> None:
    for rule in ("all alike", "usual ones alone", "others .5", "others .3", "others .2", "others .1"):

        def scores(word: str, rule: str = rule) -> NDArray[np.float64]:
            weighed = [values[:, concept] * weight for concept, weight in senses_by(rule, word)]
            return np.asarray(np.max(weighed, axis=0) if len(weighed) == 1 else np.sum(weighed, axis=0), np.float64)

        print(f"  {rule:18} {mean_ap(measure(scores, labels, WORDS)):.3f}")


def compare_cutoffs(values: Array, labels: NDArray[np.str_]) -> None:
    def told(name: str, recovered: Array, kept: NDArray[np.intp]) -> None:
        def scores(word: str) -> NDArray[np.float64]:
            meant = meaning(word.split())
            assert meant is not None
            return np.asarray(sum(recovered[:, concept] * weight for concept, weight in meant.senses), np.float64)

        print(f"  {name:38} {kept.mean():5.1f} components  {mean_ap(measure(scores, labels, ASKED)):.3f}")

    told("nothing cut", values, np.full(len(values), values.shape[1]))
    for cutoff in (0.005, 0.01, 0.02, 0.03, 0.05):
        cut = np.where(values >= cutoff, values, 0)
        told(f"values from {cutoff}", cut, (cut > 0).sum(axis=1))
    sizes = np.array([len(classes) for classes in table().classes])
    below = table().below.T.astype(np.float32)
    for cutoff, chance in (
        (0.003, 0),
        (0.005, 0),
        (0.007, 0),
        (0.002, 1),
        (0.003, 1),
        (0.004, 1),
        (0.005, 1),
        (0.004, 1.33),
    ):
        kept = remainders(values, np.maximum(cutoff, chance * sizes / 1000))
        told(f"remainders from {cutoff}, {chance} x chance", kept @ below, (kept > 0).sum(axis=1))


def remainders(values: Array, enough: NDArray[np.float64]) -> Array:
    """As ``workers.embedders.image.concepts`` keeps them, for any limits, of all pictures at once."""
    kept = np.zeros_like(values)
    below = table().below.astype(np.float32)
    for concept in table().order:
        rest = values[:, concept] - kept @ below[concept]
        kept[:, concept] = np.where(rest > enough[concept], rest, 0)
    return kept


def compare_strengths(vectors: Array, labels: NDArray[np.str_]) -> None:
    for strength in (0.02, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3):
        found = []
        for word, folders in WORDS.items():
            meant = meaning(word.split())
            weights = meant.shows() if meant else None
            assert weights is not None
            held, truth = vectors @ weights[0] >= strength, np.isin(labels, folders)
            precision, recall = (held & truth).sum() / max(1, held.sum()), (held & truth).sum() / truth.sum()
            found.append((precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)))
        print("  from {:.2f}  precision {:.3f}  recall {:.3f}  F1 {:.3f}".format(strength, *np.mean(found, axis=0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    paths, labels, probabilities, whole = photos_seen(given.photos, given.cache)
    vectors = np.concatenate([concept_vector(probabilities[n : n + 1], whole[n : n + 1])[0] for n in range(len(paths))])
    values = values_of(probabilities)
    kept = (vectors != 0).sum(axis=1)
    print(f"{len(paths)} photos; {kept.mean():.1f} components a photo with colours, at most {kept.max()}")
    print(f"widest limit of a component {least().max():.3f}, narrowest {least().min():.3f}")
    print("word                 P@10   AP")
    for word, (precision, ap) in through_the_store(paths, vectors, labels).items():
        print(f"{word:20} {precision:.2f}  {ap:.3f}")
    print("mean AP of 37 words by what a word's rare senses count, nothing cut")
    compare_senses(values, labels)
    print("mean AP of the twelve by what is kept")
    compare_cutoffs(values, labels)
    print("37 words by the strength from which a photo holds one")
    compare_strengths(vectors, labels)


if __name__ == "__main__":
    main()
