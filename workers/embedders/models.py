"""Embed decoded media with the chosen models: vectors by space, tags and frames of concepts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError
from search.media import Kind
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import APPEARANCE, SCENE, STYLE, find_model, model_named, names_of
from search.model_descriptions.text import TextModel
from search.settings import Settings
from search.spaces import MEANING, CollectionSchema
from search.store.base import Array
from search.words.table import SPACE as CONCEPTS
from workers.decode.decoded import Decoded
from workers.embedders.builders import load_builder
from workers.embedders.image.concepts import concept_vector
from workers.embedders.video.frames import pool_frames

if TYPE_CHECKING:
    from torch import nn

    from workers.embedders.image.openclip import TextEmbedder
    from workers.embedders.networks import Runner, StateDict
    from workers.embedders.sound.rows import SoundEmbedder, SoundRows
    from workers.embedders.video.flow import FlowEmbedder

TOGETHER = 512
"""Pictures of several files that are embedded at once, 150 MB of crops and whole pictures; long films go one by one."""

MAX_TAGS = 5
MIN_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors and tags of one file.

    Attributes:
        vectors: space name to float32 ``(m, dim)``; ``concepts`` are described in
            ``workers.embedders.image.concepts``, ``appearance`` in ``workers.embedders.appearance``; all others have
            unit length.
        tags: names of ImageNet's classes of what it shows, most probable first; of a recording, words of
            ``workers.embedders.sound.character``, of which a film has ``speech`` alone.
        concept_frames: see ``search.media.MediaRecord``.
        spans: seconds at which each row of ``sound`` begins and ends, float32 ``(m, 2)``.
        voice_rows: which of those rows the rows of ``voice`` are, int32 ``(k,)``.
    """

    vectors: Mapping[str, Array]
    tags: tuple[str, ...] = ()
    concept_frames: tuple[int, ...] = ()
    spans: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    voice_rows: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))


