"""Choice of the models to embed with: by what is stored, then by settings, then by available weights.

Nothing here imports torch before weights have to be obtained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from search.errors import ModelError, SpaceMismatchError
from search.media import Kind
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import (
    APPEARANCE,
    AUTO,
    FRAMES,
    MOTION,
    NONE,
    SCENE,
    SOUND,
    STYLE,
    VISUAL,
    model_named,
    models_of,
)
from search.settings import Settings
from search.spaces import MEANING, CollectionSchema, Distance
from search.store.base import SpaceNotAddedError, Store
from search.words.table import SPACE as CONCEPTS
from workers.batch.records import mark_current
from workers.embedders.sound.standardise import mark_standardised

WITHOUT: Mapping[str, Mapping[str, Any]] = {
    STYLE.name: {"style": False},
    APPEARANCE.name: {"appearance": False},
    CONCEPTS: {"concepts": False},
    MEANING: {"text": None},
}
"""Optional spaces, with the change that leaves each out of a ``ModelChoice``."""


def outdated(space: str) -> str:
    """Note of a space that another model or version filled; it stays as it is."""
    return (
        f"The vectors of {space} were made by another model or version; what is imported now gets none until "
        f"`likewise reembed --space {space}` has made them anew."
    )


WITHOUT_SCENE = (
    "Videos have one vector of the whole, named motion, as when this library was made; "
    "`likewise reembed --space scene` gives them one of what they show and one of how they move."
)
"""Note of a library whose videos version 0.1 took in."""


def not_added(space: str) -> str:
    """Note of a space that the store cannot add."""
    return (
        f"The Qdrant server is too old to add the space {space} to a library that was made without it; what is taken "
        f"in gets none until `likewise reembed --space {space}` has made the collections anew."
    )


def choose_models(settings: Settings, existing: Mapping[str, CollectionSchema]) -> ModelChoice:
    """The models to embed with.

    Stored collections decide. Where there are none, the settings decide; ``auto`` takes the first model of the order in
    ``search.model_descriptions.registry`` whose weights are cached, installed or can be downloaded now. ``notes`` names
    each model that is not the preferred one, at every start. Those of :data:`WITHOUT` that another version filled stay
    as they are, with a note. The weights of ``meaning`` are left to :func:`require_text`, since
    workers need them and coordinators do not.

    Args:
        existing: collection name to schema, of the store.

    Raises:
        SpaceMismatchError: the settings ask for another model than a collection was made with, or two collections
            were made with different ones.
        ModelError: the settings name a model whose weights cannot be had, or that this version does not know.
    """
    wanted = {VISUAL: settings.image_model, MOTION: settings.video_model, SOUND: settings.sound_model}
    made = {space: _made_with(existing.values(), space) for space in wanted}
    _check(settings.image_model, made[VISUAL], "LIKEWISE_IMAGE_MODEL")
    _check(settings.video_model, made[MOTION], "LIKEWISE_VIDEO_MODEL")
    _check(settings.sound_model, made[SOUND], "LIKEWISE_SOUND_MODEL")
    chosen, lacking = _obtain({space: name for space, name in wanted.items() if made[space] is None})
    image = made[VISUAL] or chosen[VISUAL].name
    video = made[MOTION] or (chosen[MOTION].name if MOTION in chosen else f"{FRAMES}_{image}")
    sound = made[SOUND] or chosen[SOUND].name
    films = existing.get(Kind.VIDEO.collection)
    scene = settings.video_model != FRAMES if films is None else films.space(SCENE) is not None
    notes = (
        _note("Pictures", VISUAL, settings.image_model, image, lacking),
        _note("Motion", MOTION, settings.video_model, video, lacking)
        if scene
        else WITHOUT_SCENE
        if settings.video_model != FRAMES
        else None,
        _note("Sounds", SOUND, settings.sound_model, sound, lacking)
        if made[SOUND] is None
        else _older_sounds(settings.sound_model, sound),
    )
    text = None if settings.text_model == NONE else settings.text_model
    choice = ModelChoice(image, video, sound, tuple(note for note in notes if note), text=text, scene=scene)
    spaces = {
        STYLE.name: STYLE.space(STYLE.name),
        APPEARANCE.name: APPEARANCE.space(APPEARANCE.name, Distance.DOT),
        CONCEPTS: choice.concepts_space,
        MEANING: choice.meaning_space,
    }
    for name, space in spaces.items():
        if space is not None and any(schema.space(name) not in (None, space) for schema in existing.values()):
            choice = _without(choice, name, outdated(name))
    return choice


def require_text(choice: ModelChoice) -> None:
    """Make sure that the model of ``meaning``, where one is chosen, is installed and its weights are in the cache.

    Raises:
        ModelError: they are not, and could not be downloaded.
    """
    if choice.text is not None:
        _weights().require(model_named(choice.text))


def ensure_collections(store: Store, choice: ModelChoice) -> ModelChoice:
    """Create the collections that ``choice`` fills, or check existing ones and add missing spaces.

    Returns:
        ``choice`` without the spaces of :data:`WITHOUT` that the store cannot add, and with a note of each.

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
    existing = store.collections()
    for schema in schemas_of(choice):
        store.ensure(schema)
        if schema.collection not in existing:
            mark_standardised(store, schema.collection)
            mark_current(store, schema.collection)


