"""Which models to embed with: what is stored decides, then the settings, then which weights can be had.

Nothing here imports torch until it has to ask for official weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from search.errors import SpaceMismatchError
from search.model_descriptions.registry import (
    EFFICIENTNET_LITE0,
    LOGMEL,
    R3D18,
    RESNET18,
    STYLE,
    ModelChoice,
    schemas_of,
)
from search.model_descriptions.text import TEXT_MODELS
from search.settings import Settings
from search.spaces import MEANING, CollectionSchema
from search.store.base import SpaceNotAddedError, Store
from search.words.table import SPACE as CONCEPTS
from workers.batch.records import mark_current
from workers.embedders.sound.standardise import mark_standardised

WITHOUT: Mapping[str, Mapping[str, Any]] = {
    STYLE.name: {"style": False},
    CONCEPTS: {"concepts": False},
    MEANING: {"text": None},
}
"""Spaces that a library can do without, and what leaves each out of a ``ModelChoice``."""


def outdated(space: str) -> str:
    """The note of a space that stays as it is."""
    return (
        f"The vectors of {space} were made by another model or version; what is taken in now gets none until "
        f"`likewise reembed --space {space}` has made them anew."
    )


def not_added(space: str) -> str:
    """The note of a space that the store cannot add."""
    return (
        f"The Qdrant server is too old to add the space {space} to a library that was made without it; what is taken "
        f"in gets none until `likewise reembed --space {space}` has made the collections anew."
    )


def choose_models(settings: Settings, existing: Mapping[str, CollectionSchema]) -> ModelChoice:
    """The models to embed with.

    What the collections were made with wins; where there is nothing yet, the settings; where they leave it open, the
    official weights if they are in the torch hub cache or can be downloaded now, else what needs no download. ``notes``
    says each fallback aloud, when it is chosen and at every later start. A style, concepts, or a meaning that another
    version made stay as they are, and are said aloud too. Whether the weights for meaning can be had is left to
    :func:`require_text`, since workers have them and coordinators need not.

    Args:
        existing: collection name to schema, as the store holds them.

    Raises:
        SpaceMismatchError: the settings ask for another model than a collection was made with, or two collections
            were made with different ones.
        ModelError: the settings insist on official weights that cannot be had.
    """
    made_image = _made_with(existing.values(), "visual")
    made_video = _made_with(existing.values(), "motion")
    if made_image is not None:
        _check(settings.image_model, made_image, "LIKEWISE_IMAGE_MODEL")
    if made_video is not None:
        _check(settings.video_model, made_video, "LIKEWISE_VIDEO_MODEL")
    lacking = _obtain(
        {
            official: wanted
            for official, wanted, made in (
                (RESNET18.name, settings.image_model, made_image),
                (R3D18.name, settings.video_model, made_video),
            )
            if made is None and wanted in ("auto", official)
        }
    )
    image = made_image or _settled(settings.image_model, RESNET18.name, EFFICIENTNET_LITE0.name, lacking)
    video = made_video or _settled(settings.video_model, R3D18.name, f"frames_{image}", lacking)
    notes = (
        _note("Pictures", settings.image_model, image, RESNET18.name, lacking),
        _note("Motion", settings.video_model, video, R3D18.name, lacking),
    )
    text = None if settings.text_model == "none" else settings.text_model
    choice = ModelChoice(image, video, LOGMEL.name, tuple(note for note in notes if note), text=text)
    spaces = {STYLE.name: STYLE.space(STYLE.name), CONCEPTS: choice.concepts_space, MEANING: choice.meaning_space}
    for name, space in spaces.items():
        if space is not None and any(schema.space(name) not in (None, space) for schema in existing.values()):
            choice = _without(choice, name, outdated(name))
    return choice


def require_text(choice: ModelChoice) -> None:
    """Make sure that what makes ``meaning`` is installed and its weights are in the cache, where it is wanted.

    Raises:
        ModelError: they are not, and could not be downloaded.
    """
    if choice.text is not None:
        from workers.embedders import hub

        hub.require(TEXT_MODELS[choice.text])


def ensure_collections(store: Store, choice: ModelChoice) -> ModelChoice:
    """Make the collections that ``choice`` fills, or check those there are and add the spaces that they lack.

    Returns:
        What to embed with: ``choice``, but without those of :data:`WITHOUT` that the store cannot add, and with a note
        of each.

    Raises:
        SpaceMismatchError: a collection holds another space of a name; or it lacks one that cannot be added
            (SpaceNotAddedError), and that is none of :data:`WITHOUT`.
    """
    while True:
        try:
            _ensure(store, choice)
        except SpaceNotAddedError as error:
            if error.space not in WITHOUT:
                raise
            choice = _without(choice, error.space, not_added(error.space))
        else:
            return choice


def _without(choice: ModelChoice, space: str, note: str) -> ModelChoice:
    return replace(choice, notes=(*choice.notes, note), **WITHOUT[space])


def _ensure(store: Store, choice: ModelChoice) -> None:
    there = store.collections()
    for schema in schemas_of(choice):
        store.ensure(schema)
        if schema.collection not in there:
            mark_standardised(store, schema.collection)
            mark_current(store, schema.collection)


def _obtain(unsettled: Mapping[str, str]) -> Mapping[str, str]:
    """Official models whose weights cannot be had, and in words why, of those that the settings leave open.

    Args:
        unsettled: official model to ``auto``, or to itself where the settings insist on it.

    Raises:
        ModelError: one that is insisted on cannot be had.
    """
    if not unsettled:
        return {}
    from workers.embedders import weights

    for official, wanted in unsettled.items():
        if wanted == official:
            weights.require(official)
    return weights.obtain([official for official, wanted in unsettled.items() if wanted == "auto"])


def _settled(wanted: str, official: str, fallback: str, lacking: Mapping[str, str]) -> str:
    return official if wanted == official or (wanted == "auto" and official not in lacking) else fallback


def _note(purpose: str, wanted: str, chosen: str, official: str, lacking: Mapping[str, str]) -> str | None:
    """That ``chosen`` stands in for ``official``; None when it does not, or the settings ask for it."""
    if chosen == official or wanted != "auto":
        return None
    if official in lacking:
        return (
            f"The weights of {official} {lacking[official]}; {purpose.lower()} will be embedded with {chosen} instead."
        )
    return f"{purpose}: embedded with {chosen}, as when this library was made, not with the preferred {official}."


def _made_with(schemas: Iterable[CollectionSchema], space: str) -> str | None:
    made = {found.model: schema.collection for schema in schemas if (found := schema.space(space)) is not None}
    if len(made) > 1:
        sides = ", ".join(f"'{collection}' with {model}" for model, collection in sorted(made.items()))
        raise SpaceMismatchError(
            f"Collections were made with different models for '{space}': {sides}.",
            "Restore the data directory from one backup, or start a new one (LIKEWISE_HOME).",
        )
    return next(iter(made), None)


def _check(wanted: str, made: str, variable: str) -> None:
    fits = wanted == "auto" or wanted == made or (wanted == "frames" and made.startswith("frames_"))
    if not fits:
        raise SpaceMismatchError(
            f"{variable} asks for {wanted}, but this data directory was made with {made}.",
            f"Leave {variable} unset, or use a new data directory (LIKEWISE_HOME).",
        )
