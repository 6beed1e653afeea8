"""Results of the preset benchmark; ``--json`` gives these objects as they stand."""

from __future__ import annotations

from dataclasses import dataclass

from search.evaluation.statistics import Estimate


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """How well photographers are recognised from one representation of photos.

    Attributes:
        name: short and stable, for scripts.  words: what it is.
        one: share of single photos whose photographer is named rightly.
        ten: the same of sets of ten photos of one photographer: the largest mean log probability decides.
        target_one, target_ten: what is to be reached; None where there is only something to report.
        note: what a reader must know to judge the figure.
    """

    name: str
    words: str
    one: Estimate
    ten: Estimate
    target_one: float | None = None
    target_ten: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether both targets are met; None where there are none."""
        if self.target_one is None or self.target_ten is None:
            return None
        return self.one.value >= self.target_one and self.ten.value >= self.target_ten


@dataclass(frozen=True, slots=True)
class BenchmarkCheck:
    """A control that must hold for the rows to be valid, or a target beside them.

    Attributes:
        value: None where it could not be measured; ``note`` says why.
        low, high: the bound, both ends allowed; None where it is open.
        passed: None when it was not measured.
    """

    name: str
    words: str
    value: Estimate | None
    low: float | None
    high: float | None
    passed: bool | None
    note: str = ""


def check(
    name: str, words: str, value: Estimate, *, low: float | None = None, high: float | None = None, note: str = ""
) -> BenchmarkCheck:
    """A measured check, passed when its value lies within the bound."""
    passed = (low is None or value.value >= low) and (high is None or value.value <= high)
    return BenchmarkCheck(name, words, value, low, high, passed, note)


def unmeasured(name: str, words: str, why: str) -> BenchmarkCheck:
    return BenchmarkCheck(name, words, None, None, None, None, why)


@dataclass(frozen=True, slots=True)
class Level:
    """Everything measured at one jitter level.

    Attributes:
        name: ``low``, ``medium`` or ``high``.  jitter: in deviations between presets.
        margin: best representation of style minus the pooled image vector, one photo, over the same photos.
    """

    name: str
    jitter: float
    rows: tuple[BenchmarkRow, ...]
    margin: Estimate
    checks: tuple[BenchmarkCheck, ...]


@dataclass(frozen=True, slots=True)
class PresetBenchmark:
    """The answer of ``likewise photographers presets``.

    Attributes:
        gallery, question: base photos on either side, each developed by every photographer.
        subjects: classes of the folder; 0 where it has none and photos were split singly.
        chance: share right by guessing.
        models: which model gave which vector.
    """

    folder: str
    photos: int
    subjects: int
    presets: int
    seeds: int
    gallery: int
    question: int
    chance: float
    models: tuple[str, ...]
    levels: tuple[Level, ...]
    seconds: float
    notes: tuple[str, ...] = ()