def _obtain(wanted: Mapping[str, str]) -> tuple[Mapping[str, ModelDescription], Mapping[str, str]]:
    """The first model of each space whose weights can be had, downloaded where necessary.

    Args:
        wanted: space to what the setting says, of each space that nothing stored decides.

    Returns:
        Space to model, without motion where key frames are to be pooled for it; and of each preferred model whose
        weights cannot be had, by name, why not, in words.

    Raises:
        ModelError: a setting insists on a model that cannot be had or is not known; or no model of pictures can be had.
    """
    candidates = {space: _candidates(space, name) for space, name in wanted.items()}
    insisted = [candidates[space][0] for space, name in wanted.items() if name not in (AUTO, FRAMES)]
    for model in insisted:
        if model.may_be_missing:
            _weights().require(model)
    lacking: dict[str, str] = {}
    while True:
        first = {
            space: next((model for model in models if model.name not in lacking), None)
            for space, models in candidates.items()
        }
        chosen = {space: model for space, model in first.items() if model is not None}
        if VISUAL in wanted and VISUAL not in chosen:
            reasons = "; ".join(f"the weights of {name} {reason}" for name, reason in lacking.items())
            raise ModelError(
                f"No model of pictures can be had: {reasons}.",
                "Try again when the network is back, or name another model with LIKEWISE_IMAGE_MODEL.",
            )
        open_ = [model for model in chosen.values() if model.may_be_missing and model not in insisted]
        reasons_now = _weights().obtain(open_) if open_ else {}
        if not reasons_now:
            return chosen, lacking
        lacking.update(reasons_now)


def _candidates(space: str, wanted: str) -> Sequence[ModelDescription]:
    """The models that a setting lets be tried, in order; none for motion by pooled key frames.

    Raises:
        ModelError: it names a model that this version does not know.
    """
    if wanted == AUTO:
        return [model for model in models_of(space) if model.auto is not None]
    return [] if wanted == FRAMES else [model_named(wanted)]


def _weights() -> ModuleType:
    """The module that gets weights, which imports torch."""
    from workers.embedders import weights

    return weights


def _note(purpose: str, space: str, wanted: str, chosen: str, lacking: Mapping[str, str]) -> str | None:
    """That ``chosen`` stands in for the preferred model; None when it does not, or the settings ask for it."""
    preferred = next((model.name for model in models_of(space) if model.auto is not None), None)
    if preferred in (None, chosen) or wanted != AUTO:
        return None
    if preferred in lacking:
        return (
            f"The weights of {preferred} {lacking[preferred]}; {purpose.lower()} will be embedded with {chosen} "
            "instead."
        )
    return f"{purpose}: embedded with {chosen}, as when this library was made, not with the preferred {preferred}."


def _older_sounds(wanted: str, sound: str) -> str | None:
    """That a library's sounds could be embedded by the preferred model; None where they are, or the settings ask for
    the other."""
    preferred = models_of(SOUND)[0].name
    if sound == preferred or wanted != AUTO:
        return None
    return (
        f"Sounds: embedded with {sound}, as when this library was made, not with the preferred {preferred}; "
        f"`likewise reembed --space {SOUND}` embeds all of them with it, and tells voices."
    )


def _made_with(schemas: Iterable[CollectionSchema], space: str) -> str | None:
    made = {found.model: schema.collection for schema in schemas if (found := schema.space(space)) is not None}
    if len(made) > 1:
        sides = ", ".join(f"'{collection}' with {model}" for model, collection in sorted(made.items()))
        raise SpaceMismatchError(
            f"Collections were made with different models for '{space}': {sides}.",
            "Restore the data directory from one backup, or start a new one (LIKEWISE_HOME).",
        )
    return next(iter(made), None)


def _check(wanted: str, made: str | None, variable: str) -> None:
    if made is None or wanted in (AUTO, made) or (wanted == FRAMES and made.startswith(f"{FRAMES}_")):
        return
    raise SpaceMismatchError(
        f"{variable} asks for {wanted}, but this data directory was made with {made}.",
        f"Leave {variable} unset, or use a new data directory (LIKEWISE_HOME).",
    )
