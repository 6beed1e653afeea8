"""One model for each kind of media, and the schemas of the collections that they fill."""

from __future__ import annotations

from dataclasses import dataclass

from search.media import Kind
from search.model_descriptions.concepts import concepts_space
from search.model_descriptions.registry import APPEARANCE, LOGMEL, STYLE, find_model, model_named
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
        text: model that fills ``meaning`` and embeds words; None where the settings want none, and as for ``style``.
    """

    image: str
    video: str
    sound: str = LOGMEL.name
    notes: tuple[str, ...] = ()
    style: bool = True
    concepts: bool = True
    text: str | None = None
    appearance: bool = True

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
    sound, sound_raw = (
        model_named(choice.sound).space("sound"),
        model_named(choice.sound).space("sound_raw", Distance.DOT),
    )
    of_sound = (VectorField(sound), VectorField(sound_raw, indexed=False))
    of_image, of_video = [VectorField(visual)], [VectorField(visual, multi=True), VectorField(motion)]
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
