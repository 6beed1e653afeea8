"""Change the model of a space without downtime, in new generations of the collections that have it, or decode anew.

A space that only part of the records have, or that can be added to a collection, is filled in place instead
(``ingest.maintenance.backfill``), and what an older version decoded otherwise is replaced in place
(``ingest.maintenance.redecode``). Queries use the old generation until the new one has every record. Records whose
files cannot be embedded keep their comparable vectors. After a kill, the next run finds the generation by its schema
and continues with the missing records; a kept generation of the same models is updated instead of made from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ingest.jobs.kinds import ReembedOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.maintenance.backfill import BackfillRun
from ingest.maintenance.fill import KEPT, FillRun
from ingest.maintenance.redecode import RedecodeRun
from ingest.maintenance.upkeep import bring_up_to_date
from search.errors import SpaceMismatchError, UsageError
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import (
    AISFX,
    AUTO,
    FLOW,
    FRAMES,
    MOTION,
    SCENE,
    SOUND,
    SOUND_VOICE,
    VISUAL,
    VOICE,
    models_by_space,
    models_of,
)
from search.settings import SPACE_OF_MODEL_SETTING, Settings
from search.spaces import MEANING
from search.store.base import Store
from search.store.generation_switch import promote_together
from workers.batch.backfill import FILLED_IN_PLACE
from workers.batch.report import BatchRunner

PAGE = 256


def asked_for(options: ReembedOptions) -> tuple[str, str]:
    """Space and model of a job: the named model, or else the only one of the space, or the preferred one of sounds,
    or of movement the one that needs no weights.

    Raises:
        UsageError: no such space or model; or no model is named where there are several.
    """
    space, model = options.space, options.model
    models = models_by_space().get(space, ())
    if not model and (len(models) == 1 or space == SOUND):
        return space, models[0]
    if not model and space == MOTION:
        return space, FLOW.name
    if model not in models:
        known = "; ".join(f"{name}: {', '.join(some)}" for name, some in models_by_space().items())
        named = f"with '{model}'" if model else "without naming a model"
        raise UsageError(f"'{space}' cannot be made {named}.", f"What can be chosen is {known}.")
    return space, model


def target_choice(store: Store, name: str, model: str) -> ModelChoice:
    """The models in use, with ``model`` for the space ``name``. What is made of key frames follows ``visual``;
    ``meaning`` is filled where the store has it. Where version 0.1 put key frames into ``motion``, ``scene`` gets them,
    and ``motion`` is made anew.

    Raises:
        UsageError: nothing is stored yet.
    """
    made = {
        field.space.name: field.space.model for info in store.collections().values() for field in info.schema.fields
    }
    if not {"visual", "motion", "sound"} <= made.keys():
        raise UsageError(
            "Nothing has been imported yet.", "Set LIKEWISE_IMAGE_MODEL or LIKEWISE_VIDEO_MODEL and ingest."
        )
    image = model if name == "visual" else made["visual"]
    motion = model if name == MOTION else made[MOTION]
    sound = {SOUND: model, VOICE: AISFX.name, SOUND_VOICE: AISFX.name}.get(name, made[SOUND])
    text = model if name == MEANING else made.get(MEANING)
    pooled = motion not in {known.name for known in models_of(MOTION)}
    if pooled and name == SCENE:
        pooled, motion = False, FLOW.name
    scene = name in (SCENE, MOTION) or SCENE in made
    return ModelChoice(image, f"{FRAMES}_{image}" if pooled else motion, sound, text=text, scene=scene)


class Reembed:
    """The job task ``reembed``.

    Args:
        runner: runs batches into the current collections, with the models in use.
        runner_for: makes a runner of batches from a choice of models and names of the generations to fill.
        on_switch: called once queries use the new generations.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        runner: BatchRunner,
        runner_for: Callable[[ModelChoice, Sequence[str]], BatchRunner],
        on_switch: Callable[[], None],
    ) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger
        self._runner, self._runner_for, self._on_switch = runner, runner_for, on_switch
        self._credits = Credits(ledger, store)

    def check(self, options: ReembedOptions) -> str:
        """What the job will do, in words.

        Raises:
            UsageError: as :func:`asked_for` and :func:`target_choice`; the settings insist on another model; or both a
                space and decoding are asked for.
        """
        if options.decoding:
            if options.space or options.model:
                raise UsageError(
                    "Decoding anew makes every space of the records concerned.", "Ask for a space in a job of its own."
                )
            return "decoding"
        space, model = asked_for(options)
        target = target_choice(self._store, space, model)
        settings = {of: name for name, of in SPACE_OF_MODEL_SETTING.items() if of in (VISUAL, MOTION, SOUND)}
        concerned, wanted = (MOTION, target.video) if space == SCENE else (space, model)
        if space in (VOICE, SOUND_VOICE):
            concerned, wanted = SOUND, target.sound
        setting = settings.get(concerned)
        if setting is not None and getattr(self._settings, setting) not in (AUTO, wanted):
            raise UsageError(
                f"LIKEWISE_{setting.upper()} asks for {getattr(self._settings, setting)}, not for {wanted}.",
                "Remove that setting, here and on every worker, or let it name the new model.",
            )
        if target.text is not None and self._settings.text_model != target.text:
            raise UsageError(
                f"Meaning is made with {target.text}, but LIKEWISE_TEXT_MODEL is {self._settings.text_model}.",
                f"Set LIKEWISE_TEXT_MODEL={target.text}, here and on every worker.",
            )
        return f"{space} with {model}"

    def run(self, options: ReembedOptions, job: TaskRun) -> str:
        if options.decoding:
            return self._redecode(job)
        space, model = asked_for(options)
        choice = target_choice(self._store, space, model)
        if space in FILLED_IN_PLACE:
            self._add_spaces(choice)
        generations = self._generations(choice)
        if not generations and space in FILLED_IN_PLACE:
            return self._complete(choice, job)
        if not generations:
            return f"'{space}' is made with {model} already."
        filling = FillRun(
            self._settings, self._store, self._ledger, job, self._runner_for(choice, generations), generations
        )
        filling.fill()
        if not job.goes_on():
            return KEPT
        job.say("Every record is in place; looking once more at all of them, then questions go to the new vectors.")
        for generation in generations:
            filling.bring_up_to_date(generation)
            bring_up_to_date(self._store, self._ledger, [generation], goes_on=job.goes_on)
            if job.goes_on():
                self._store.optimise(generation)
            if not job.goes_on():
                return KEPT
        failed = filling.shortfall()
        promote_together(self._store, generations)
        self._on_switch()
        self._credits.apply_to_credited()  # credits that changed after their records were copied
        switched = f"Questions now go to {', '.join(generations)}; what was before is kept until --drop-old."
        return f"{failed} {switched}".strip()

    def _redecode(self, job: TaskRun) -> str:
        bring_up_to_date(self._store, self._ledger, goes_on=job.goes_on)  # marks the records that are not affected
        redecoding = RedecodeRun(self._settings, self._store, self._ledger, job, self._runner)
        redecoding.fill()
        self._credits.apply_to_credited()  # credits that changed between reading and writing a record
        return redecoding.summary()

    def _complete(self, choice: ModelChoice, job: TaskRun) -> str:
        pictured = [schema.collection for schema in schemas_of(choice) if schema.space("visual") is not None]
        collections = [name for name in pictured if name in self._store.collections()]
        completion = BackfillRun(
            self._settings, self._store, self._ledger, job, self._runner_for(choice, collections), collections
        )
        completion.fill()
        self._credits.apply_to_credited()  # credits that changed between reading and writing a record
        return completion.summary()

    def _add_spaces(self, choice: ModelChoice) -> None:
        """Add missing spaces of these models to collections; where a store cannot, new generations are made."""
        existing = self._store.collections()
        for schema in schemas_of(choice):
            if schema.collection in existing:
                with suppress(SpaceMismatchError):
                    self._store.ensure(schema)

    def _generations(self, choice: ModelChoice) -> list[str]:
        """Names of the generations to fill; a kept one of the same models is used again.

        Spaces are compared by name, because a space that was added to a collection is last in it.
        """
        existing = self._store.collections()
        wanted: list[str] = []
        for schema in schemas_of(choice):
            info = existing.get(schema.collection)
            if info is None or info.schema.by_name == schema.by_name:
                continue
            generations = self._store.generations(schema.collection)
            kept = [old.name for old in generations if old.schema.by_name == schema.by_name]
            wanted.append(kept[-1] if kept else self._store.begin_generation(schema))
        return wanted