class Models:
    """Loads each model when it is first needed; safe to use from several threads, one forward pass at a time.

    Args:
        states: weights to use instead of the official ones, by model name.
    """

    def __init__(self, settings: Settings, choice: ModelChoice, states: Mapping[str, StateDict] | None = None) -> None:
        self._settings = settings
        self._choice = choice
        self._states = states or {}
        self._lock = threading.RLock()

    @property
    def choice(self) -> ModelChoice:
        return self._choice

    @property
    def needs_clips(self) -> bool:
        """Whether the decoders have to cut the clips that a motion model sees."""
        return self._choice.needs_clips

    @property
    def _makes_concepts(self) -> bool:
        return self._choice.concepts and self._choice.concepts_space is not None

    @property
    def schemas(self) -> tuple[CollectionSchema, ...]:
        """What each collection holds with these models; known without loading them."""
        return schemas_of(self._choice)

    def load(self) -> None:
        """Load the chosen models now, so that a missing model stops a job before its first file.

        Raises:
            ModelError: the weights cannot be had.
            SettingsError: the device that the settings ask for is not there.
        """
        with self._lock:
            self._image  # noqa: B018  (a cached property loads it)
            if self.needs_clips:
                self._video  # noqa: B018
            if self._choice.style:
                self._style  # noqa: B018
            if self._choice.appearance:
                self._appearance  # noqa: B018
            if self._choice.text:
                self._meaning  # noqa: B018
            if model_named(self._choice.sound).may_be_missing:
                self._sound  # noqa: B018

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        """Vectors, tags and frames of concepts of each item, in order.

        Raises:
            ModelError: a model could not be loaded or run.
        """
        if len(items) > 1 and sum(len(item.crops) for item in items) > TOGETHER:
            return [embedded for item in items for embedded in self.embed([item])]
        with self._lock:
            pictures = self._embed_images(items)
            styles, appearances = self._embed_style(items), self._embed_appearance(items)
            meanings = self._embed_meaning(items)
            scenes, motions = self._embed_films(items)
            made: list[Embedded] = []
            for item, (visual, probabilities), style, appearance, meaning, scene, motion in zip(
                items, pictures, styles, appearances, meanings, scenes, motions, strict=True
            ):
                vectors: dict[str, Array] = {}
                frames: tuple[int, ...] = ()
                if len(visual):
                    vectors["visual"] = visual
                    if self._makes_concepts:
                        vectors[CONCEPTS], frames = concept_vector(probabilities, item.whole)
                if style is not None:
                    vectors["style"] = style
                if appearance is not None:
                    vectors["appearance"] = appearance
                if meaning is not None:
                    vectors[MEANING] = meaning
                if scene is not None:
                    vectors[SCENE] = scene
                if motion is not None:
                    vectors["motion"] = motion
                sound = self._embed_sound(item)
                if sound is None:
                    made.append(Embedded(vectors, self._tags(probabilities), frames))
                    continue
                vectors |= sound.vectors
                tags = (*self._tags(probabilities), *_words_of_sound(item.kind, sound))
                made.append(Embedded(vectors, tags, frames, sound.spans, sound.voice_rows))
        return made

    def text(self, words: str) -> Array:
        """Words as a vector of ``meaning``, float32 ``(1, dim)``, L2-normalised.

        Raises:
            ModelError: this choice has no model of words, or it could not be loaded or run.
        """
        if self._choice.text is None:
            raise ModelError(
                "No model embeds words here.",
                f"Set LIKEWISE_TEXT_MODEL={names_of(MEANING)[0]}, here and on every worker, and see `likewise doctor`.",
            )
        with self._lock:
            return self._words.embed_text([words])

    def _embed_images(self, items: Sequence[Decoded]) -> list[tuple[Array, Array]]:
        """Of each item's crops, embedded in one run: unit vectors float32 ``(n, dim)``, and probabilities float32
        ``(n, 1000)``, or ``(n, 0)`` of a model without ImageNet's classes."""
        counts = [len(item.crops) for item in items]
        if not sum(counts):
            nothing = np.empty((0, 0), np.float32)
            return [(nothing, nothing)] * len(items)
        vectors, *others = self._image(np.concatenate([item.crops for item in items]))
        probabilities = others[0] if self._choice.imagenet_classes else np.empty((len(vectors), 0), np.float32)
        ends = np.cumsum(counts)[:-1]
        return list(zip(np.split(vectors, ends), np.split(probabilities, ends), strict=True))

    def _embed_style(self, items: Sequence[Decoded]) -> list[Array | None]:
        """Unit vectors of ``style`` of each item's pictures within their borders; None for an item without any."""
        return _each(lambda: self._style, [_within_borders(item) if self._choice.style else None for item in items])

    def _embed_appearance(self, items: Sequence[Decoded]) -> list[Array | None]:
        """Vectors of ``appearance`` of each image within its borders; None for an item that is none."""
        made = self._choice.appearance
        pictures = [_within_borders(item) if made and item.kind is Kind.IMAGE else None for item in items]
        return _each(lambda: self._appearance, pictures)

    def _embed_meaning(self, items: Sequence[Decoded]) -> list[Array | None]:
        """Unit vectors of ``meaning`` of each item's crops; None for an item without any, or where it is not made."""
        return _each(lambda: self._meaning, [item.crops if self._choice.text else None for item in items])

    def _embed_films(self, items: Sequence[Decoded]) -> tuple[list[Array | None], list[Array | None]]:
        """Vectors of ``scene`` and of ``motion`` of each item; None for one that has none, or where it is not made."""
        nothing: list[Array | None] = [None] * len(items)
        scenes = nothing if self._choice.scene_space is None else self._pool_frames(items)
        if self.needs_clips:
            return scenes, self._embed_clips(items)
        if self._choice.needs_movement:
            return scenes, [None if item.movement is None else self._flow.embed(item.movement) for item in items]
        return scenes, self._pool_frames(items)

    def _pool_frames(self, items: Sequence[Decoded]) -> list[Array | None]:
        """Pooled whole key frames of each video as a unit vector ``(1, dim)``; None for an item without any."""
        frames = _each(lambda: self._image, [item.whole if item.kind is Kind.VIDEO else None for item in items])
        return [None if vectors is None else pool_frames(vectors) for vectors in frames]

    def _embed_clips(self, items: Sequence[Decoded]) -> list[Array | None]:
        """Mean of each item's clips as a unit vector ``(1, dim)``; None for an item without clips."""
        clips = _each(lambda: self._video, [item.clips for item in items])
        return [None if rows is None else _unit(rows.mean(axis=0, keepdims=True)) for rows in clips]

    def _embed_sound(self, item: Decoded) -> SoundRows | None:
        """The rows of a recording or sound track; none of a silent one, because silence would make unlike media
        alike."""
        return None if item.sound is None or not len(item.sound) else self._sound.embed(item.sound.pieces())

    def _tags(self, probabilities: Array) -> tuple[str, ...]:
        if not len(probabilities):
            return ()
        mean = probabilities.mean(axis=0)
        best = np.argsort(-mean, kind="stable")[:MAX_TAGS]
        return tuple(dict.fromkeys(self._categories[i] for i in best if mean[i] >= MIN_PROBABILITY))

    @cached_property
    def _categories(self) -> tuple[str, ...]:
        from workers.embedders.weights import imagenet_categories

        return imagenet_categories()

    @cached_property
    def _image(self) -> Runner:
        return self._built(model_named(self._choice.image))

    @cached_property
    def _video(self) -> Runner:
        return self._built(model_named(self._choice.video))

    @cached_property
    def _flow(self) -> FlowEmbedder:
        embedder: FlowEmbedder = load_builder(model_named(self._choice.video).builder)()
        return embedder

    @cached_property
    def _style(self) -> Runner:
        return self._built(STYLE)

    @cached_property
    def _appearance(self) -> Runner:
        return self._built(APPEARANCE)

    @cached_property
    def _meaning(self) -> Runner:
        return self._built(self._text_model)

    @cached_property
    def _words(self) -> TextEmbedder:
        model = self._text_model
        embedder: TextEmbedder = self._builder(model.text_builder)(
            self._states.get(model.name), model, lambda network: self._runner(network, model.name)
        )
        return embedder

    @cached_property
    def _sound(self) -> SoundEmbedder:
        from workers.device import choose_device

        build = self._builder(model_named(self._choice.sound).builder)
        embedder: SoundEmbedder = build(choose_device(self._settings))
        return embedder

    @property
    def _text_model(self) -> TextModel:
        """
        Raises:
            ModelError: the choice was made by a version that knows other models.
        """
        model = find_model(self._choice.text or "")
        if not isinstance(model, TextModel):
            raise ModelError(
                f"This version of Likewise does not know the model of words '{self._choice.text}'.",
                "Install the same version on every machine.",
            )
        return model

    def _built(self, model: ModelDescription) -> Runner:
        return self._runner(self._builder(model.builder)(self._states.get(model.name), model), model.name)

    def _builder(self, name: str) -> Any:
        from workers.device import use_threads

        use_threads(self._settings)
        return load_builder(name)

    def _runner(self, network: nn.Module, name: str) -> Runner:
        from workers.device import choose_device
        from workers.embedders.networks import Runner

        return Runner(network, choose_device(self._settings), self._settings.batch_size, name)


def _each(runner: Callable[[], Runner], parts: Sequence[NDArray[np.uint8] | None]) -> list[Array | None]:
    """The first output for each part, all of them in one run; None for a part that is None or empty.

    Args:
        runner: called only where there are rows, because it loads the model.
    """
    given = [part for part in parts if part is not None and len(part)]
    if not given:
        return [None] * len(parts)
    outputs = runner()(np.concatenate(given))[0]
    rows = iter(np.split(outputs, np.cumsum([len(part) for part in given])[:-1]))
    return [None if part is None or not len(part) else next(rows) for part in parts]


def _words_of_sound(kind: Kind, sound: SoundRows) -> tuple[str, ...]:
    """The others would be read as words about a film's pictures."""
    return sound.words if kind is Kind.AUDIO else tuple(word for word in sound.words if word == "speech")


def _within_borders(item: Decoded) -> NDArray[np.uint8] | None:
    return item.whole if item.inner is None else item.inner


def _unit(rows: Array) -> Array:
    unit: Array = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit
