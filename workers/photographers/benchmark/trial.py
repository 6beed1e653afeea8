"""One seed of the benchmark: draw presets, develop photos, extract, train, evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Floats
from search.photographers.develop.settings import Preset
from search.store.base import Array
from workers.embedders.style import training
from workers.embedders.style.training import StyleTrainingSet
from workers.photographers.benchmark import controls
from workers.photographers.benchmark.encoder import Whitening, whiten
from workers.photographers.benchmark.heads import boosted, discriminant
from workers.photographers.benchmark.intervals import hits_of_one, hits_of_ten, sets_of_ten
from workers.photographers.benchmark.observe import LoadedModels, Observation, ProductPipeline
from workers.photographers.benchmark.open_set import OpenSetTrial, open_set
from workers.photographers.benchmark.options import PresetOptions
from workers.photographers.benchmark.photos import BasePhoto, Split
from workers.photographers.benchmark.presets import draw_presets, jitter
from workers.photographers.benchmark.product_models import as_reader
from workers.photographers.benchmark.rows import CONTENT_CHECKED, REPRESENTATIONS, everything, metadata
from workers.photographers.develop.render import apply

TWIN = 0
"""Number of the photographer whose preset is given to one more."""

EACH = 5
"""Renders of a photo that encoders are trained on."""

FLAT_SHARE = 6
"""One in so many base photos is developed once more under photographers without a preset."""

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Observations of one seed's renders, axes ``(photos, photographers, …)``.

    Attributes:
        gallery, question: the renders; the last photographer has the preset of number ``TWIN``.
        flat_gallery, flat_question: some of the photos under as many photographers who only have jitter.
        practice: what the encoder is learnt from beside the gallery.
    """

    presets: tuple[Preset, ...]
    gallery: Observation
    question: Observation
    flat_gallery: Observation
    flat_question: Observation
    practice: StyleTrainingSet


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
    open_one: OpenSetTrial
    open_ten: OpenSetTrial


def render_steps(split: Split) -> int:
    """Steps that :func:`render` takes."""
    return len(split.gallery) + len(split.question) + len(split.practice) + sum(map(len, _flat_photos(split)))


def render(
    split: Split,
    options: PresetOptions,
    level: float,
    pipeline: ProductPipeline,
    models: LoadedModels,
    seed: int,
    tick: Tick,
) -> Rendered:
    """Develop every photo by every photographer and look at it.

    Raises:
        MediaError, ModelError: see :meth:`ProductPipeline.observe`.
    """
    rng = np.random.default_rng((seed, 1))
    presets = draw_presets(options.presets, rng)
    flat = (Preset(),) * options.presets
    some_gallery, some_question = _flat_photos(split)

    def observation(photos: Sequence[BasePhoto], photographers: Sequence[Preset]) -> Observation:
        return _stacked(pipeline.observe(_developed(photos, photographers, level, rng)), tick)

    return Rendered(
        presets,
        observation(split.gallery, (*presets, presets[TWIN])),
        observation(split.question, (*presets, presets[TWIN])),
        observation(some_gallery, flat),
        observation(some_question, flat),
        _training_set(split.practice, models, seed, tick),
    )


def _training_set(photos: Sequence[BasePhoto], models: LoadedModels, seed: int, tick: Tick) -> StyleTrainingSet:
    """Renders for the encoders, by photographers of their own; a step is counted for each photo."""
    seen = 0

    def statistics(wholes: NDArray[np.uint8]) -> Array:
        nonlocal seen
        found = models.statistics(wholes)
        before, seen = seen // EACH, seen + len(wholes)
        for _ in range(seen // EACH - before):
            tick()
        return found

    return training.make_training_set([photo.pixels for photo in photos], EACH, seed, statistics)


def _flat_photos(split: Split) -> tuple[Sequence[BasePhoto], Sequence[BasePhoto]]:
    return split.gallery[::FLAT_SHARE], split.question[::FLAT_SHARE]


def _developed(
    photos: Sequence[BasePhoto], photographers: Sequence[Preset], level: float, rng: np.random.Generator
) -> Iterator[list[NDArray[np.uint8]]]:
    for photo in photos:
        yield [apply(photo.pixels, jitter(preset, level, rng), rng) for preset in photographers]


def _stacked(seen: Iterable[Observation], tick: Tick) -> Observation:
    observations: list[Observation] = []
    for observation in seen:
        observations.append(observation)
        tick()
    return Observation.stack(observations)


def evaluate_trial(rendered: Rendered, subjects: Sequence[str], seed: int, tick: Tick) -> SeedResult:
    """Learn from the gallery by every row, ask about the question's photos, and take the controls.

    Args:
        subjects: of the question's photos.
    """
    rng = np.random.default_rng((seed, 2))
    presets = len(rendered.presets)
    usual = slice(0, presets)
    gallery, question = rendered.gallery.at(slice(None), usual), rendered.question.at(slice(None), usual)

    encoder = training.train(rendered.practice)
    practice = replace(rendered.practice, statistics=training.normalise(encoder, rendered.practice.statistics))
    asked = tuple(training.normalise(encoder, observation.statistics) for observation in (gallery, question))

    def train(normalised: Array) -> Whitening:
        return whiten(normalised, practice)

    read, whitening = as_reader(encoder), train(asked[0])
    gallery, question = (
        replace(observation, trained=read(observation.statistics), whitened=whitening(normalised))
        for observation, normalised in zip((gallery, question), asked, strict=True)
    )
    tens = sets_of_ten(len(subjects), rng)
    one: dict[str, Floats] = {}
    ten: dict[str, Floats] = {}
    for representation in REPRESENTATIONS:
        answers = representation.head(representation.of(gallery), representation.of(question))
        one[representation.name], ten[representation.name] = hits_of_one(answers), hits_of_ten(answers, tens)
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
        {
            representation.name: controls.content_found(representation.of(question), subjects)
            for representation in CONTENT_CHECKED
        },
        open_set(asked[0], asked[1], controls.singles(len(subjects)), train, np.random.default_rng((seed, 3))),
        open_set(asked[0], asked[1], tens, train, np.random.default_rng((seed, 3))),
    )
