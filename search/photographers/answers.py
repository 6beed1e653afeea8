"""Answers about photographers; the API and ``--json`` give these objects as they are.

A photographer is known by name. Names come from files and may hold anything, so addresses and file names carry the
``id`` instead: 16 hex digits of the name's SHA-256 (``names.photographer_id``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from search.evaluation.statistics import Estimate
from search.media import Credit
from search.photographers.report import ReportCheck


class Basis(StrEnum):
    """What an answer goes by: the picture alone, or everything, the facts of file, clock and camera as well."""

    PICTURE = "picture"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as shown beside a claim; ``score`` is a cosine in ``space`` where it was found by one."""

    id: str
    path: str
    thumbnail: str | None = None
    score: float | None = None
    space: str | None = None
    taken_at: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """``probability`` is calibrated: of answers given with .8, about 80 % are right. ``display_name`` is what people
    read for ``photographer``."""

    photographer: str
    probability: float
    id: str = ""
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class PredictionReason:
    """One feature that speaks for (``weight`` > 0) or against the first candidate.

    Attributes:
        feature: name in ``features.FEATURES``; or ``visual``, ``style`` or ``appearance``, all of that vector together.
        words: a sentence part for people, such as "more saturated than most photos, less saturated than most of
            theirs": "most photos" are the training photos, "theirs" the candidate's among them.
        value: of this photo, in the feature's unit.  typical: the candidate's median.
        weight: log-odds of the candidate less those that it would have were this not known.
    """

    feature: str
    words: str
    value: float | None
    typical: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class TreesAnswer:
    """Answer of CatBoost over 128 components of the embedding and all 78 features, the published recipe.

    Attributes:
        candidates: most probable first.
        note: what it goes by and how often it is right, in sentences for people.
        calibrated: whether the probabilities were calibrated on photos that the trees were not grown from.
        accuracy: share of the photos of new shoots that this recipe names rightly, in the folds of the report; None
            where none was made.
    """

    candidates: tuple[Candidate, ...]
    note: str
    calibrated: bool
    accuracy: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted photographer of a photo.

    Attributes:
        unknown: the best candidate's probability is below ``threshold``.
        candidates: most probable first.
        by_style, by_subject: candidates predicted from how it is developed alone and from what it shows alone.
        by_file: from the facts of file, clock and camera alone; empty where it has none.
        by_trees: by trees over features and embedding, which no other answer takes part in; None where the picture
            alone was asked, or the classifier was trained without trees.
        evidence: what ``candidates``, ``reasons`` and ``unknown`` go by: ``picture``, or ``everything``.
        known_shoot: probability that the photo is of a shoot that the classifier has learnt from.
        checks: whether anything beside the picture gives photographers away, as the training measured.
        nearest: photographer to their photos that are nearest to this one.
        model: version of the classifier.
        one_of: the fewest names among which is the right one for ``coverage`` of the photos by known photographers.
        nearness: photographer to the cosine of the photo's style to their nearest training photo; empty where it has
            no style.
    """

    unknown: bool
    candidates: tuple[Candidate, ...]
    threshold: float
    reasons: tuple[PredictionReason, ...]
    by_style: tuple[Candidate, ...] = ()
    by_subject: tuple[Candidate, ...] = ()
    by_file: tuple[Candidate, ...] = ()
    by_trees: TreesAnswer | None = None
    evidence: str = "picture"
    known_shoot: float = 0.0
    checks: tuple[ReportCheck, ...] = ()
    nearest: Mapping[str, tuple[Photo, ...]] | None = None
    model: str = ""
    notes: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    coverage: float | None = None
    nearness: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotoEvidence:
    """What a prediction for one photo contributes to the verdict on a set.

    Attributes:
        probabilities: photographer to the probability of the candidate.
        nearness: as in :class:`Prediction`.
    """

    probabilities: Mapping[str, float]
    nearness: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, prediction: Prediction) -> PhotoEvidence:
        """Of a prediction."""
        return cls({one.photographer: one.probability for one in prediction.candidates}, prediction.nearness)


@dataclass(frozen=True, slots=True)
class SetPrediction:
    """Verdict on several photos at once.

    Attributes:
        photos: number of photos.
        verdict: ``ours``, all by one known photographer; ``nobody``, all by nobody who is known; ``mixed``; None where
            the model cannot tell, which ``notes`` explain.
        probability: of the verdict, where all three were equally frequent.
        verdicts: each verdict to its probability.
        candidates: whose all photos are, if they are all by one known photographer; most probable first.
        model: version of the classifier.
    """

    photos: int
    verdict: str | None
    probability: float | None
    verdicts: Mapping[str, float]
    candidates: tuple[Candidate, ...]
    model: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotographerListed:
    """One photographer in the list.

    Attributes:
        first, last: ISO 8601 of the earliest and latest known ``taken_at``.
        credits: number of photos by source of the credit.
        samples: a few typical photos.
        display_name: what people read for ``name``.
    """

    id: str
    name: str
    photos: int
    first: str | None
    last: str | None
    credits: Mapping[Credit, int]
    samples: tuple[Photo, ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Trait:
    """A feature in which a photographer differs from all others.

    Attributes:
        effect: difference of medians in robust deviations of all others, to that side, with its sign.
        words: "darker shadows", say.
        mine, others: medians in the feature's unit.
        percentile: share of the others' photos below ``mine``, percent.
    """

    feature: str
    words: str
    unit: str
    effect: float
    mine: float
    others: float
    percentile: float


@dataclass(frozen=True, slots=True)
class StyleProfile:
    """One of a photographer's styles: a cluster of their photos in the ``style`` space."""

    share: float
    photos: int
    words: str
    samples: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """Photos of one shoot: ``start`` and ``end`` are ISO 8601, or None where only file names are known.

    Attributes:
        id: of its first photo, by which it is given a name.
        name: what people call it, or else what follows from folder, place and date.
        named: whether people have named it.
    """

    photos: int
    start: str | None
    end: str | None
    folder: str
    samples: tuple[Photo, ...]
    id: str = ""
    name: str = ""
    named: bool = False


