"""Answers of pages, API and command line about photographers.

A process has one service. It caches what would take too long to read for every query: the photos of the library as a
:class:`~search.photographers.photos.dataset.PhotoSet`, reloaded after changes, and the trained models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.errors import ModelError, NotFoundError, SpaceMismatchError, UsageError
from search.media import Kind
from search.photographers import display
from search.photographers.aliases import Aliases, renamed_predictions, renamed_space, renamed_verdict
from search.photographers.answers import (
    Alike,
    Basis,
    Chart,
    PhotoEvidence,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
    Session,
    SetPrediction,
)
from search.photographers.classifier.classifier import Classifier, PhotoVectors
from search.photographers.classifier.model_files import REPORT, read_out_of_fold
from search.photographers.develop.developing import Development, DevelopQuestion, SettingsCourse, courses, develop
from search.photographers.develop.reading import shipped_reader
from search.photographers.library_photos import Library, LibraryState
from search.photographers.model_facts import ModelFacts, model_facts
from search.photographers.model_registry import CurrentModel, ModelKind, ModelRegistry, untrained
from search.photographers.nearest import nearest_photos
from search.photographers.photos.features import FEATURES
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.charts import STYLE, SUBJECT, profile_chart
from search.photographers.profiles.comparison import Comparison, compare
from search.photographers.profiles.miscredits import OutOfFold
from search.photographers.profiles.shoots import ShootNames
from search.photographers.profiles.timeline import Timeline, named_shoots, photos_of_shoot, timeline
from search.photographers.space import PhotographerSpace
from search.photographers.training_files import TrainingFiles, training_files
from search.photographers.training_summary import space_summary
from search.records.lookup import find_record
from search.similar.questions import Probe
from search.spaces import Space
from search.store.base import Array, Store

if TYPE_CHECKING:
    from search.photographers.profiles.people import People
    from search.photographers.space import CodeChart

LABEL_HINT = "Say who took what: `likewise photographers label --from exif` (or folder, csv, kmeans)."
CANDIDATES_SHOWN = 3
"""Candidates of each answer whose nearest photos are searched."""


class PhotographerService:
    """Answers about photographers. Safe to use from several threads.

    Args:
        models: trained models.
        state: state of the library; called for every query.
        aliases: old name to new name of everybody who was renamed; called for every query, too.
        displayed, shoot_names: what people want shown for a photographer, and call shoots; called as often.
        kept: file for the list of photographers, see :class:`~search.photographers.library_photos.Library`.
    """

    def __init__(
        self,
        store: Store,
        models: ModelRegistry,
        state: Callable[[], LibraryState],
        aliases: Callable[[], Aliases] = dict,
        displayed: Callable[[], display.Displayed] = dict,
        kept: Path | None = None,
        shoot_names: Callable[[], ShootNames] = dict,
    ) -> None:
        self._store, self._models, self._aliases, self._displayed = store, models, aliases, displayed
        self._shoot_names = shoot_names
        self._library = Library(store, state, kept)
        self._classifier: CurrentModel[Classifier] = CurrentModel(models, ModelKind.CLASSIFIER)
        self._out_of_fold: CurrentModel[OutOfFold] = CurrentModel(models, ModelKind.CLASSIFIER)
        self._space: CurrentModel[PhotographerSpace] = CurrentModel(models, ModelKind.JOINT)

    def list(self) -> tuple[PhotographerListed, ...]:
        """All photographers, those with most photos first; empty while no photo is credited."""
        return display.shown_listed(self._library.listed(), self._displayed())

    def show(self, who: str) -> PhotographerShown:
        """Everything about one photographer.

        Args:
            who: id or name, also the name before a rename.

        Raises:
            NotFoundError: there is no such photographer.
        """
        predictions, notes = self._out_of_fold_predictions()
        shown = self._people().shown(self._current_name(who), predictions, self._shoot_names())
        alike = (*shown.alike, *self._alike_by_space(shown.name))
        return display.shown_photographer(replace(shown, alike=alike, notes=(*shown.notes, *notes)), self._displayed())

    def name_of(self, who: str) -> str:
        """Name of the photographer with this id, or this name in whatever case, or who is shown by this name.

        Raises:
            NotFoundError: no photo is credited to it.
        """
        people = self._people()
        try:
            return people.name_of(who)
        except NotFoundError:
            if (name := display.shown_as(who, people.rows, self._displayed())) is None:
                raise
            return name

    def alike(self, who: str) -> tuple[Alike, ...]:
        """Similar photographers, most similar first, by each of ``style``, ``subject`` and, once trained, ``joint``.

        Raises:
            NotFoundError: there is no such photographer.
        """
        name = self._current_name(who)
        return display.shown_alike((*self._people().alike(name), *self._alike_by_space(name)), self._displayed())

    def shoots(self, who: str) -> tuple[Session, ...]:
        """All shoots of a photographer, the latest first; NotFoundError where there is no such photographer."""
        return named_shoots(self._people(), self._current_name(who), self._shoot_names())

    def photos_of_shoot(self, media_id: str) -> tuple[str, ...]:
        """See :func:`search.photographers.profiles.timeline.photos_of_shoot`."""
        return photos_of_shoot(self._people(), media_id)

    def timeline(self, who: str) -> Timeline:
        """Style and shoots of a photographer over time; NotFoundError where there is no such photographer."""
        return timeline(self._people(), self._current_name(who), self._shoot_names())

    def compare(self, one: str, other: str) -> Comparison:
        """Two photographers beside each other, see :func:`search.photographers.profiles.comparison.compare`.

        Args:
            one, other: ids or names.

        Raises:
            NotFoundError: there is no such photographer.
            UsageError: they are the same.
        """
        predictions, notes = self._out_of_fold_predictions()
        names = self._current_name(one), self._current_name(other)
        return compare(self._people(), *names, predictions, self._displayed(), () if predictions else notes)

    def predict(self, probe: Probe, evidence: Basis = Basis.PICTURE, *, nearest: bool = True) -> Prediction:
        """Photographer of a photo.

        Args:
            evidence: what the answer goes by: the picture alone, or the facts of file, clock and camera as well.
            nearest: also find the nearest photos by each candidate, which takes the longest.

        Raises:
            NotFoundError: no classifier has been trained.
            SpaceMismatchError: it was trained on vectors of another model than those in the store now, or the probe's
                are of another.
            UsageError: the probe is no picture, or has no vector of what it shows.
        """
        if probe.kind is not Kind.IMAGE:
            raise UsageError(
                f"Photographers are told apart by pictures, and this is {_called(probe.kind)}.",
                "Ask about a photo, or a still.",
            )
        (visual, style, appearance), model = self._spaces(), self._current_classifier()
        visual_vector, style_vector = _vector(probe, visual), _vector(probe, style)
        if visual is None or visual_vector is None:
            raise UsageError("This picture has no vector of what it shows.", "Ingest it again.")
        features, credited = self._stored_facts(probe)
        photo = PhotoVectors(features, visual_vector, style_vector, _vector(probe, appearance))
        verdict = renamed_verdict(model.predict(photo, evidence), self._aliases())
        names = [
            candidate.photographer
            for candidates in (verdict.candidates, verdict.by_style, verdict.by_subject)
            for candidate in candidates[:CANDIDATES_SHOWN]
        ]
        vectors = [(style, style_vector), (visual, visual_vector)]
        prediction = verdict.prediction(
            nearest=nearest_photos(self._store, dict.fromkeys(names), probe.media_id, vectors) if nearest else None,
            model=self._classifier.version,
            notes=_notes(credited),
        )
        return display.shown_prediction(prediction, self._displayed())

    def predict_set(self, photos: Sequence[PhotoEvidence]) -> SetPrediction:
        """Verdict on several photos at once, by what :meth:`predict` says of each.

        Raises:
            NotFoundError: no classifier has been trained.
            SpaceMismatchError: it was trained on vectors of another model than those in the store now.
            UsageError: there are fewer than two photos.
        """
        if len(photos) < 2:
            raise UsageError("A set has at least two photos.", "One photo alone is asked about by itself.")
        verdict = replace(self._current_classifier().judge(photos), model=self._classifier.version)
        return display.shown_set(verdict, self._displayed())

    def develop(self, probe: Probe, question: DevelopQuestion) -> Development:
        """How a photo is developed like somebody's.

        Raises:
            NotFoundError: there is no such photographer, style, or no photo of that time.
            UsageError: the probe is no picture; the strength or a date is none.
            SpaceMismatchError: the library's, or the probe's, style vectors are of another model.
        """
        if probe.kind is not Kind.IMAGE:
            raise UsageError(f"Only pictures are developed, and this is {_called(probe.kind)}.", "Ask about a photo.")
        _, style, _ = self._spaces()
        named = replace(question, photographer=self._current_name(question.photographer))
        developed = develop(self._people(), shipped_reader(), named, _vector(probe, style), probe.media_id)
        shown = display.display_name(developed.photographer, self._displayed())
        return replace(developed, display_name=shown)

    def development(self, who: str) -> tuple[SettingsCourse, ...]:
        """Settings of somebody's photos over time, see :func:`search.photographers.develop.developing.courses`.

        Raises:
            NotFoundError: there is no such photographer.
            SpaceMismatchError: the library's style vectors are of another model.
        """
        return courses(self._people(), shipped_reader(), self._current_name(who))

    @property
    def trained(self) -> bool:
        """Whether a classifier is in use, measured or not."""
        return self._models.current(ModelKind.CLASSIFIER) is not None

    def report(self) -> Mapping[str, object]:
        """The report of the classifier in use, its ``report.json``.

        Raises:
            NotFoundError: none has been trained, or it was trained without a report.
            ModelError: the report cannot be read.
        """
        version = self._models.current(ModelKind.CLASSIFIER)
        if version is None:
            raise untrained(ModelKind.CLASSIFIER)
        if REPORT not in version.files:
            raise NotFoundError("The classifier was trained without a report.", "Train it again.")
        try:
            report = json.loads((self._models.folder(ModelKind.CLASSIFIER, version) / REPORT).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"The classifier's report cannot be read: {error}.", "Train it again.") from error
        return {**report, "version": version.name, "made": version.made}

    def model_facts(self) -> ModelFacts:
        """What identifies the classifier in use, see :func:`search.photographers.model_facts.model_facts`."""
        return model_facts(self._models)

    def map(self) -> PhotographerMap:
        """Photographers in two dimensions: by the joint model, once that is trained, and by their profiles."""
        people, space = self._library.people(), self._joint()
        charts = [_with_photos(space.chart(), people)] if space else []
        random = space.random_chart() if space else None
        if people is not None:
            charts += [chart for by in (STYLE, SUBJECT) if (chart := profile_chart(people, by))]
        notes = (space_summary(space.report), *space.report.notes) if space else (f"{untrained(ModelKind.JOINT)}",)
        return display.shown_map(
            PhotographerMap(tuple(charts), notes, random and _with_photos(random, people)), self._displayed()
        )

    def codes(self, most: int = 2000) -> CodeChart | None:
        """Photos by the joint model's image codes; None before that is trained."""
        space = self._joint()
        return space.code_chart(most) if space else None

    def training_files(self) -> TrainingFiles | None:
        """Plots and logs of the training of the joint model in use; None before that is trained."""
        return training_files(self._models, ModelKind.JOINT)

    def _people(self) -> People:
        people = self._library.people()
        if people is None:
            raise NotFoundError("There are no pictures in this library yet.", "Ingest some first.")
        return people

    def _current_name(self, who: str) -> str:
        """As :meth:`name_of`; after a rename the old name is found, too, as old links lead there."""
        try:
            return self.name_of(who)
        except NotFoundError:
            for old, new in self._aliases().items():
                if who in (old, photographer_id(old)):
                    return self.name_of(new)
            raise

    def _out_of_fold_predictions(self) -> tuple[OutOfFold | None, tuple[str, ...]]:
        """Out-of-fold predictions of the classifier, by which credits are doubted; or None and a note why not."""
        aliases = self._aliases()
        try:
            predictions = self._out_of_fold.get(
                lambda folder: renamed_predictions(read_out_of_fold(folder), aliases), aliases
            )
        except NotFoundError:
            return None, ("Credits are doubted by likeness alone: no classifier has been trained yet.",)
        except ModelError as error:
            return None, (f"Credits are doubted by likeness alone. {error}",)
        return predictions, ()

    def _joint(self) -> PhotographerSpace | None:
        aliases = self._aliases()
        try:
            return self._space.get(lambda folder: renamed_space(PhotographerSpace.load(folder), aliases), aliases)
        except NotFoundError:
            return None

    def _alike_by_space(self, name: str) -> tuple[Alike, ...]:
        """Similar photographers by the joint model, if it knows this one; only those who still have photos."""
        space, people = self._joint(), self._library.people()
        if space is None or people is None or name not in space.names:
            return ()
        return tuple(
            replace(alike, pairs=people.pairs(STYLE, name, alike.name))
            for alike in space.similar(name)
            if alike.name in people.rows
        )

    def _current_classifier(self) -> Classifier:
        spaces = self._spaces()
        return self._classifier.get(lambda folder: _load_classifier(folder, *spaces), spaces)

    def _spaces(self) -> tuple[Space | None, Space | None, Space | None]:
        """Spaces ``visual``, ``style`` and ``appearance`` of this library."""
        info = self._store.collections().get(Kind.IMAGE.collection)
        if info is None:
            return None, None, None
        return info.schema.space("visual"), info.schema.space("style"), info.schema.space("appearance")

    def _stored_facts(self, probe: Probe) -> tuple[Array, str | None]:
        """The photo's features, float32 ``(78,)``, and its photographer where it is stored and credited."""
        features, credited = probe.features, None
        if probe.media_id is not None:
            try:
                record = find_record(self._store, probe.media_id)
            except NotFoundError:  # an upload that is not in the library
                pass
            else:
                features, credited = features or record.features, record.photographer
        if not features:
            return np.full(len(FEATURES), np.nan, np.float32), credited
        return np.array([np.nan if value is None else value for value in features], np.float32), credited


