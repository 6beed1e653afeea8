"""One model for each kind of media, and the schemas of the collections that they fill."""

from __future__ import annotations

from dataclasses import dataclass

from search.media import Kind
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import (
    AISFX,
    AISFX_GE2E,
    APPEARANCE,
    GE2E,
    LOGMEL,
    LOGMEL_ROWS,
    SCENE,
    SOUND,
    SOUND_VOICE,
    STYLE,
    VOICE,
    find_model,
    frames_of,
    model_named,
)
from search.model_descriptions.text import TextModel
from search.spaces import MEANING, CollectionSchema, Distance, Space, VectorField


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The models to embed with, by name, and notes that say why a model is not the preferred one.

    Attributes:
        notes: sentences for people.
        style: whether ``style`` is made; not where a collection holds it at another revision, or the store cannot add
            it.
        concepts: the same of ``concepts``, which are made where the image model has ImageNet's classes.
        appearance: as ``style``, of ``appearance``.
        scene: whether ``scene`` is made where ``video`` is no model of pooled key frames; not in a collection without.
        text: model that fills ``meaning`` and embeds words; None where the settings want none, and as for ``style``.
    """

    image: str
    video: str
    sound: str = LOGMEL_ROWS.name
    notes: tuple[str, ...] = ()
    style: bool = True
    concepts: bool = True
    text: str | None = None
    appearance: bool = True
    scene: bool = True

    @property
    def imagenet_classes(self) -> bool:
        """Whether the image model gives the probabilities of ImageNet's classes; False where it is not known here."""
        image = find_model(self.image)
        return image is not None and image.imagenet_classes

    @property
    def needs_clips(self) -> bool:
        """Whether the decoders have to cut the clips that the video model sees; False where it is not known here."""
        video = find_model(self.video)
        return video is not None and video.clips

    @property
    def needs_movement(self) -> bool:
        """Whether the decoders have to measure how videos move, for the video model; False where it is not known
        here."""
        video = find_model(self.video)
        return video is not None and video.movement

    @property
    def scene_space(self) -> Space | None:
        """The space ``scene`` as this choice fills it; None where it does not, or the image model is not known here."""
        image, video = find_model(self.image), find_model(self.video)
        if not self.scene or image is None or video is None or SCENE in video.spaces:
            return None
        return frames_of(image).space(SCENE)

    @property
    def concepts_space(self) -> Space | None:
        """The space ``concepts`` as the image model fills it, whether this choice makes it or not; None where the model
        has no classes, or is not known here."""
        image = find_model(self.image)
        return concepts_space(image) if image is not None and image.imagenet_classes else None

    @property
    def meaning_space(self) -> Space | None:
        """The space ``meaning`` as this choice fills it; None where it does not, or the model is not known here."""
        model = find_model(self.text or "")
        return model.space(MEANING) if isinstance(model, TextModel) else None


def schemas_of(choice: ModelChoice) -> tuple[CollectionSchema, ...]:
    """What each collection holds with these models.

    Raises:
        ModelError: this version does not know one of the models.
    """
    visual, motion = model_named(choice.image).space("visual"), model_named(choice.video).space("motion")
    of_sound = _sound_fields(model_named(choice.sound))
    of_image, of_video = [VectorField(visual)], [VectorField(visual, multi=True)]
    scene = choice.scene_space
    if scene is not None:
        of_video.append(VectorField(scene))
    of_video.append(VectorField(motion))
    if choice.style:
        style = STYLE.space("style")
        of_image.append(VectorField(style))
        of_video.append(VectorField(style, multi=True))
    if choice.appearance:
        of_image.append(VectorField(APPEARANCE.space("appearance", Distance.DOT), indexed=False))
    concepts = choice.concepts_space
    if choice.concepts and concepts is not None:
        of_image.append(VectorField(concepts, sparse=True))
        of_video.append(VectorField(concepts, sparse=True))
    meaning = choice.meaning_space
    if meaning is not None:
        of_image.append(VectorField(meaning))
        of_video.append(VectorField(meaning, multi=True))
    return (
        CollectionSchema(Kind.IMAGE, tuple(of_image)),
        CollectionSchema(Kind.VIDEO, (*of_video, *of_sound)),
        CollectionSchema(Kind.AUDIO, of_sound),
    )


def _sound_fields(model: ModelDescription) -> tuple[VectorField, ...]:
    """What a recording holds, of the model of ``sound``.

    All are indexed: for 100,000 rows, 260 hours of sound, that takes a minute a space, and embedding them hours.
    """
    sound = VectorField(model.space(SOUND), multi=model.segments)
    if model == LOGMEL:  # version 0.1 kept them before they were standardised too; nothing is written there any more
        return sound, VectorField(model.space("sound_raw", Distance.DOT), indexed=False)
    if model != AISFX:
        return (sound,)
    return (
        sound,
        VectorField(GE2E.space(VOICE), multi=True),
        VectorField(AISFX_GE2E.space(SOUND_VOICE), multi=True),
    )