@dataclass(frozen=True, slots=True)
class Alike:
    """A similar photographer.

    Attributes:
        similarity: 0 to 1, share of random pairs of photographers that are less similar.
        by: space of the comparison: ``style``, ``subject``, or ``joint`` (the photographer vectors).
        pairs: similar photos, this photographer's beside the other's.
    """

    id: str
    name: str
    similarity: float
    by: str
    pairs: tuple[tuple[Photo, Photo], ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """One month, quarter or year of a photographer's work: medians of the features that changed most."""

    label: str
    photos: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Miscredit:
    """A photo with a doubtful credit: its credit, the out-of-fold prediction, and the credits of its neighbours.

    Attributes:
        probability: of ``predicted``.  own_probability: of ``credited``.
        neighbours: photographer to number among the nearest photos.
    """

    photo: Photo
    credited: str
    predicted: str
    probability: float
    own_probability: float
    neighbours: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PhotographerShown:
    """Everything that is known of one photographer."""

    id: str
    name: str
    photos: int
    first: str | None
    last: str | None
    credits: Mapping[Credit, int]
    samples: tuple[Photo, ...]
    traits: tuple[Trait, ...]
    styles: tuple[StyleProfile, ...]
    alike: tuple[Alike, ...]
    periods: tuple[Period, ...]
    sessions: tuple[Session, ...]
    cameras: Mapping[str, int]
    lenses: Mapping[str, int]
    miscredits: tuple[Miscredit, ...]
    notes: tuple[str, ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """One photographer on a map.

    Attributes:
        at: first two principal components of the vectors that the map shows.
        path: positions during the training of the joint model, from the first frame to the last, which is ``at``;
            empty on a map of profiles.
    """

    id: str
    name: str
    photos: int
    at: tuple[float, float]
    path: tuple[tuple[float, float], ...] = ()
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Photographers in two dimensions; similar ones are close to each other.

    Attributes:
        by: ``joint``, the trained photographer vectors, or ``style`` or ``subject``, the mean of their photos' vectors.
        explained: share of the variance on each of the two axes, 0 to 1.
        steps: training step of each position of a spot's ``path``.
    """

    by: str
    spots: tuple[Spot, ...]
    explained: tuple[float, float]
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotographerMap:
    """``charts``, the most meaningful first; ``notes`` says what could not be drawn, and why.

    Attributes:
        from_random: the chart ``joint`` of a training that started from random vectors, on the same axes; None where
            none was tried.
    """

    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = ()
    from_random: Chart | None = None
