"""Names of a collection's generations, the same for either store.

``images`` is whichever generation questions go to; ``images.2`` is the second one, current or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from search.errors import UsageError
from search.media import COLLECTIONS
from search.spaces import CollectionSchema
from search.store.base import Generation

_NAME = re.compile(rf"({'|'.join(COLLECTIONS)})\.([1-9][0-9]*)")


class GenerationName(NamedTuple):
    """Sorts by age within a collection."""

    collection: str
    number: int

    def __str__(self) -> str:
        return f"{self.collection}.{self.number}"

    @classmethod
    def read(cls, text: str) -> GenerationName | None:
        """The generation that ``text`` names; None when it is no such name."""
        found = _NAME.fullmatch(text)
        return cls(found[1], int(found[2])) if found else None

    @classmethod
    def demand(cls, text: str) -> GenerationName:
        """Raises:
        UsageError: ``text`` does not name a generation.
        """
        found = cls.read(text)
        if found is None:
            raise UsageError(f"'{text}' does not name a generation.", "Generations are called images.1, images.2 ….")
        return found


def unfinished(generations: Iterable[Generation], schema: CollectionSchema) -> str | None:
    """The generation, younger than the current one, that was begun with ``schema``.

    Raises:
        UsageError: one with another schema was begun.
    """
    current = 0
    for generation in generations:
        number = GenerationName.demand(generation.name).number
        if generation.current:
            current = number
        elif current and number > current:
            if generation.schema.by_name != schema.by_name:
                raise filled_otherwise(generation.name)
            return generation.name
    return None


def filled_otherwise(name: str) -> UsageError:
    return UsageError(f"Generation '{name}' is being filled with other spaces.", "Drop that one first.")


def refuse_to_drop(name: GenerationName) -> UsageError:
    return UsageError(f"Questions go to '{name}'.", "Promote another generation before this one is dropped.")
