"""What is told of photographers; the API and ``--json`` give these objects as they stand.

A photographer is known by name. Names come from files and may hold anything, so addresses and file names carry the
``id`` instead: 16 hex digits of the name's SHA-256 (``names.photographer_id``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Credit(StrEnum):
    """Where a record's photographer comes from. ``kmeans`` names are pseudo-photographers, groups of alike photos."""

    EXIF = "exif"
    FOLDER = "folder"
    CSV = "csv"
    KMEANS = "kmeans"
    PERSON = "person"


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
    """``probability`` is calibrated: of answers given with .8, about 80 % are right."""

    photographer: str
    probability: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class PredictionReason:
    """One thing that spoke for (``weight`` > 0) or against the first candidate.

    Attributes:
        feature: name in ``features.FEATURES``, or ``visual`` or ``style`` for all components of that vector together.
        words: a sentence part for people, such as "more saturated than most photos, less saturated than most of
            theirs": "most photos" are those the model has learnt from, "theirs" the candidate's among them.
        value: of this photo, in the feature's unit.  typical: the candidate's median.
        weight: SHAP value in log-odds.
    """

    feature: str
    words: str
    value: float | None
    typical: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Whose photo is this?

    Attributes:
        unknown: the best candidate's probability is below ``threshold``, or the model never saw anything like it.
        candidates: most probable first.
        by_style, by_subject: the same question answered from how it is developed alone and from what it shows alone.
        nearest: photographer to the photos of theirs that are nearest to this one.
        model: version of the classifier.
    """

    unknown: bool
    candidates: tuple[Candidate, ...]
    threshold: float
    reasons: tuple[PredictionReason, ...]
    by_style: tuple[Candidate, ...] = ()
    by_subject: tuple[Candidate, ...] = ()
    nearest: Mapping[str, tuple[Photo, ...]] | None = None
    model: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotographerListed:
    """One photographer in the list.

    Attributes:
        first, last: ISO 8601 of the earliest and latest ``taken_at`` known.
        credits: number of photos by where the credit comes from.
        samples: a few photos that are typical.
    """

    id: str
    name: str
    photos: int
    first: str | None
    last: str | None
    credits: Mapping[Credit, int]
    samples: tuple[Photo, ...] = ()


@dataclass(frozen=True, slots=True)
class Trait:
    """A feature that sets a photographer apart from everyone else.

    Attributes:
        effect: difference of medians in robust deviations of everyone else, to that side; the sign says the direction.
        words: "darker shadows", say.
        mine, others: medians in the feature's unit.
        percentile: share of the others' photos below ``mine``, per cent.
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
    """One of a photographer's several ways of working: a cluster of their photos in the ``style`` space."""

    share: float
    photos: int
    words: str
    samples: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """Photos taken in one go: ``start`` and ``end`` are ISO 8601, or None where only names tell."""

    photos: int
    start: str | None
    end: str | None
    folder: str
    samples: tuple[Photo, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """Another photographer who works alike.

    Attributes:
        similarity: 0 to 1, share of random pairs of photographers that are less alike.
        by: what says so: ``style``, ``subject``, or ``joint`` (the photographer vectors).
        pairs: photos that show it, this photographer's beside the other's.
    """

    id: str
    name: str
    similarity: float
    by: str
    pairs: tuple[tuple[Photo, Photo], ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """One month, quarter or year of a photographer's work: medians of the features that changed most."""

    label: str
    photos: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Miscredit:
    """A photo whose credit is doubtful: what is written, what the classifier (without having learnt from this photo)
    says, and what its neighbours are credited with.

    Attributes:
        probability: of ``predicted``.  own_probability: of the written name.
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
    """Everything the page of one photographer tells."""

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


@dataclass(frozen=True, slots=True)
class Spot:
    """One photographer on a map.

    Attributes:
        at: first two principal components of whatever the map is drawn from.
        path: where they were while the joint model was trained, from the first frame to the last, which is ``at``;
            empty on a map of profiles.
    """

    id: str
    name: str
    photos: int
    at: tuple[float, float]
    path: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Photographers in two dimensions: those close to one another work alike.

    Attributes:
        by: ``joint``, the learnt photographer vectors, or ``style`` or ``subject``, the mean of their photos' vectors.
        explained: share of the variance that each of the two axes shows, 0 to 1.
        steps: training step of each place of a spot's ``path``.
    """

    by: str
    spots: tuple[Spot, ...]
    explained: tuple[float, float]
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotographerMap:
    """``charts`` in order of how much they are worth; ``notes`` says what could not be drawn, and why."""

    charts: tuple[Chart, ...]
    notes: tuple[str, ...] = ()
