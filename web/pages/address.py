"""The address of a question, from which every link of the search page is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_plus

from werkzeug.datastructures import MultiDict

EXAMPLES = ("like", "unlike")
PART = ("start", "end")
"""Parameters that cut the one example to a part of it."""
PAGING = ("after", "offset", "weaker")
"""Parameters that say how far the answer to one question has been read."""


@dataclass(frozen=True, slots=True)
class Address:
    """Query parameters in order; empty ones are dropped, so that one question has one address."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, values: MultiDict[str, str]) -> Address:
        return cls(tuple((name, text.strip()) for name, text in values.items(multi=True) if text.strip()))

    def __str__(self) -> str:
        return "/?" + "&".join([_written(name, value) for name, value in self.pairs]) if self.pairs else "/"

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(value for other, value in self.pairs if other == name)

    def value(self, name: str) -> str:
        """The one value of a parameter, or nothing."""
        return next(iter(self.values(name)), "")

    def without(self, *names: str) -> Address:
        return Address(tuple([pair for pair in self.pairs if pair[0] not in names]))

    def without_value(self, name: str, value: str) -> Address:
        return Address(tuple(pair for pair in self.pairs if pair != (name, value)))

    def replacing(self, name: str, value: object) -> Address:
        return Address((*self.without(name).pairs, (name, str(value))))

    def from_start(self) -> Address:
        """The same question from its first page."""
        return self.without(*PAGING)

    def like(self, media_id: str) -> Address:
        """The same filters, asked of one example alone."""
        return self.without(*EXAMPLES, *PART, *PAGING, "q", "limit")._with("like", media_id)

    def also(self, role: str, media_id: str) -> Address:
        """One more example, ``like`` or ``unlike``; it leaves the other role, and all ask as a whole."""
        left = [(name, media_id) for name in EXAMPLES]
        gone = (*PAGING, *PART)
        return Address((*[pair for pair in self.pairs if pair[0] not in gone and pair not in left], (role, media_id)))

    def only(self, names: Sequence[str]) -> Address:
        return Address(tuple(pair for pair in self.pairs if pair[0] in names))

    def _with(self, name: str, value: str) -> Address:
        return Address((*self.pairs, (name, value)))


@lru_cache(maxsize=4096)
def _written(name: str, value: str) -> str:
    """A parameter as it stands in an address; a page has hundreds of links that differ in one."""
    return f"{quote_plus(name)}={quote_plus(value)}"
