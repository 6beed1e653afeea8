"""Types of a find-similar question and its answer, as the API and ``--json`` show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from search.likeness.curve import Band
from search.media import COLLECTIONS, Kind
from search.similar.reuse.footprints import Footprints
from search.similar.reuse.overlaps import Overlap
from search.similar.shots import Shot
from search.store.base import Array
from search.store.filters import Filter


class Relation(StrEnum):
    """How a hit relates to the question: different claims, never blurred.

    * ``exact_copy``: the same bytes.
    * ``same_picture``: the same pixels, in a file with other metadata.
    * ``edited_copy``: made of the same picture, film or recording by editing or encoding.
    * ``burst``: another shot, by the same camera, near in time: a moment of its own, no copy.
    * ``similar``: none of these.

    The names of version 0.1.0, ``same_content`` and ``near_duplicate``, are still read.
    """

    EXACT_COPY = "exact_copy"
    SAME_PICTURE = "same_picture"
    EDITED_COPY = "edited_copy"
    BURST = "burst"
    SIMILAR = "similar"

    @classmethod
    def _missing_(cls, value: object) -> Relation | None:
        return {"same_content": cls.EXACT_COPY, "near_duplicate": cls.EDITED_COPY}.get(str(value))


@dataclass(frozen=True, slots=True)
class Probe:
    """One example in a question: media that is stored, or that has just been encoded.

    Attributes:
        vectors: space name to float32 ``(m, dim)``.
        spaces: space name to fingerprint, so that a vector of another model is refused.
        moments: seconds of the rows of ``vectors["visual"]`` when the example is a video.
        sound_runs, voice_runs: when its rows of sound are heard, see ``search.records.sound_rows``.
        media_id: identity of its bytes; hits with it are exact copies.
        duration: seconds, of a video or sound.
        features: of an image that has just been encoded, the 78 of ``search.photographers.photos.features``, NaN as
            None.
        borders: of an image, see ``search.media.MediaRecord``.
        footprints: of media that has just been encoded, its fingerprints over time, where it has any.
        shot: of an image, what tells whether another is an edit of it or another shot.
    """

    kind: Kind
    vectors: Mapping[str, Array]
    spaces: Mapping[str, str]
    media_id: str | None = None
    fingerprints: tuple[str, ...] = ()
    moments: tuple[float, ...] = ()
    name: str = ""
    duration: float | None = None
    features: tuple[float | None, ...] = ()
    borders: tuple[float, ...] = ()
    sound_runs: tuple[float, ...] = ()
    voice_runs: tuple[int, ...] = ()
    shot: Shot | None = None
    footprints: Footprints | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is like these and unlike those?

    Attributes:
        like, unlike: ids of stored media, or probes. At least one ``like``.
        part: seconds from which and up to which the one example asks, of a film or recording; None for all of it.
        collections: where to look.
        spaces: which spaces to use; empty means every space that question and collection share, but ``style``.
        style: position between subject (-1: in another style) and style (1: of another subject), see
            ``search.similar.subject_style``; None leaves style out of it.
        pivot: also reach audio from a picture (and pictures from a sound) through the videos that hold both.
        exact: compare with every vector instead of using the approximate index.
        offset: leave out so many of the best answers, to page on.
        diversity: from 0 to 1, how much what is like a better answer already gives way to something else, among
            pictures and sounds (``search.store.base.VectorQuery``): very similar and similar are then one band. None
            and 0 leave the order to likeness alone.
    """

    like: tuple[str | Probe, ...]
    unlike: tuple[str | Probe, ...] = ()
    part: tuple[float, float] | None = None
    collections: tuple[str, ...] = COLLECTIONS
    spaces: tuple[str, ...] = ()
    where: Filter = field(default_factory=Filter)
    limit: int = 20
    pivot: bool = True
    exact: bool = False
    style: float | None = None
    offset: int = 0
    diversity: float | None = None


@dataclass(frozen=True, slots=True)
class Via:
    """The video through which a pivot reached a hit: its id and moment in seconds."""

    id: str
    moment: float | None = None


@dataclass(frozen=True, slots=True)
class SimilarHit:
    """One answer.

    Attributes:
        score: raw cosine of the best pair of vectors in ``space``, in [-1, 1]; not comparable between spaces.
        likeness: probability that the two share a label, given their score, when as many pairs do as do not
            (``search.likeness.curve``); comparable, and the same whatever else the library holds. 1 for copies, at
            least that of very similar hits for shots of one burst.
        band: the answer in words: copies first, then by likeness.
        match: per cent of random pairs of this space and collection, in this library, that are less alike.
        moment: seconds into a video or sound at which it matches best; None of a picture, and where that is not known.
        span: of a hit by its sound, seconds between which it matches best, as ``search.similar.moments`` says; else
            None.
        thumbnail: address of the preview picture, or None.
        via: set when a pivot led here; ``likeness`` is then the product of that of both steps.
        parts: where subject and style were weighed against each other, the match in each: ``visual`` and ``style``.
        overlap: the longest span of an example (its ``one``) that is in this hit (its ``other``), where one is known;
            of a picture that is a still of this film, the second at which it stands, as a span without length.
    """

    id: str
    kind: Kind
    paths: tuple[str, ...]
    score: float
    likeness: float
    band: Band
    match: float
    space: str
    relation: Relation
    moment: float | None = None
    span: tuple[float, float] | None = None
    thumbnail: str | None = None
    via: Via | None = None
    parts: Mapping[str, float] | None = None
    overlap: Overlap | None = None


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """``hits`` fuses all collections; ``by_collection`` keeps each one's own order.

    Both go by band, and within one what was compared directly comes before what was reached through a video, the kind
    asked with before others, then by likeness. So weak hits come last; pages fold them.

    ``query`` echoes the question: like, unlike, part, collections, spaces, style, limit, offset, diversity; ``notes``
    says in words what could not be asked (a space that the example lacks, say). ``took_ms`` is wall-clock milliseconds
    in the store and ranking.
    """

    query: Mapping[str, object]
    hits: tuple[SimilarHit, ...]
    by_collection: Mapping[str, tuple[SimilarHit, ...]]
    took_ms: float
    notes: tuple[str, ...] = ()
