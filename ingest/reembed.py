"""Changing the model of a space without downtime: every collection that holds it is made anew beside the old one.
A space that a collection has, but only part of its records, or that can be added to it, is filled in place
(``ingest.completing``).

Questions are answered from the old generation until the new one holds every record. What can be embedded is embedded
with the new model; of the rest, whatever is still comparable is kept. Killed anywhere, the next run finds the
generation by its schema and goes on with the records that it lacks; a generation of that model which is still there
from before is brought up to date instead of being made from nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import select

from ingest.batches import batch_sizes
from ingest.credits import Credits
from ingest.entries import chunked
from ingest.ledger import Ledger
from ingest.passes import Runner
from ingest.tables import FileState, files, libraries
from ingest.tasks import TaskRun
from ingest.upkeep import bring_up_to_date
from search.errors import SpaceMismatchError, UsageError
from search.generations import promote_together
from search.media import MediaRecord, media_id
from search.settings import Settings
from search.spaces import MEANING
from search.store.base import Store
from search.store.filters import Filter
from search.words.table import SPACE as CONCEPTS
from workers.embedders.meaning import TEXT_MODELS
from workers.embedders.registry import EFFICIENTNET_LITE0, R3D18, RESNET18, STYLE, ModelChoice, schemas_of
from workers.records import payload_changes, renewed
from workers.renew import FILLED_IN_PLACE, carry_over
from workers.report import Batch, BatchReport, FileRef

PAGE = 256

MODELS_OF = {
    "visual": (RESNET18.name, EFFICIENTNET_LITE0.name),
    "motion": (R3D18.name, "frames"),
    STYLE.name: (STYLE.name,),
    CONCEPTS: (CONCEPTS,),
    MEANING: tuple(TEXT_MODELS),
}
"""Spaces that can be made anew, and with what. Of ``style`` there is one model, at the revision this version has;
``concepts`` come from the model of ``visual``, by the table that this version has. Each of these, and ``meaning``,
fills in whatever a record lacks of all."""

SETTING_OF = {"visual": "image_model", "motion": "video_model"}

ANOTHER_PATH = frozenset({"gone", "changed", "unreadable"})
"""How a file may end without its content being to blame, so that a copy of it may do."""

CHANGED = "(changed)"
RETAKE = " Files that have changed or been touched since are taken in anew by `likewise ingest`."

NAMED_FAILURES = 5

KEPT = "What has been embedded is kept; the same command goes on from there."
"""What to tell people when it is stopped."""


def asked_for(options: Mapping[str, str]) -> tuple[str, str]:
    """Which space is to be made, and with which model: the one named, or else the only one that there is for it.

    Raises:
        UsageError: no such space or model; or no model is named where there are several.
    """
    space, model = options.get("space", ""), options.get("model", "")
    models = MODELS_OF.get(space, ())
    if not model and len(models) == 1:
        return space, models[0]
    if model not in models:
        known = "; ".join(f"{name}: {', '.join(some)}" for name, some in MODELS_OF.items())
        named = f"with '{model}'" if model else "without naming a model"
        raise UsageError(f"'{space}' cannot be made {named}.", f"What can be chosen is {known}.")
    return space, model


def target_choice(store: Store, name: str, model: str) -> ModelChoice:
    """The models in use, but ``model`` for the space ``name``. Motion made from key frames follows ``visual``; meaning
    is made where the store has it.

    Raises:
        UsageError: nothing is stored yet.
    """
    made = {
        field.space.name: field.space.model for info in store.collections().values() for field in info.schema.fields
    }
    if not {"visual", "motion", "sound"} <= made.keys():
        raise UsageError(
            "Nothing has been taken in yet.", "Set LIKEWISE_IMAGE_MODEL or LIKEWISE_VIDEO_MODEL and ingest."
        )
    image = model if name == "visual" else made["visual"]
    motion = model if name == "motion" else made["motion"]
    text = model if name == MEANING else made.get(MEANING)
    return ModelChoice(image, motion if motion == R3D18.name else f"frames_{image}", made["sound"], text=text)


class Reembed:
    """The job task ``reembed``; its options are ``space`` and ``model``, see :func:`asked_for`.

    Args:
        runner_for: makes what runs batches with these models into these generations.
        on_switch: called once questions go to the new generations.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        runner_for: Callable[[ModelChoice, Sequence[str]], Runner],
        on_switch: Callable[[], None],
    ) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger
        self._runner_for, self._on_switch = runner_for, on_switch
        self._credits = Credits(ledger, store)

    def check(self, options: Mapping[str, str]) -> str:
        """
        Raises:
            UsageError: as :func:`asked_for` and :func:`target_choice`; or the settings insist on another model.
        """
        space, model = asked_for(options)
        target = target_choice(self._store, space, model)
        setting = SETTING_OF.get(space)
        if setting is not None and getattr(self._settings, setting) not in ("auto", model):
            raise UsageError(
                f"LIKEWISE_{setting.upper()} asks for {getattr(self._settings, setting)}, not for {model}.",
                "Remove that setting, here and on every worker, or let it name the new model.",
            )
        if target.text is not None and self._settings.text_model != target.text:
            raise UsageError(
                f"Meaning is made with {target.text}, but LIKEWISE_TEXT_MODEL is {self._settings.text_model}.",
                f"Set LIKEWISE_TEXT_MODEL={target.text}, here and on every worker.",
            )
        return f"{space} with {model}"

    def run(self, options: Mapping[str, str], job: TaskRun) -> str:
        space, model = asked_for(options)
        choice = target_choice(self._store, space, model)
        if space in FILLED_IN_PLACE:
            self._add_spaces(choice)
        generations = self._generations(choice)
        if not generations and space in FILLED_IN_PLACE:
            return self._complete(choice, job)
        if not generations:
            return f"'{space}' is made with {model} already."
        filling = Filling(
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
        self._credits.settle()  # what was said of records that had been copied already
        switched = f"Questions now go to {', '.join(generations)}; what was before is kept until --drop-old."
        return f"{failed} {switched}".strip()

    def _complete(self, choice: ModelChoice, job: TaskRun) -> str:
        # Imported here, because it builds on this module.
        from ingest.completing import Completion

        pictured = [schema.collection for schema in schemas_of(choice) if schema.space("visual") is not None]
        collections = [name for name in pictured if name in self._store.collections()]
        completion = Completion(
            self._settings, self._store, self._ledger, job, self._runner_for(choice, collections), collections
        )
        completion.fill()
        self._credits.settle()  # what was said of a record between its reading and its writing
        return completion.told()

    def _add_spaces(self, choice: ModelChoice) -> None:
        """Give collections what they lack of these models, where that can be done; else they are made anew."""
        existing = self._store.collections()
        for schema in schemas_of(choice):
            if schema.collection in existing:
                with suppress(SpaceMismatchError):
                    self._store.ensure(schema)

    def _generations(self, choice: ModelChoice) -> list[str]:
        """The generations to fill; one of these models that was kept from before serves again.

        Spaces are compared by name: one that was added to a collection stands last in it, wherever a new one has it.
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


class Filling:
    """One run of a job over its generations; its batches, as a ``BatchSource``."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        job: TaskRun,
        runner: Runner,
        generations: Sequence[str],
    ) -> None:
        self._sizes = batch_sizes(settings)
        self._store, self._ledger, self._job, self._runner = store, ledger, job, runner
        self._generations = generations
        self._batches: dict[str, Batch] = {}
        self._under_way: set[str] = set()
        self._all_given = False
        self._numbered = 0
        self._paths_tried: Counter[str] = Counter()
        self._hopeless: set[str] = set()
        self._failed: dict[str, str] = {}  # media id → path and code

    def fill(self) -> None:
        """Embed what the generations lack, and carry over what cannot be; returns early when the job is to stop."""
        self._begin()
        look_again = True
        while look_again and self._job.goes_on():  # another look finds what is to be tried under another path
            look_again = False
            for report in self._runner.run(self):
                self._take(report)
                look_again = True
            look_again |= not self._all_given or bool(self._batches)
            self._batches.clear()  # what was given up unreported, in a pause, is found lacking again
            self._under_way.clear()

    def _begin(self) -> None:
        collections = [self._store.schema(name).collection for name in self._generations]
        held = sum(self._store.count(name) for name in self._generations)
        self._job.begin(sum(self._store.count(name) for name in collections), done=held)

    def bring_up_to_date(self, generation: str) -> None:
        """What a generation from before does not know: records that have gone since, files that have moved."""
        collection = self._store.schema(generation).collection
        for page in chunked(self._store.scroll(generation, page=PAGE), PAGE):
            current = {point.id: point for point in self._store.retrieve(collection, [point.id for point in page])}
            gone = [point.id for point in page if point.id not in current]
            if gone:
                self._store.delete(generation, gone)
            patches = {}
            for point in page:
                if point.id in current:
                    here = MediaRecord.from_payload(point.payload)
                    wanted = renewed(MediaRecord.from_payload(current[point.id].payload), here)
                    if changes := payload_changes(here, wanted):
                        patches[point.id] = changes
            if patches:
                self._store.patch_payload(generation, patches)

    def shortfall(self) -> str:
        """Count as failed, and say, what holds a space in the old generation and not in the new one."""
        lacking = sum(map(self._lacking_vectors, self._generations))
        if not lacking:
            return ""
        self._job.count(failed=lacking, done=-lacking)
        return self._with_examples(f"{lacking:,} could not be embedded anew and keep their other spaces")

    def _with_examples(self, failed: str) -> str:
        """What to tell of files that could not be embedded: which they are, and what helps if they have changed."""
        examples = list(self._failed.values())
        shown = f", for example {', '.join(examples[:NAMED_FAILURES])}" if examples else ""
        changed = any(example.endswith(CHANGED) for example in examples)
        return f"{failed}{shown}.{RETAKE if changed else ''}"

    def _lacking_vectors(self, generation: str) -> int:
        target = self._store.schema(generation)
        current = self._store.schema(target.collection)
        changed = [
            field.space.name for field in target.fields if current.space(field.space.name) not in (None, field.space)
        ]

        def held(collection: str, space: str) -> int:
            return self._store.count(collection, Filter(has_space=space, include_missing=True))

        # A record that lost several spaces is one record.
        return max((held(target.collection, name) - held(generation, name) for name in changed), default=0)

    @property
    def stopped(self) -> bool:
        return self._job.stopped

    def say(self, message: str) -> None:
        self._job.say(message)

    def __iter__(self) -> Iterator[Batch]:
        """What the generations lack, until the job is paused or cancelled."""
        self._all_given = False
        for generation in self._generations:
            schema = self._store.schema(generation)
            size = self._sizes[schema.kind]
            waiting: list[FileRef] = []
            points = self._store.scroll(schema.collection, payload=False, page=PAGE)
            for ids in chunked((point.id for point in points), PAGE):
                waiting += self._lacking(generation, ids)
                while len(waiting) >= size:
                    if self.stopped:
                        return
                    yield self._batch(generation, waiting[:size])
                    del waiting[:size]
            if self.stopped:
                return
            if waiting:
                yield self._batch(generation, waiting)
        self._all_given = True

    def _batch(self, generation: str, refs: Sequence[FileRef]) -> Batch:
        self._numbered += 1
        batch = Batch(
            id=f"{self._job.id}-{self._numbered}",
            job=self._job.id,
            kind=self._store.schema(generation).kind,
            files=tuple(refs),
            priority=self._job.priority,
            into=generation,
        )
        self._batches[batch.id] = batch
        self._under_way.update(media_id(ref.sha256) for ref in refs)
        return batch

    def _lacking(self, generation: str, ids: Sequence[str]) -> list[FileRef]:
        """A file for each record that ``generation`` lacks; a record without one left to try is given up."""
        held = self._held(generation, ids)
        lacking = [id_ for id_ in ids if id_ not in held and id_ not in self._under_way]
        known = self._files(lacking)
        to_try: list[FileRef] = []
        without: list[str] = []
        for id_ in lacking:
            paths = [] if id_ in self._hopeless else known.get(id_, [])[self._paths_tried[id_] :]
            if paths:
                to_try.append(paths[0])
            else:
                without.append(id_)
        if without:
            self._give_up(generation, without)
        return to_try

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        """Those for which nothing is left to be done."""
        return {point.id for point in self._store.retrieve(generation, ids, payload=False)}

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        """Carry over records of which no file can be embedded."""
        carry_over(self._store, generation, ids)
        self._job.count(done=len(ids))

    def _files(self, ids: Sequence[str]) -> dict[str, list[FileRef]]:
        """The present files of some records, by record."""
        columns = (files.c.path, files.c.size, files.c.mtime_ns, files.c.sha256, files.c.media_id, files.c.state)
        query = select(*columns, libraries.c.name).join(libraries)
        found: dict[str, list[FileRef]] = {}
        with self._ledger.read() as connection:
            for chunk in chunked(ids):
                rows = connection.execute(query.where(files.c.media_id.in_(chunk)).order_by(files.c.path))
                for path, size, mtime_ns, sha256, id_, state, library in rows:
                    if state != FileState.EMBEDDED:  # see ingest.entries.places
                        continue
                    found.setdefault(id_, []).append(FileRef(path, library, size, mtime_ns / 1e9, sha256))
        return found

    def _take(self, report: BatchReport) -> None:
        """Count what a batch has done; what failed is looked at again by the next pass."""
        batch = self._batches.pop(report.batch)
        done = 0
        for file, outcome in zip(batch.files, report.outcomes, strict=True):
            id_ = media_id(file.sha256)
            self._under_way.discard(id_)
            if outcome.media_id is not None:
                done += 1
                self._failed.pop(id_, None)
                continue
            self._failed[id_] = f"{file.path} ({outcome.code})"
            self._paths_tried[id_] += 1
            if outcome.code not in ANOTHER_PATH:
                self._hopeless.add(id_)
        self._job.count(done=done)
