"""The photographers of a library: who they are, what sets each apart, who works alike.

All of it is told from a :class:`~search.photographers.dataset.PhotoSet`, that is of pictures; videos and sounds play no
part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.errors import NotFoundError
from search.photographers.answers import Alike, Credit, PhotographerListed, PhotographerShown
from search.photographers.dataset import PhotoSet
from search.photographers.names import fold, photographer_id

Positions = NDArray[np.intp]


class People:
    """Everybody who is credited with a photo of ``photos``. Safe to use from several threads.

    What is asked for first is worked out then and kept, so a process makes one of these for each state of the library.
    """

    def __init__(self, photos: PhotoSet) -> None:
        self.photos = photos

    @cached_property
    def rows(self) -> Mapping[str, Positions]:
        """The photos of each photographer, by name; those with most photos first, then by name."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(self.photos.names):
            if name is not None:
                found[name].append(at)
        ordered = sorted(found, key=lambda name: (-len(found[name]), name))
        return {name: np.array(found[name], np.intp) for name in ordered}

    def name_of(self, who: str) -> str:
        """The name that an id or a name, in whatever case, means.

        Raises:
            NotFoundError: nobody is credited by it.
        """
        if who in self.rows:
            return who
        for name in self.rows:
            if who == photographer_id(name):
                return name
        for name in self.rows:
            if fold(name) == fold(who):
                return name
        raise NotFoundError(
            f"There is no photographer '{who}'.", "`likewise photographers list` shows those there are."
        )

    def listed(self) -> tuple[PhotographerListed, ...]:
        """Everyone, those with most photos first."""
        return tuple(self._listed(name) for name in self.rows)

    def shown(self, who: str) -> PhotographerShown:
        """All about one photographer.

        Raises:
            NotFoundError: there is no such photographer.
        """
        raise NotImplementedError

    def alike(self, who: str, limit: int = 6) -> tuple[Alike, ...]:
        """Who works alike: up to ``limit`` by ``style`` and as many by ``subject``, most alike first.

        Raises:
            NotFoundError: there is no such photographer.
        """
        raise NotImplementedError

    def _listed(self, name: str) -> PhotographerListed:
        photos, rows = self.photos, self.rows[name]
        times = sorted(time for time in (photos.taken_at[at] for at in rows) if time)
        credited = Counter(Credit(credit) for credit in (photos.credits[at] for at in rows) if credit)
        return PhotographerListed(
            id=photographer_id(name),
            name=name,
            photos=len(rows),
            first=times[0] if times else None,
            last=times[-1] if times else None,
            credits=dict(credited),
        )
