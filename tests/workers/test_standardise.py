"""Standardised sounds: the statistics, and rewriting every vector when they are fitted anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search.store.base import Point, Store
from workers import standardise as module
from workers.standardise import (
    KEY,
    PENDING,
    current_statistics,
    fit,
    provisional_statistics,
    refit_sound,
    standardise,
)

RNG = np.random.default_rng(5)
RAW = (RNG.normal(size=(40, 8)) * np.arange(1, 9) + 100).astype(np.float32)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def write(store: Store, collection: str, numbers: range) -> None:
    statistics = provisional_statistics(store, RAW[numbers.start : numbers.stop])
    kind = {"audio": "audio", "videos": "video"}[collection]
    store.upsert(
        collection,
        [
            Point(
                uuid(n),
                {"sound_raw": RAW[n : n + 1], "sound": standardise(RAW[n : n + 1], statistics)},
                {"id": uuid(n), "kind": kind, "paths": [f"/{n}"], "missing": n % 7 == 0},
            )
            for n in numbers
        ],
    )


def stored(store: Store, collection: str) -> dict[str, np.ndarray]:
    return {point.id: point.vectors["sound"][0] for point in store.scroll(collection, vectors=("sound",))}


def expected(count: int) -> np.ndarray:
    scaled = np.clip((RAW - RAW[:count].mean(0)) / RAW[:count].std(0), -3, 3)
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)


def test_statistics_in_pages_are_those_of_the_whole() -> None:
    fitted = fit([RAW[:7], RAW[7:8], RAW[8:]], version=3)
    np.testing.assert_allclose(fitted.mean, RAW.mean(0, dtype=np.float64))
    np.testing.assert_allclose(fitted.std, RAW.astype(np.float64).std(0))
    assert (fitted.version, fitted.count) == (3, 40)


def test_statistics_survive_the_metadata() -> None:
    fitted = fit([RAW], version=2)
    again = module.SoundStatistics.from_json(fitted.to_json())
    np.testing.assert_array_equal(standardise(RAW, again), standardise(RAW, fitted))


@pytest.mark.parametrize("raw", [RAW[:1], RAW[:2], np.zeros((5, 8), np.float32), np.ones((5, 8), np.float32)])
def test_few_or_equal_sounds_still_have_unit_vectors(raw: np.ndarray) -> None:
    unit = standardise(raw, fit([raw], version=0))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)


def test_one_odd_dimension_does_not_decide() -> None:
    odd = RAW[:1].copy()
    odd[0, 3] = 1e6
    assert abs(standardise(odd, fit([RAW], version=1))[0, 3]) < 0.9


def test_refit_pools_both_collections_and_rewrites_every_vector(store: Store) -> None:
    write(store, "audio", range(25))
    write(store, "videos", range(25, 40))
    assert refit_sound(store)
    for collection in ("audio", "videos"):
        for id_, vector in stored(store, collection).items():
            np.testing.assert_allclose(vector, expected(40)[int(id_[-12:])], atol=1e-5)
        assert store.metadata(collection)[KEY]["n"] == 40
        assert PENDING not in store.metadata(collection)
    assert not refit_sound(store)


def test_refit_waits_for_a_fifth_more_sounds(store: Store) -> None:
    write(store, "audio", range(30))
    assert refit_sound(store)
    write(store, "audio", range(30, 35))
    assert not refit_sound(store)
    write(store, "audio", range(35, 36))
    assert refit_sound(store)
    found = current_statistics(store)
    assert found is not None
    assert (found.version, found.count) == (2, 36)


def test_a_refit_that_was_killed_half_way_is_done_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 10)
    write(store, "audio", range(40))
    real, pages = store.update_vectors, 0

    def killed(*arguments: Any) -> None:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(store, "update_vectors", killed)
        with pytest.raises(KeyboardInterrupt):
            refit_sound(store)
    assert store.metadata("audio")[PENDING]

    assert refit_sound(store)
    vectors = stored(store, "audio")
    np.testing.assert_allclose([vectors[uuid(n)] for n in range(40)], expected(40), atol=1e-5)
    assert not refit_sound(store)


def test_nothing_to_hear_is_nothing_to_do(store: Store) -> None:
    assert not refit_sound(store)
    assert current_statistics(store) is None
