"""Read settings of development from vectors of the ``style`` space: of one photo, and of many by one photographer.

Both are linear maps. That of many photos is right on the average and strays much for one, because what a photo shows
is mistaken for what was done to it; so its readings are only used as means. That of one photo is drawn to "nothing was
done", or to what its photographer usually does, as far as it cannot tell. Both come from
``workers.photographers.develop.train``, which writes ``reader.npz``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from search.errors import ModelError, SpaceMismatchError
from search.photographers.develop.settings import PARAMETERS, Preset
from search.spaces import Space
from search.store.base import Array

WEIGHTS = "reader.npz"
"""Beside this module."""

_SETTINGS = len(PARAMETERS)


@dataclass(frozen=True, slots=True)
class SettingsReader:
    """Unit vectors of ``style``, float32 ``(n, d)``, to settings as ``Preset.vector`` has them.

    Attributes:
        fingerprint: of the space ``style`` that it was trained on.
        many, one: float32 ``(d, 12)``, maps for means of many photos and for one.
        many_offset, one_offset: float32 ``(12,)``.
    """

    fingerprint: str
    many: Array
    many_offset: Array
    one: Array
    one_offset: Array

    def check(self, space: Space | None) -> None:
        """
        Raises:
            SpaceMismatchError: the vectors of this space are of another model; None is a library without styles.
        """
        if space is None or space.fingerprint != self.fingerprint:
            raise SpaceMismatchError(
                "How photos are developed is read from vectors of 'style' of the shipped model, which this library "
                f"lacks: it has {space or 'none'}.",
                "`likewise reembed --space style` makes them.",
            )

    def readings(self, styles: Array) -> NDArray[np.float64]:
        """Readings of each of many photos, float64 ``(n, 12)``; their mean is what is meant."""
        found: NDArray[np.float64] = styles.astype(np.float64) @ self.many + self.many_offset
        return found

    def photo(self, style: Array, usual: Array | None = None) -> Preset:
        """What was done to one photo, by its vector, float32 ``(d,)``.

        Args:
            usual: vectors of other photos by the same photographer, float32 ``(n, d)``: what is read of them is where
                this photo's reading starts from, instead of nothing.
        """
        exact = style.astype(np.float64)
        if usual is None:
            return Preset.of_vector(exact @ self.one + self.one_offset)
        return Preset.of_vector(self.readings(usual).mean(axis=0) + (exact - usual.mean(axis=0)) @ self.one)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For an ``.npz``."""
        return {
            "fingerprint": np.array(self.fingerprint),
            "many": self.many,
            "many_offset": self.many_offset,
            "one": self.one,
            "one_offset": self.one_offset,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> SettingsReader:
        """
        Raises:
            ModelError: names or shapes are not those of :meth:`arrays`.
        """
        shapes = {name: array.shape for name, array in arrays.items()}
        dim = shapes.get("many", (0,))[0]
        wanted = {"fingerprint": (), "many_offset": (_SETTINGS,), "one_offset": (_SETTINGS,)}
        wanted |= dict.fromkeys(("many", "one"), (dim, _SETTINGS))
        if shapes != wanted:
            raise ModelError(f"These are no weights of a reader of settings: {shapes} instead of {wanted}.")
        maps = (np.asarray(arrays[name], np.float32) for name in ("many", "many_offset", "one", "one_offset"))
        return cls(str(arrays["fingerprint"]), *maps)


@functools.cache
def shipped_reader() -> SettingsReader:
    """
    Raises:
        ModelError: its file is not there or is not whole.
    """
    try:
        place = files("search.photographers.develop").joinpath(WEIGHTS)
        with place.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return SettingsReader.of(dict(held))
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The weights of the reader of settings cannot be read: {error}", "Install Likewise again."
        ) from error
