"""Words are compared with whole pictures, from the decoder to the API, by a small open_clip model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search.errors import ModelError
from search.likeness.best_pairs import Background
from search.likeness.curve import LikenessCurve
from search.likeness.curves import curves_of
from search.media import Kind
from search.model_descriptions.registry import MODELS
from search.settings import Settings
from search.similar.find import find_similar
from search.similar.questions import Question
from search.store import open_store
from search.store.base import Store
from search.store.filters import Filter
from web.api.params import WordParameters
from web.api.questions import search
from workers.batch.report import Batch, FileRef, Status
from workers.engines.local import LocalEngine


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(text_model="open_clip", image_model="efficientnet_lite0", video_model="frames")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with closing(open_store(settings)) as opened:
        yield opened


@pytest.fixture
def engine(
    settings: Settings, store: Store, tiny_clip: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalEngine]:
    monkeypatch.setattr("search.model_descriptions.registry.MODELS", (*MODELS[:-1], tiny_clip.MODEL))
    monkeypatch.setattr("workers.embedders.hub.require", lambda model: Path("cached"))
    monkeypatch.setattr("workers.embedders.image.openclip.weights_of", lambda model: tiny_clip.state())
    made = LocalEngine(settings, store)
    yield made
    made.close()


def picture(path: Path, seed: int) -> FileRef:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((300, 240), Image.Resampling.BICUBIC).save(path)
    facts = path.stat()
    return FileRef(str(path), "lib", facts.st_size, facts.st_mtime, hashlib.sha256(path.read_bytes()).hexdigest())


def test_what_is_taken_in_answers_to_words_by_its_meaning(
    engine: LocalEngine, settings: Settings, store: Store, make_node: Any, tmp_path: Path
) -> None:
    files = tuple(picture(tmp_path / f"{n}.png", n) for n in range(3))
    [report] = engine.runner.run([Batch("b", "j", Kind.IMAGE, files)])
    assert [outcome.status for outcome in report.outcomes] == [Status.EMBEDDED] * 3
    ids = [outcome.media_id for outcome in report.outcomes if outcome.media_id]
    space = store.schema("images").space("meaning")
    assert space is not None
    vectors = {point.id: point.vectors["meaning"][0] for point in store.retrieve("images", ids, vectors=["meaning"])}
    words = engine.encoder.text("xyzzy plugh", space)
    cosines = {id_: float(vector @ words[0]) for id_, vector in vectors.items()}
    curve = LikenessCurve(0, 0, 1, 1.0, Background(0, 0.1))  # seeded towers know nothing: all are likely
    curves_of(store).save({space.fingerprint: {"text:image": curve}})
    node = replace(make_node(), settings=settings, store=store, encoder=engine.encoder)

    answer = search(node, WordParameters('"xyzzy plugh"'), Filter())

    assert [hit.id for hit in answer.hits] == sorted(cosines, key=lambda id_: -cosines[id_])
    assert [hit.score for hit in answer.hits] == pytest.approx(
        [curve.likeness(cosines[hit.id]) for hit in answer.hits], abs=2e-3
    )
    assert {reason.place.value for hit in answer.hits for reason in hit.reasons} == {"looks like"}
    assert (answer.total, answer.matched_any, answer.notes) == (3, False, ())

    example = engine.encoder.probe(files[0].path)
    assert "meaning" in example.vectors
    assert not {hit.space for hit in find_similar(store, Question((example,))).hits} & {"meaning", "style"}
    named = find_similar(store, Question((example,), spaces=("meaning",)))
    assert {hit.space for hit in named.hits} == {"meaning"}
    assert len(named.hits) == 3

    off = replace(make_node(), settings=settings.model_copy(update={"text_model": "none"}), store=store, encoder=None)
    assert search(off, WordParameters('"xyzzy plugh"'), Filter()).hits == ()


def test_words_are_answered_without_where_nothing_embeds_them(
    engine: LocalEngine, settings: Settings, store: Store, make_node: Any
) -> None:
    class Away:
        def text(self, words: str, space: object) -> None:
            raise ModelError("The weights of open_clip could not be had.")

    engine.prepare()
    answer = search(
        replace(make_node(), settings=settings, store=store, encoder=Away()), WordParameters("dog"), Filter()
    )
    assert [note for note in answer.notes if "could not be had" in note]
