"""One seed of the benchmark: draw photographers, develop, look, learn, ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Floats
from search.store.base import Array
from workers.embedders.style import training
from workers.embedders.style.training import Practice
from workers.photographers.benchmark import controls
from workers.photographers.benchmark.encoder import Whitening, whiten
from workers.photographers.benchmark.heads import boosted, discriminant
from workers.photographers.benchmark.intervals import hits_of_one, hits_of_ten, sets_of_ten
from workers.photographers.benchmark.observe import Eyes, Look, OpenModels
from workers.photographers.benchmark.open_set import OpenSet, open_set
from workers.photographers.benchmark.options import PresetOptions
from workers.photographers.benchmark.photos import BasePhoto, Split
from workers.photographers.benchmark.presets import Preset, apply, draw_presets, jitter
from workers.photographers.benchmark.product_models import as_reader
from workers.photographers.benchmark.rows import SEEING, WAYS, everything, metadata

TWIN = 0
"""Number of the photographer whose preset is given to one more."""

EACH = 5
"""Renders of a photo that encoders are trained on."""

FLAT_SHARE = 6
"""One in so many base photos is developed once more under photographers without a preset."""

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is seen of one seed's renders, axes ``(photos, photographers, …)``.

    Attributes:
        gallery, question: the renders; the last photographer has the preset of number ``TWIN``.
        flat_gallery, flat_question: some of the photos under as many photographers who only have jitter.
        practice: what the encoder is learnt from beside the gallery.
    """

    presets: tuple[Preset, ...]
    gallery: Look
    question: Look
    flat_gallery: Look
    flat_question: Look
    practice: Practice


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One seed's raw answers; ``benchmark`` puts those of all seeds together.

    Attributes:
        one, ten: by row, hits ``(photos, presets)`` and ``(sets, presets)``.
        twins: right within the pair and within the pair, by photo.
        content: by row, how much oftener than by chance the nearest photo shows the same subject, by photo.
    """

    one: Mapping[str, Floats]
    ten: Mapping[str, Floats]
    shuffled: Floats
    flat: Floats
    metadata: Floats
    twins: tuple[Floats, Floats]
    content: Mapping[str, Floats]
    open_one: OpenSet
    open_ten: OpenSet


def photos_to_see(split: Split) -> int:
    """Steps that :func:`render` takes."""
    return len(split.gallery) + len(split.question) + len(split.practice) + sum(map(len, _some(split)))


def render(
    split: Split, options: PresetOptions, level: float, eyes: Eyes, models: OpenModels, seed: int, tick: Tick
) -> Rendered:
    """Develop every photo by every photographer and look at it.

    Raises:
        MediaError, ModelError: see :meth:`Eyes.see`.
    """
    rng = np.random.default_rng((seed, 1))
    presets = draw_presets(options.presets, rng)
    flat = (Preset(),) * options.presets
    some_gallery, some_question = _some(split)

    def look(photos: Sequence[BasePhoto], photographers: Sequence[Preset]) -> Look:
        return _looked(eyes.see(_developed(photos, photographers, level, rng)), tick)

    return Rendered(
        presets,
        look(split.gallery, (*presets, presets[TWIN])),
        look(split.question, (*presets, presets[TWIN])),
        look(some_gallery, flat),
        look(some_question, flat),
        _practised(split.practice, models, seed, tick),
    )


def _practised(photos: Sequence[BasePhoto], models: OpenModels, seed: int, tick: Tick) -> Practice:
    """Renders for the encoders, by photographers of their own; a step is counted for each photo."""
    seen = 0

    def statistics(wholes: NDArray[np.uint8]) -> Array:
        nonlocal seen
        found = models.statistics(wholes)
        before, seen = seen // EACH, seen + len(wholes)
        for _ in range(seen // EACH - before):
            tick()
        return found

    return training.practise([photo.pixels for photo in photos], EACH, seed, statistics)


def _some(split: Split) -> tuple[Sequence[BasePhoto], Sequence[BasePhoto]]:
    return split.gallery[::FLAT_SHARE], split.question[::FLAT_SHARE]


def _developed(
    photos: Sequence[BasePhoto], photographers: Sequence[Preset], level: float, rng: np.random.Generator
) -> Iterator[list[NDArray[np.uint8]]]:
    for photo in photos:
        yield [apply(photo.pixels, jitter(preset, level, rng), rng) for preset in photographers]


def _looked(seen: Iterable[Look], tick: Tick) -> Look:
    looks: list[Look] = []
    for look in seen:
        looks.append(look)
        tick()
    return Look.stack(looks)


def ask(rendered: Rendered, subjects: Sequence[str], seed: int, tick: Tick) -> SeedResult:
    """Learn from the gallery by every row, ask about the question's photos, and take the controls.

    Args:
        subjects: of the question's photos.
    """
    rng = np.random.default_rng((seed, 2))
    presets = len(rendered.presets)
    usual = slice(0, presets)
    gallery, question = rendered.gallery.at(slice(None), usual), rendered.question.at(slice(None), usual)

    encoder = training.train(rendered.practice)
    practice = replace(rendered.practice, statistics=training.even_out(encoder, rendered.practice.statistics))
    asked = tuple(training.even_out(encoder, look.statistics) for look in (gallery, question))

    def train(evened: Array) -> Whitening:
        return whiten(evened, practice)

    read, whitening = as_reader(encoder), train(asked[0])
    gallery, question = (
        replace(look, trained=read(look.statistics), whitened=whitening(evened))
        for look, evened in zip((gallery, question), asked, strict=True)
    )
    tens = sets_of_ten(len(subjects), rng)
    one: dict[str, Floats] = {}
    ten: dict[str, Floats] = {}
    for way in WAYS:
        answers = way.head(way.of(gallery), way.of(question))
        one[way.name], ten[way.name] = hits_of_one(answers), hits_of_ten(answers, tens)
        tick()
    all_gallery, all_question = everything(gallery), everything(question)
    twins = discriminant(everything(rendered.gallery), everything(rendered.question))
    return SeedResult(
        one,
        ten,
        controls.guessing(controls.shuffled(all_gallery, rng), all_question, discriminant),
        controls.guessing(everything(rendered.flat_gallery), everything(rendered.flat_question), discriminant),
        controls.guessing(metadata(gallery), metadata(question), boosted),
        controls.twin_answers(twins, TWIN, presets),
        {way.name: controls.content_found(way.of(question), subjects) for way in SEEING},
        open_set(asked[0], asked[1], controls.singles(len(subjects)), train, np.random.default_rng((seed, 3))),
        open_set(asked[0], asked[1], tens, train, np.random.default_rng((seed, 3))),
    )
