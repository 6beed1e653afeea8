"""What a classifier is worth: the report that every training writes, as ``report.json`` in the model's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search.evaluation.statistics import Estimate


@dataclass(frozen=True, slots=True)
class Row:
    """One way of answering, measured on the same folds as all others.

    Attributes:
        name: stable.  words: what people call it.
        accuracy: share of the photos whose photographer is the first candidate, called unknown or not.
        answered: share of the photos that it did not call unknown; None where it has no threshold.
        accuracy_answered: of those alone.
    """

    name: str
    words: str
    accuracy: Estimate
    macro_f1: Estimate
    answered: Estimate | None = None
    accuracy_answered: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers given with a probability between ``low`` and ``high``: how sure they were, and how often right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


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
class OpenSet:
    """With photographers left out of the training, who then ought to be unknown.

    Attributes:
        auroc: of the first candidate's probability, known photographers' photos against strangers'; its n counts both.
        refused: share of the strangers' photos that are answered with "unknown".
        kept: share of the right answers about known photographers that are given.
    """

    auroc: Estimate
    refused: Estimate
    kept: Estimate


@dataclass(frozen=True, slots=True)
class Strength:
    """How well one photographer is told.

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
class Check:
    """A look at whether the figures can be believed.

    Attributes:
        passed: None for what is told for information only.
        value: what was measured.  bound: what it must not exceed, where there is such a bound.
    """

    name: str
    words: str
    passed: bool | None
    value: float
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure is measured on photos that were not learnt from, nor anything in their groups.

    Attributes:
        digest: of the data.
        folds: in how many parts the photos were tested.
        product: the model as it is.  kept, stripped: with what file and camera say, and without.
        camera_alone: from that alone, without looking at the picture.
        top3: share of the photos whose photographer is among the first three candidates.
        ece: expected calibration error.
        simple: the recipes of REFERENCE §2.  ablation: those of §3.
        lead: accuracy of the product's model less that of the best simple recipe, paired by photo.
        chance: accuracy of always naming whoever has the most photos.
        open_set: None where there are too few photographers to leave any out, or no answer was right.
        explained: share of the variance of ``visual`` that the recipe's components keep.
        warnings: what should be known before a figure is quoted; notes of the training among them.
    """

    photos: int
    photographers: int
    groups: int
    folds: int
    digest: str
    product: Row
    by_style: Row
    by_subject: Row
    kept: Row
    stripped: Row
    camera_alone: Row
    top3: Estimate
    ece: Estimate
    reliability: tuple[Bin, ...]
    chance: float
    open_set: OpenSet | None
    simple: tuple[Row, ...]
    ablation: tuple[Row, ...]
    lead: Estimate
    strengths: tuple[Strength, ...]
    confusion: Confusion | None
    mistakes: tuple[Mistake, ...]
    checks: tuple[Check, ...]
    settings: Mapping[str, float]
    trials: int
    explained: float | None
    threshold: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False), "utf-8")
