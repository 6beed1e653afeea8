"""Profiles of the photographers of a library: traits, styles, shoots, similar photographers.

Everything is computed from a :class:`~search.photographers.photos.dataset.PhotoSet`, that is from pictures; videos and
sounds are ignored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from search.media import Credit
from search.photographers.answers import (
    Alike,
    Miscredit,
    Photo,
    PhotographerListed,
    PhotographerShown,
    StyleProfile,
    Trait,
)
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import PICTURE_ONLY
from search.photographers.photos.grouping import BURST_COSINE
from search.photographers.photos.names import fold, photographer_id, unknown_photographer
from search.photographers.photos.sample import Counted
from search.photographers.profiles.kept_profiles import profiles_of
from search.photographers.profiles.miscredits import MOST_ASKED, Neighbourhood, OutOfFold, doubtful_credits
from search.photographers.profiles.periods import period_summaries
from search.photographers.profiles.shoots import ShootNames, shoot_summaries, shoots_of
from search.photographers.profiles.styles import Likeness, Profile, reduced
from search.photographers.profiles.traits import Crowd, in_words, traits
from search.store.base import Array

STYLE, SUBJECT = "style", "subject"
Positions = NDArray[np.intp]
Kept = TypeVar("Kept")

VIEWS = (STYLE, SUBJECT)
"""How photos are developed, and what they show."""

SAMPLES = 4
NEAR_COSINE = 0.9
"""Cosine in ``visual`` from which two samples would show the same thing twice."""

CROWD = 5_000
"""Photos of others at most that a photographer is compared with, as many of each as possible."""

PAIRED = 150
"""Photos of each of two photographers at most among which similar pairs are searched."""

PAIRS = 3
MOST_SESSIONS = 50
MOST_MISCREDITS = 24
LEAST_RECOVERED = 0.7
"""Least share of photos whose neighbours are by the same photographer, for wrong credits to be found."""

FEW = 12
"""Photos below which a profile is mostly chance."""


class People:
    """All photographers credited in ``photos``. Safe to use from several threads.

    Results are computed on first use and kept, so a process makes one of these for each state of the library.

    Args:
        photos: those of a library, or a sample of them.
        counted: of a sample, what the photos of each photographer in it come to in the whole library.
        cache: folder for the styles of all, which take the longest; None keeps them in memory alone.
    """

    def __init__(
        self,
        photos: PhotoSet,
        counted: Mapping[str, Counted] = MappingProxyType({}),
        cache: Path | None = None,
    ) -> None:
        self.photos, self._counted, self._cache = photos, counted, cache
        self._kept: dict[tuple[str, str], Any] = {}

    @cached_property
    def rows(self) -> Mapping[str, Positions]:
        """Photographer to the positions of their photos, intp; those with most photos first, then by name."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(self.photos.names):
            if name is not None:
                found[name].append(at)
        counts = {name: self._counted[name].photos if name in self._counted else len(found[name]) for name in found}
        ordered = sorted(found, key=lambda name: (-counts[name], name))
        return {name: np.array(found[name], np.intp) for name in ordered}

    def name_of(self, who: str) -> str:
        """Name of the photographer with this id, or this name in whatever case.

        Raises:
            NotFoundError: no photo is credited to it.
        """
        for name in self.rows:
            if who == photographer_id(name):  # before names, as a name may look like an id
                return name
        if who in self.rows:
            return who
        for name in self.rows:
            if fold(name) == fold(who):
                return name
        raise unknown_photographer(who, self.rows)

    def shoots(self, name: str) -> list[list[int]]:
        """Positions of the photos of each of somebody's shoots, see :func:`.shoots.shoots_of`."""
        return self.kept("shoots", name, lambda: shoots_of(self.photos, self.rows[name]))

    def kept(self, what: str, name: str, make: Callable[[], Kept]) -> Kept:
        """What ``make`` made of a photographer the first time."""
        if (what, name) not in self._kept:
            self._kept[what, name] = make()
        made: Kept = self._kept[what, name]
        return made

    def listed(self) -> tuple[PhotographerListed, ...]:
        """All photographers, those with most photos first."""
        return tuple(self._listed(name) for name in self.rows)

    def shown(
        self, who: str, predictions: OutOfFold | None = None, shoot_names: ShootNames | None = None
    ) -> PhotographerShown:
        """Profile of one photographer.

        Args:
            predictions: out-of-fold predictions of the classifier in use, if there is one.
            shoot_names: names that people have given to shoots.

        Raises:
            NotFoundError: there is no such photographer.
        """
        name = self.name_of(who)
        rows, listed = self.rows[name], self._listed(name)
        crowd, features = self._crowd(name), self.photos.features[rows]
        found = traits(features, crowd)
        shoots = self.shoots(name)
        names = {} if shoot_names is None else shoot_names
        sessions = shoot_summaries(self.photos, shoots, names, self.photo)[:MOST_SESSIONS]
        doubts = doubtful_credits(self.photos, rows, self._around, predictions) if len(self.rows) > 1 else []
        notes = self._notes(name, crowd)
        if len(self.rows) > 1 and self._around.right < LEAST_RECOVERED:
            notes.append(
                f"Of the photos here {100 * self._around.right:.0f} % are most like others by the same photographer, "
                "shoots left aside, so wrong credits may go unnoticed."
            )
        if len(shoots) > MOST_SESSIONS:
            notes.append(f"{len(shoots) - MOST_SESSIONS:,} earlier shoots are not shown.")
        if len(self.rows) > 1 and len(rows) > MOST_ASKED:
            notes.append(f"Doubtful credits were looked for among {MOST_ASKED:,} of these photos, drawn at random.")
        if len(doubts) > MOST_MISCREDITS:
            notes.append(f"{len(doubts) - MOST_MISCREDITS:,} more credits are doubtful.")
        return PhotographerShown(
            id=listed.id,
            name=name,
            photos=listed.photos,
            first=listed.first,
            last=listed.last,
            credits=listed.credits,
            samples=listed.samples,
            traits=found,
            styles=self._styles(name, found),
            alike=self.alike(name),
            periods=period_summaries([self.photos.taken_at[at] for at in rows], features),
            sessions=sessions,
            cameras=_counted(self.photos.cameras, rows),
            lenses=_counted(self.photos.lenses, rows),
            miscredits=tuple(
                Miscredit(
                    photo=self.photo(doubt.at),
                    credited=name,
                    predicted=doubt.predicted,
                    probability=doubt.probability,
                    own_probability=doubt.own_probability,
                    neighbours=doubt.neighbours,
                )
                for doubt in doubts[:MOST_MISCREDITS]
            ),
            notes=tuple(notes),
        )

    def alike(self, who: str, limit: int = 6) -> tuple[Alike, ...]:
        """Similar photographers: up to ``limit`` by ``style`` and as many by ``subject``, most similar first.

        Raises:
            NotFoundError: there is no such photographer.
        """
        name = self.name_of(who)
        return tuple(
            Alike(photographer_id(other), other, similarity, by, self.pairs(by, name, other))
            for by in VIEWS
            for other, similarity in self._likeness[by].to_others(name)[:limit]
        )

    def similarity(self, by: str, one: str, other: str) -> float | None:
        """Share of random pairs of photographers that are less alike than these two, 0 to 1; None where not known."""
        return dict(self._likeness[by].to_others(one)).get(other) if one in self._profiles[by] else None

    def styles(self, name: str) -> tuple[StyleProfile, ...]:
        """Styles of a photographer, the most frequent first."""
        return self._styles(name, traits(self.photos.features[self.rows[name]], self._crowd(name)))

    def style_members(self, name: str) -> tuple[Positions, ...]:
        """Positions of the photos of each style of a photographer, the most frequent style first, intp each."""
        profile = self._profiles[STYLE].get(name)
        return profile.members if profile else ()

    def photo(self, at: int, score: float | None = None, space: str | None = None) -> Photo:
        """The photo at a position."""
        photos = self.photos
        preview = f"/media/{photos.ids[at]}/preview" if photos.thumbnails[at] else None
        return Photo(photos.ids[at], photos.paths[at], preview, score, space, photos.taken_at[at])

    @cached_property
    def _vectors(self) -> Mapping[str, Array]:
        """View to the vectors that it compares photos by, float32 ``(n, d)``. In a library without styles, the features
        of the picture stand in for them, each in its own deviations."""
        style = self.photos.style
        if not self._has_style:
            picture = self.photos.features[:, list(PICTURE_ONLY)]
            crowd = Crowd(picture)
            with np.errstate(all="ignore"):
                scaled = np.clip(np.nan_to_num((picture - crowd.middle) / crowd.spread, posinf=0, neginf=0), -3, 3)
            scaled[~np.isfinite(picture).any(axis=1)] = np.nan
            style = scaled.astype(np.float32)
        return {STYLE: style, SUBJECT: self.photos.visual}

    @property
    def _has_style(self) -> bool:
        return self.photos.style_space is not None and bool(np.isfinite(self.photos.style).any())

    @cached_property
    def _views(self) -> Mapping[str, NDArray[np.float64]]:
        return {by: reduced(self._vectors[by]) for by in VIEWS}

    @cached_property
    def _profiles(self) -> Mapping[str, Mapping[str, Profile]]:
        files = {by: self._cache and self._cache / f"profiles-{by}.npz" for by in VIEWS}
        return {by: profiles_of(self._views[by], self.rows, files[by]) for by in VIEWS}

    @cached_property
    def _likeness(self) -> Mapping[str, Likeness]:
        return {by: Likeness(self._profiles[by]) for by in VIEWS}

    @cached_property
    def _around(self) -> Neighbourhood:
        return Neighbourhood(self.photos, self.rows)

    def _listed(self, name: str) -> PhotographerListed:
        counted = self._counted.get(name) or self._count(name)
        return PhotographerListed(
            id=photographer_id(name),
            name=name,
            photos=counted.photos,
            first=counted.first,
            last=counted.last,
            credits={Credit(credit): count for credit, count in counted.credits.items()},
            samples=self._typical(self.rows[name]),
        )

    def _count(self, name: str) -> Counted:
        photos, rows = self.photos, self.rows[name]
        times = sorted(time for time in (photos.taken_at[at] for at in rows) if time)
        credited = Counter(credit for credit in (photos.credits[at] for at in rows) if credit)
        return Counted(len(rows), times[0] if times else None, times[-1] if times else None, credited)

    def _typical(self, rows: Positions) -> tuple[Photo, ...]:
        """Photos nearest to the mean of all by what they show, without near duplicates."""
        points = self._views[SUBJECT][rows]
        distances = np.linalg.norm(points - points.mean(axis=0), axis=1)
        chosen: list[int] = []
        for at in rows[np.argsort(distances, kind="stable")].tolist():
            if len(chosen) == SAMPLES:
                break
            if not chosen or float((self.photos.visual[chosen] @ self.photos.visual[at]).max()) < NEAR_COSINE:
                chosen.append(at)
        return tuple(map(self.photo, chosen))

    def _crowd(self, name: str) -> Crowd:
        """Photos by all others, as many of each; without another photographer, the uncredited ones."""
        others = [rows for other, rows in self.rows.items() if other != name]
        if not others:
            others = [np.flatnonzero(~self.photos.labelled)]
        share = max(5, CROWD // len(others))
        rng = np.random.default_rng(0)
        drawn = [rng.choice(rows, share, replace=False) if len(rows) > share else rows for rows in others]
        return Crowd(self.photos.features[np.concatenate(drawn)])

    def _styles(self, name: str, found: tuple[Trait, ...]) -> tuple[StyleProfile, ...]:
        """Styles of a photographer: several are described against one another, a single one against all others."""
        profile = self._profiles[STYLE].get(name)
        if profile is None:
            return ()
        features = self.photos.features
        every = np.concatenate(profile.members)
        profiles = []
        for share, members in zip(profile.shares.tolist(), profile.members, strict=True):
            if len(profile.members) > 1:
                found = traits(features[members], Crowd(features[np.setdiff1d(every, members)]))
            samples = tuple(self.photo(at) for at in members[:SAMPLES].tolist())
            profiles.append(StyleProfile(share, len(members), in_words(found) or "much like the others", samples))
        return tuple(profiles)

    def pairs(self, by: str, name: str, other: str) -> tuple[tuple[Photo, Photo], ...]:
        """Most similar photos of two photographers by ``style`` or ``subject``, each in one pair only. Near duplicates
        are left out: they are the same photo, credited twice."""
        if not {name, other} <= self._profiles[by].keys():
            return ()
        vectors, visual = self._vectors[by], self.photos.visual
        mine, theirs = (self._spaced(self._profiles[by][one]) for one in (name, other))
        if by == STYLE and not self._has_style:
            vectors = vectors / np.fmax(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        cosines = vectors[mine] @ vectors[theirs].T
        cosines[visual[mine] @ visual[theirs].T >= BURST_COSINE] = -np.inf
        space = "visual" if by == SUBJECT else "style" if self._has_style else None
        found: list[tuple[Photo, Photo]] = []
        while len(found) < PAIRS and cosines.size and np.isfinite(best := cosines.max()):
            a, b = np.unravel_index(int(cosines.argmax()), cosines.shape)
            score = float(best) if space else None
            found.append((self.photo(int(mine[a]), score, space), self.photo(int(theirs[b]), score, space)))
            cosines[a], cosines[:, b] = -np.inf, -np.inf
        return tuple(found)

    def _spaced(self, profile: Profile) -> Positions:
        """Most typical photos of each style, in proportion to its share."""
        total = sum(len(members) for members in profile.members)
        return np.concatenate([members[: max(1, PAIRED * len(members) // total)] for members in profile.members])

    def _notes(self, name: str, crowd: Crowd) -> list[str]:
        rows = self.rows[name]
        notes = ["All of this is told from pictures; videos and sounds are left out."]
        if (whole := self._counted.get(name)) is not None and whole.photos > len(rows):
            notes.append(f"Told from {len(rows):,} of {whole.photos:,} pictures, drawn at random.")
        if len(rows) < FEW:
            few = "is only 1" if len(rows) == 1 else f"are only {len(rows):,}"
            notes.append(f"There {few} of them, so much of it may be chance.")
        if len(self.rows) == 1:
            notes.append("Nobody else is credited with anything: there is nobody to be like, or to be mistaken for.")
        if not self._has_style:
            notes.append("There are no style vectors yet, so styles go by features: likewise reembed --space style.")
        if not all(np.isfinite(some).any() for some in (self.photos.features[rows], crowd.features) if len(some)):
            notes.append("There are no features to compare yet: likewise reembed --space style computes them.")
        if Credit.KMEANS.value in (self.photos.credits[at] for at in rows):
            notes.append("This is a group of alike photos, made by likewise; it is not known to be one person's.")
        if spellings := [other for other in self.rows if other != name and fold(other) == fold(name)]:
            notes.append(f"Also written {', '.join(spellings)}: a rename puts them together.")
        return notes


def _counted(values: tuple[str | None, ...], rows: Positions) -> dict[str, int]:
    """Count of each known value, the most frequent first."""
    counts = Counter(value for value in (values[at] for at in rows) if value)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
