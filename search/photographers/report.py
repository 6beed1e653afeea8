"""Report of a classifier, which every training writes as ``report.json`` in the model's folder.

Another figure is measured where the report is made (``workers.photographers.classifier.measure``), and named and
explained in :attr:`Report.figures`; page and terminal show whatever stands there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from search.errors import ModelError
from search.evaluation.statistics import Estimate

SCHEMA_VERSION = 3
"""Layout of ``report.json``. 1, which did not say its number, lacks it alone. Until 2 the model's answers went by facts
of file and camera as well, and nothing said how sure it was of known shoots."""


class Section(StrEnum):
    """What a figure is about."""

    ANSWERS = "answers"
    RECIPES = "recipes"
    CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Estimate):
    """A measured figure with its 95 % interval, and what to call it.

    Attributes:
        name: stable.
        label: what people call it.
        meaning: what it says, in a sentence.
        section: what it is about.
        chance: what is reached without looking, where that means something.
        signed: a difference, which may be below 0; others are shares of 0 to 1.
        line: label in a table of the terminal, where it is not the label in lower case.
        remark: stands beside it there, where that is not the meaning.
    """

    name: str
    label: str
    meaning: str
    section: Section = Section.ANSWERS
    chance: float | None = None
    signed: bool = False
    line: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One way of answering, measured on the same folds as all others.

    Attributes:
        name: stable.  words: what people call it.
        accuracy: share of the photos whose photographer is the first candidate, called unknown or not.
        answered: share of the photos that it did not call unknown; None where it has no threshold.
        accuracy_answered: of those alone.
        lead: accuracy of the model less this row's, paired by photo; None for the model's own rows.
    """

    name: str
    words: str
    accuracy: Estimate
    macro_f1: Estimate
    answered: Estimate | None = None
    accuracy_answered: Estimate | None = None
    lead: Estimate | None = None


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Answers given with a probability between ``low`` and ``high``.

    Attributes:
        confidence: their mean probability.  accuracy: share of them that is right.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class ShootFigures:
    """Figures over photos of one kind of shoot.

    Attributes:
        ece: expected calibration error.
    """

    accuracy: Estimate
    ece: Estimate
    reliability: tuple[CalibrationBin, ...] = ()