def _called(kind: Kind) -> str:
    return "a video" if kind is Kind.VIDEO else "a sound"


def _with_photos(chart: Chart, people: People | None) -> Chart:
    """Without photographers who have no photos any more."""
    present = people.rows if people else {}
    return replace(chart, spots=tuple(spot for spot in chart.spots if spot.name in present))


def _load_classifier(folder: Path, visual: Space | None, style: Space | None, appearance: Space | None) -> Classifier:
    if visual is None:
        raise NotFoundError("There are no pictures in this library yet.", "Ingest some first.")
    return Classifier.load(folder, visual, style, appearance)


def _vector(probe: Probe, space: Space | None) -> Array | None:
    """The probe's vector, float32 ``(dim,)``; None where the probe, or the library, has none.

    Raises:
        SpaceMismatchError: the probe's vector is of another space of that name.
    """
    if space is None or space.name not in probe.vectors:
        return None
    if probe.spaces.get(space.name) != space.fingerprint:
        raise SpaceMismatchError(
            f"The picture's '{space.name}' is of another model than the library's, {space}.",
            "All processes have to embed with the same models; see `likewise status`.",
        )
    vector: Array = probe.vectors[space.name][0]
    return vector


def _notes(credited: str | None) -> tuple[str, ...]:
    if credited is None:
        return ()
    return (f"This photo is in the library, credited to {credited}: the classifier may have learnt from it.",)
