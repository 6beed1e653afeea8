"""A desk whose answers are written down, so that pages can be tested whatever the models behind them do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from recorded_desk import RecordedDesk

from ingest.jobs.progress import JobProgress, JobState
from search.errors import NotFoundError
from search.evaluation.statistics import Estimate
from search.media import Credit
from search.photographers.answers import (
    Alike,
    Basis,
    Candidate,
    Chart,
    Miscredit,
    Period,
    Photo,
    PhotoEvidence,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
    PredictionReason,
    Session,
    SetPrediction,
    Spot,
    StyleProfile,
    Trait,
    TreesAnswer,
)
from search.photographers.develop.developing import (
    Development,
    DevelopQuestion,
    SettingChange,
    SettingsCourse,
    SettingsPeriod,
)
from search.photographers.develop.settings import Preset, change
from search.photographers.develop.words import WORDS, in_words
from search.photographers.model_facts import ModelFacts
from search.photographers.photos.names import photographer_id
from search.photographers.profiles.comparison import Compared, ComparedTrait, Comparison, TakenFor
from search.photographers.profiles.timeline import Timeline
from search.photographers.report import (
    AccuracyRow,
    CalibrationBin,
    Confusion,
    Mistake,
    OpenSetFigures,
    Report,
    ReportCheck,
    Strength,
)
from search.photographers.space import CodeChart, CodeSpot
from search.photographers.training_files import TrainingFiles
from search.similar.questions import Probe
from tests.web.pages.photographers.told_timeline import HOSTILE_SHOOT, told_timeline

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (SCRIPT, "../../x", "Anna " + "von " * 48 + "Z", "פלוני אלמוני", '"><img src=x onerror=alert(2)>')
NAMES = ("Ada", "Grace", "Jack Delano", "Marion Post Wolcott", *HOSTILE, "Group 7")
"""Everyone; the last is a group that KMeans has made."""


LOOK = Preset(exposure=0.5, contrast=-0.2, shadow_warmth=0.03, saturation=0.8, vignette=0.4)
"""How everyone develops."""


@dataclass
class FakeDesk:
    """Says what a test has put here.

    Attributes:
        trained: a classifier is there.
        joint: the photographer space is there.
        from_random: its training was tried from random vectors, too.
        files: of its training.
        asked: probes that were predicted.
    """

    photos: list[Photo]
    names: list[str] = field(default_factory=lambda: list(NAMES))
    trained: bool = True
    joint: bool = True
    from_random: bool = False
    files: TrainingFiles | None = None
    unknown: bool = False
    told: Mapping[str, object] | None = field(
        default_factory=lambda: report().to_json() | {"version": "1", "made": "2026-01-31"}
    )
    asked: list[Probe] = field(default_factory=list)

    def list(self) -> tuple[PhotographerListed, ...]:
        return tuple(self._listed(at) for at in range(len(self.names)))

    def show(self, who: str) -> PhotographerShown:
        listed = next((one for one in self.list() if who in {one.id, one.name}), None)
        if listed is None:
            raise NotFoundError(f"There is no photographer '{who}'.")
        at = self.names.index(listed.name)
        other = self.names[(at + 1) % len(self.names)]
        return PhotographerShown(
            id=listed.id,
            name=listed.name,
            photos=listed.photos,
            first=listed.first,
            last=listed.last,
            credits=listed.credits,
            samples=listed.samples,
            traits=(
                Trait("shadows", "more black shadows", "%", 2.1, 14.2, 3.1, 91.0),
                Trait("saturation", "less saturated", "%", -1.4, 21.0, 38.0, 12.0),
                Trait("color_temperature", "warmer colours", "", 0.8, 11.0, 4.5, 74.0),
            ),
            styles=(
                StyleProfile(0.7, 21, "darker, higher contrast", self.some(4)),
                StyleProfile(0.3, 9, "brighter", self.some(3)),
            ),
            alike=tuple(
                Alike(photographer_id(other), other, 0.93 - n / 10, by, (tuple(self.some(2, n)),) * 2)  # type: ignore[arg-type]
                for n, by in enumerate(("style", "subject", "joint"))
            ),
            periods=tuple(
                Period(
                    str(2010 + n), 4 + n, {"shadows": 3 + n * 1.5, "saturation": 40 - 0.9 * n * n, "gray_mean": 120.0}
                )
                for n in range(6)
            ),
            sessions=(
                Session(
                    6,
                    "2012-06-15T10:00:00",
                    "2012-06-15T12:00:00",
                    "/photos/2012/harvest",
                    self.some(4),
                    "s1",
                    HOSTILE_SHOOT,
                    True,
                ),
                Session(3, None, None, "undated", self.some(2, 5), "s2", "IMG_1 to IMG_3"),
            ),
            cameras={"Nikon F3": 20, "Leica M6": 10},
            lenses={"50 mm f/1.4": 12},
            miscredits=(Miscredit(self.photos[3], listed.name, other, 0.81, 0.07, {other: 7, listed.name: 3}),),
            notes=("Times are known of 20 of 30 photos.",),
        )

    def name_of(self, who: str) -> str:
        return self.show(who).name

    def alike(self, who: str) -> tuple[Alike, ...]:
        return self.show(who).alike

    def timeline(self, who: str) -> Timeline:
        return told_timeline(self.show(who).name)

    def photos_of_shoot(self, media_id: str) -> tuple[str, ...]:
        return tuple(photo.id for photo in self.some(6))

    def compare(self, one: str, other: str) -> Comparison:
        first, second = self.show(one), self.show(other)
        mine, theirs = (Compared(each.id, each.name, each.name, each.photos, each.styles) for each in (first, second))
        values = Estimate(14.2, 12.0, 16.0, 30), Estimate(3.1, 2.0, 4.0, 28), Estimate(11.1, 9.0, 13.0, 58)
        traits = (
            ComparedTrait("shadows", "more black shadows", "%", *values, 2.1, True),
            ComparedTrait("saturation", "less saturated", "%", *values, -0.3, False),
        )
        pairs = {"style": ((self.photos[0], self.photos[1]),), "subject": ((self.photos[2], self.photos[3]),)}
        taken_for = (TakenFor(first.name, 30, 25, 3, 2), TakenFor(second.name, 28, 4, 20, 4))
        return Comparison(mine, theirs, traits, {"style": 0.93, "subject": 0.5}, pairs, taken_for)

    def predict(self, probe: Probe, evidence: Basis = Basis.PICTURE, *, nearest: bool = True) -> Prediction:
        if not self.trained:
            raise NotFoundError("No classifier has been trained yet.")
        self.asked.append(probe)
        first = 0.41 if self.unknown else 0.82
        candidates = tuple(
            Candidate(name, share, photographer_id(name))
            for name, share in zip(self.names, (first, 0.11, 0.04, 0.02, 0.01), strict=False)
        )
        return Prediction(
            unknown=self.unknown,
            candidates=candidates,
            threshold=0.55,
            one_of=tuple(self.names[:2]),
            coverage=0.9,
            evidence=evidence.value,
            by_file=candidates[1:3],
            by_trees=TreesAnswer(candidates[2:4], "Absent tags count.", True) if evidence is Basis.EVERYTHING else None,
            known_shoot=0.35,
            checks=(ReportCheck("border_alone", "The border alone is right for 56.0%.", False, 0.56, 0.21),),
            reasons=(
                PredictionReason(
                    "shadows",
                    "more blocked shadows than most photos, fewer blocked shadows than most of theirs",
                    12.3,
                    14.2,
                    1.31,
                ),
                PredictionReason("visual", "what it shows is like theirs", None, None, 0.62),
                PredictionReason("saturation", "more saturated than most photos and most of theirs", 44.0, 21.0, -0.84),
            ),
            by_style=candidates[:3],
            by_subject=tuple(reversed(candidates[:3])),
            nearest={name: self.some(4, at) for at, name in enumerate(self.names[:3])} if nearest else None,
            model="20260131T115900-0f1e2d3c",
        )

    def predict_set(self, photos: Sequence[PhotoEvidence]) -> SetPrediction:
        verdicts = {"ours": 0.7, "nobody": 0.1, "mixed": 0.2}
        candidates = (Candidate(self.names[0], 0.9, photographer_id(self.names[0])),)
        return SetPrediction(len(photos), "ours", 0.7, verdicts, candidates, "20260131T115900-0f1e2d3c")

    def develop(self, probe: Probe, question: DevelopQuestion) -> Development:
        shown = self.show(question.photographer)
        self.asked.append(probe)
        changed = change(Preset(contrast=0.2), LOOK, question.strength)
        settings = [
            SettingChange(name, words.label, words.unit, getattr(LOOK, name), 0.02, 0.0, getattr(changed, name))
            for name, words in WORDS.items()
        ]
        return Development(
            shown.id,
            shown.name,
            question.style,
            question.taken_from,
            question.taken_to,
            question.strength,
            30,
            tuple(settings),
            in_words(changed),
            change=changed,
        )

    def development(self, who: str) -> tuple[SettingsCourse, ...]:
        self.show(who)
        settings = {name: getattr(LOOK, name) for name in WORDS}
        periods = tuple(SettingsPeriod(str(2010 + n), 5 + n, settings if n else {}) for n in range(4))
        return SettingsCourse(None, 26, settings, periods), SettingsCourse(1, 20, settings, ())

    def report(self) -> Mapping[str, object]:
        if not self.trained or self.told is None:
            raise NotFoundError("No classifier has been trained yet.")
        return self.told

    def model_facts(self) -> ModelFacts:
        return ModelFacts("20260131T115900-0f1e2d3c", "2026-01-31", "ab" * 32, "0f1e2d3c4b5a6978", 154, 5)

    def map(self) -> PhotographerMap:
        places = [(3 * math.cos(n * 0.7) + n / 5, 2 * math.sin(n * 0.7)) for n in range(len(self.names))]
        spots = tuple(
            Spot(photographer_id(name), name, 3 * n + 1, at)
            for n, (name, at) in enumerate(zip(self.names, places, strict=True))
        )
        style = Chart("style", spots, (0.42, 0.2))
        if not self.joint or not spots:
            return PhotographerMap((style,) if spots else (), ("The photographer space has not been made yet.",))
        steps = tuple(range(0, 2001, 200))
        ways = [
            replace(spot, path=tuple((spot.at[0] * n / 10, spot.at[1] * (n / 10) ** 2) for n in range(11)))
            for spot in spots
        ]
        joint = Chart("joint", tuple(ways), (0.61, 0.27), steps)
        return PhotographerMap((joint, style), from_random=self._random_chart(joint) if self.from_random else None)

    @staticmethod
    def _random_chart(joint: Chart) -> Chart:
        """Ends where ``joint`` does, and starts anywhere."""
        spots = (
            replace(spot, path=((5.0 * math.sin(7 * n), 5.0 * math.cos(11 * n)), *spot.path[1:]))
            for n, spot in enumerate(joint.spots)
        )
        return replace(joint, spots=tuple(spots))

    def training_files(self) -> TrainingFiles | None:
        return self.files

    def codes(self, most: int = 2000) -> CodeChart | None:
        if not self.joint:
            return None
        spots = tuple(
            CodeSpot(photo.id, self.names[n % 3], n % 5, (math.cos(n) * n, math.sin(n) * n))
            for n, photo in enumerate(self.photos)
        )
        return CodeChart(spots, (0.3, 0.2), 5)

    def some(self, count: int, start: int = 0) -> tuple[Photo, ...]:
        return tuple(self.photos[(start + n) % len(self.photos)] for n in range(count))

    def _listed(self, at: int) -> PhotographerListed:
        name = self.names[at]
        group = name.startswith("Group")
        return PhotographerListed(
            id=photographer_id(name),
            name=name,
            photos=3 * at + 1,
            first=None if at % 4 == 3 else f"{1935 + at}-03-01T00:00:00",
            last=None if at % 4 == 3 else f"{1938 + at}-03-01T00:00:00",
            credits={Credit.KMEANS: 3 * at + 1} if group else {Credit.EXIF: 3 * at, Credit.PERSON: 1},
            samples=self.some(5, at),
        )


def estimate(value: float, n: int = 154) -> Estimate:
    return Estimate(value, max(0.0, value - 0.07), min(1.0, value + 0.07), n)


def report() -> Report:
    """What might have been measured of the first four of :data:`NAMES` and the script."""

    def row(name: str, words: str, accuracy: float) -> AccuracyRow:
        return AccuracyRow(
            name, words, estimate(accuracy), estimate(accuracy - 0.03), estimate(0.9) if name == "product" else None
        )

    names = NAMES[:5]
    counts = tuple(tuple(20 if at == to else 3 * ((at + to) % 3) for to in range(5)) for at in range(5))
    return Report(
        photos=154,
        photographers=5,
        groups=61,
        folds=5,
        digest="0f1e2d3c4b5a6978",
        product=row("product", "the product", 0.71),
        by_style=row("by_style", "how it is developed alone", 0.55),
        by_subject=row("by_subject", "what it shows alone", 0.6),
        kept=row("kept", "with file and camera", 0.71),
        stripped=row("stripped", "without file and camera", 0.69),
        camera_alone=row("camera_alone", "file and camera alone", 0.64),
        top3=estimate(0.93),
        ece=Estimate(0.04, 0.02, 0.09, 154),
        reliability=(
            CalibrationBin(0, 0.1, 0, 0.0, 0.0),
            CalibrationBin(0.4, 0.5, 40, 0.46, 0.5),
            CalibrationBin(0.8, 0.9, 114, 0.84, 0.8),
        ),
        chance=0.2,
        open_set=OpenSetFigures(estimate(0.85), estimate(0.6), estimate(0.92)),
        simple=(row("linear", "embedding, linear", 0.59), row("features", "features, CatBoost", 0.45)),
        ablation=(row("78", "78 features only", 0.47), row("58", "picture-only 58", 0.44)),
        lead=Estimate(0.041, 0.002, 0.08, 154),
        strengths=tuple(
            Strength(name, photographer_id(name), 30, 12, estimate(0.7, 30), None, ("darker", "less saturated"))
            for name in names
        ),
        confusion=Confusion(names, counts),
        mistakes=(Mistake(SCRIPT, "Grace", 6),),
        checks=(
            ReportCheck("shuffled", "with shuffled names it is at chance", True, 0.21, 0.25),
            ReportCheck("camera", "the camera gives it away", False, 0.64, 0.3),
            ReportCheck("groups", "groups in two folds", None, 0.0),
        ),
        explained=0.86,
        threshold=0.55,
        warnings=("The camera gives it away: file and camera alone are right for 64 %.",),
    )


@pytest.fixture
def desk(library: Any) -> FakeDesk:
    pictures = [(name, id_) for name, id_ in library.ids.items() if name.endswith(".jpg")]
    return FakeDesk([Photo(id_, str(library.folder / name), f"/media/{id_}/preview") for name, id_ in pictures])


@pytest.fixture
def node(make_node: Callable[..., Any], desk: FakeDesk) -> Any:
    """A node with that desk, which writes down what it is told to do."""
    node = make_node()
    node.photographers = desk
    node.tasks = []
    node.named = []

    def start_task(name: str, options: Mapping[str, str] | None = None, **_: object) -> str:
        node.tasks.append((name, dict(options or {})))
        job = str(len(node.ingest.known) + 1)
        node.ingest.known[job] = JobProgress(job, JobState.RUNNING, name, (), total=10, embedded=4, task=name)
        return job

    node.start_task = start_task
    node.desk = RecordedDesk(node.named)
    return node