@dataclass(frozen=True, slots=True)
class Confusion:
    """``counts[i][j]``: photos by ``names[i]`` for which ``names[j]`` was the first candidate."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """How often one photographer was taken for another."""

    photographer: str
    taken_for: str
    photos: int


@dataclass(frozen=True, slots=True)
class OpenSetFigures:
    """Figures with photographers left out of the training, whose photos should be answered with "unknown".

    Attributes:
        auroc: of the first candidate's probability, known photographers' photos against others'; its n counts both.
        refused: share of the left out photographers' photos that are answered with "unknown".
        kept: share of the right answers about known photographers that are given.
    """

    auroc: Estimate
    refused: Estimate
    kept: Estimate


@dataclass(frozen=True, slots=True)
class Strength:
    """How well one photographer is recognised.

    Attributes:
        recall: share of their photos that are recognised.
        precision: share of the answers naming them that are right; None where nothing was.
        features: what speaks for them most, in words.
    """

    photographer: str
    id: str
    photos: int
    groups: int
    recall: Estimate
    precision: Estimate | None
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """A check of whether the figures can be believed.

    Attributes:
        passed: None for what is given for information only.
        value: what was measured.  bound: what it must not exceed, where there is such a bound.
    """

    name: str
    words: str
    passed: bool | None
    value: float
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every figure but ``known_shoots`` is measured on photos of new shoots: nothing of theirs was learnt from.

    Attributes:
        digest: of the data.
        folds: in how many parts the photos were tested.
        evidence: what the model's answers go by: ``picture``; ``everything`` until layout 2.
        product: the model as it is.  kept, stripped: with what file and camera say, and without.
        camera_alone: from that alone, without looking at the picture.
        top3: share of the photos whose photographer is among the first three candidates.
        ece: expected calibration error.
        simple: simple recipes on the same folds.  ablation: the published recipe, part by part.
        coverage: share of the photos whose set of names holds the right one.  coverage_stated: as the sets claim.
        known_shoots: of photos some of whose shoot was learnt from; None where there were none.
        lead: accuracy of the product's model less that of the best recipe, paired by photo.  lead_over: which that is;
            until layout 2, the best of ``simple``.  lead_everything: the lead of ``kept``.
        chance: accuracy of always naming whoever has the most photos.
        open_set: None where there are too few photographers to leave any out, or no answer was right.
        explained: share of the variance of ``visual`` that the recipe's components keep.
        warnings: what should be known before a figure is quoted; notes of the training among them.
    """

    schema_version: int = SCHEMA_VERSION
    photos: int
    photographers: int
    groups: int
    folds: int
    digest: str
    evidence: str = "everything"
    product: AccuracyRow
    by_style: AccuracyRow
    by_subject: AccuracyRow
    kept: AccuracyRow
    stripped: AccuracyRow
    camera_alone: AccuracyRow
    top3: Estimate
    ece: Estimate
    reliability: tuple[CalibrationBin, ...] = ()
    coverage: Estimate | None = None
    coverage_stated: float | None = None
    known_shoots: ShootFigures | None = None
    chance: float
    open_set: OpenSetFigures | None = None
    simple: tuple[AccuracyRow, ...] = ()
    ablation: tuple[AccuracyRow, ...] = ()
    lead: Estimate
    lead_over: str = "the best simple recipe"
    lead_everything: Estimate | None = None
    strengths: tuple[Strength, ...] = ()
    confusion: Confusion | None = None
    mistakes: tuple[Mistake, ...] = ()
    checks: tuple[ReportCheck, ...] = ()
    explained: float | None = None
    threshold: float = 0.0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False), "utf-8")

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of the model's own answers, in the order in which people read them."""
        product, strangers, known = self.product, self.open_set, self.known_shoots
        found = [
            _figure(
                product.accuracy,
                "accuracy",
                "Right",
                "The most probable name is the photographer's, whether it was given or not; nothing of the photo's "
                "shoot was learnt from.",
                chance=self.chance,
                remark=f"always naming whoever has the most photos: {self.chance:.1%}",
            ),
            _figure(
                known.accuracy if known else None,
                "accuracy_known",
                "Right, known shoots",
                "The same for photos of shoots that were learnt from in part: these are recognised by what they show.",
                chance=self.chance,
                remark="something of the shoot was learnt from",
            ),
            _figure(
                self.kept.accuracy if self.evidence == "picture" else None,
                "accuracy_everything",
                "Right, with file and camera",
                "The second answer, in which facts of file, clock and camera count as well.",
                chance=self.chance,
                remark="facts of file, clock and camera count as well",
            ),
            _figure(
                self.top3,
                "top3",
                "Among the first three",
                "The photographer is one of the first three names.",
                remark="",
            ),
            _figure(
                product.macro_f1,
                "macro_f1",
                "Macro F1",
                "Recognised and rightly named, every photographer counting the same.",
                line="macro F1",
                remark="every photographer counts the same",
            ),
            _figure(
                product.answered,
                "answered",
                "Answered",
                "A name was given; the others were called unknown.",
                line="answered, not unknown",
                remark=f"threshold: {self.threshold:.1%}",
            ),
            _figure(
                product.accuracy_answered,
                "accuracy_answered",
                "Right when answered",
                "Of the photos that got a name.",
                line="right, of those answered",
                remark="",
            ),
            _figure(
                self.coverage,
                "coverage",
                "Sets of names that hold the right one",
                f"Stated are {self.coverage_stated or 0:.0%}.",
                line="sets of names hold the right one",
                remark=f"stated: {self.coverage_stated or 0:.0%}",
            ),
            _figure(
                self.lead,
                "lead",
                "More than the best baseline",
                f"Right more often than {self.lead_over}, paired by photo.",
                section=Section.RECIPES,
                signed=True,
                remark=f"over {self.lead_over}; below 0: that is better",
            ),
            _figure(
                self.ece,
                "ece",
                "Calibration error",
                "How far probabilities are from the share that is right, for new shoots; 0 is best.",
                section=Section.CALIBRATION,
            ),
            _figure(
                known.ece if known else None,
                "ece_known",
                "Calibration error, known shoots",
                "The same for photos of shoots that were learnt from in part.",
                section=Section.CALIBRATION,
            ),
        ]
        if strangers:
            found += [
                _figure(
                    strangers.auroc,
                    "auroc",
                    "Detects unknown photographers (AUROC)",
                    "A stranger's photo gets a lower probability than one of a known photographer; chance is 0.5.",
                    chance=0.5,
                    line="strangers told, AUROC",
                    remark="guessing: 50.0%",
                ),
                _figure(
                    strangers.refused,
                    "refused",
                    "Unknown photographers called unknown",
                    "Photos of photographers that were left out.",
                    remark="photographers left out of the training",
                ),
                _figure(
                    strangers.kept,
                    "kept",
                    "Right answers kept",
                    "Right answers that the threshold lets through.",
                    line="right answers given",
                    remark="by those who are known, meanwhile",
                ),
            ]
        return tuple(figure for figure in found if figure is not None)


def read_report(stored: Mapping[str, object]) -> Report:
    """A report as ``report.json`` holds it; what an older version did not write has its default.

    Raises:
        ModelError: a newer version wrote it, or it is no report.
    """
    version = stored.get("schema_version", 1)
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise ModelError(
            f"The report was written by a newer version of Likewise: its layout is {version}, and this version reads "
            f"layouts up to {SCHEMA_VERSION}.",
            "Install that version, or train the classifier again.",
        )
    try:
        report: Report = TypeAdapter(Report).validate_python(dict(stored))
    except ValidationError as error:
        raise ModelError(
            f"The report was written by another version of Likewise ({error.error_count()} places).",
            "Train the classifier again.",
        ) from error
    return report


def _figure(estimate: Estimate | None, name: str, label: str, meaning: str, **more: Any) -> Figure | None:
    """The figure of an estimate, with ``more`` of its fields; None for what was not measured."""
    if estimate is None:
        return None
    measured = {one: getattr(estimate, one) for one in Estimate.__dataclass_fields__}
    return Figure(**measured, name=name, label=label, meaning=meaning, **more)
