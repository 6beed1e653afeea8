"""Checks of models: whether their weights are or will be here."""

from __future__ import annotations

from search.model_descriptions.description import ModelDescription, PackagedWeights
from search.model_descriptions.registry import AUTO, NONE, SOUND, model_named, models_of, names_of
from search.settings import SPACE_OF_MODEL_SETTING, Settings
from search.spaces import MEANING
from web.checks.result import Check, Health


def weights(model: ModelDescription, settings: Settings) -> Check:
    """Whether the weights of a model of pictures or motion are or will be here, where the settings may choose it."""
    from workers.embedders.weights import by_hand, cached_path, is_reachable

    name = f"weights of {model.name}"
    (wanted,) = {getattr(settings, chosen) for chosen, of in SPACE_OF_MODEL_SETTING.items() if of in model.spaces}
    if wanted not in {AUTO, model.name}:
        return Check(name, Health.OK, f"not needed, the settings choose {wanted}")
    if wanted == AUTO and model.auto is None:
        return Check(name, Health.OK, "not needed, the settings do not choose it")
    path = cached_path(model)
    if isinstance(model.weights, PackagedWeights):
        if path is not None:
            return Check(name, Health.OK, f"come with the package {model.weights.package}")
        hint = f"Install the package {model.weights.package} again."
        return Check(name, Health.FAILED, f"not in the package {model.weights.package}", hint)
    if model.weights is None:
        return Check(name, Health.OK, "it has none")
    if path is not None:
        return Check(name, Health.OK, f"in the cache, {path}")
    if is_reachable(model):
        return Check(name, Health.OK, "not in the cache yet; will be downloaded when first needed")
    hint = f"Nothing, if that will do; else {by_hand(model)} before the first ingest."
    return Check(
        name, Health.WARNING, "neither in the cache nor to be downloaded; a smaller model is used instead", hint
    )


def sound(settings: Settings) -> Check:
    """Whether the network of sounds and those that it needs are installed, where the settings may choose it."""
    from workers.embedders.weights import install_command, missing_packages

    name, model = "model of sounds", models_of(SOUND)[0]
    if settings.sound_model not in {AUTO, model.name}:
        return Check(name, Health.OK, f"{settings.sound_model}, as the settings say")
    missing = missing_packages(model)
    if not missing:
        used = [model, *map(model_named, model.companions)]
        return Check(name, Health.OK, "; ".join(f"{one.name} ({one.licence}), {one.source}" for one in used))
    detail = f"the weights of {model.name} are not installed: {', '.join(missing)}"
    hint = f"Run {install_command(missing)} before the first ingest, or `likewise reembed --space sound` after it."
    if settings.sound_model == model.name:
        return Check(name, Health.FAILED, detail, hint)
    hint = f"Nothing, if sounds may be compared without a network, and voices not at all; else: {hint}"
    return Check(name, Health.WARNING, detail, hint)


def text(settings: Settings) -> Check:
    """Whether words can be compared with pictures: the extra and the weights."""
    from search.model_descriptions.text import INSTALL, is_installed

    name = "model of words"
    wanted = settings.text_model
    if wanted == NONE:
        installed = "installed" if is_installed() else f"not installed ({INSTALL})"
        first = names_of(MEANING)[0]
        detail = f"none wanted; its packages are {installed}, and LIKEWISE_TEXT_MODEL={first} switches it on"
        return Check(name, Health.OK, detail)
    model = model_named(wanted)
    lacking, todo = _lacking_of(model)
    if not lacking:
        return Check(name, Health.OK, f"{model.name}: {todo}")
    if settings.broker_url is not None:
        detail = f"{model.name}: {lacking} on this machine, which workers need and others do not"
        return Check(name, Health.WARNING, detail, f"Nothing where no worker runs here; else {todo}")
    return Check(name, Health.FAILED, f"{model.name}: {lacking}", todo + " Or leave LIKEWISE_TEXT_MODEL at none.")


def _lacking_of(model: ModelDescription) -> tuple[str, str]:
    """What a model lacks and what to do; an empty text and where its weights are, where it lacks nothing."""
    from search.model_descriptions.text import INSTALL, is_installed

    if not is_installed():
        return "its packages are not installed", f"Install them: {INSTALL}."
    from workers.embedders.hub import cache_folder, cached_path, download_command, is_reachable

    path = cached_path(model)
    if path is not None:
        return "", f"weights in the cache, {path}"
    if is_reachable(model):
        return "", "weights not in the cache yet; will be downloaded when first needed"
    folder = cache_folder(model)
    todo = f"Run `{download_command(model)}` where there is a network and copy what that makes to {folder}."
    return "its weights are neither in the cache nor to be downloaded", todo
