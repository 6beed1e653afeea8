"""Vector spaces: which numbers may be compared with which.

Two vectors may be compared only when the same model, at the same revision, made them from input prepared the same way.
Equal dimension proves nothing (ResNet-18 and R3D-18 are both 512-d), so every collection carries the fingerprint of
each of its spaces and the store checks it on every open, upsert and query.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache

from search.errors import SpaceMismatchError
from search.media import Kind

MOST_FRAMES = 2160
"""Most key frames of a video, so most of its vectors in a space that keeps one of each."""

MEANING = "meaning"
"""Name of the space that pictures share with words (``search.model_descriptions.text``), where a library has it."""


class Distance(StrEnum):
    COSINE = "cosine"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Space:
    """A vector space.

    Attributes:
        name: what users call it: ``visual``, ``motion``, ``sound``, ``style``, ``meaning``; internal spaces end
            in ``_raw``.
        model: name in ``search.model_descriptions.registry``.
        revision: which weights (or which version of a formula).
        preprocessing: everything done to the decoded media before the model, in one line.
        dim: number of components.
    """

    name: str
    model: str
    revision: str
    preprocessing: str
    dim: int
    distance: Distance = Distance.COSINE

    @property
    def fingerprint(self) -> str:
        """16 hex digits over every field."""
        return _fingerprint(self)

    def __str__(self) -> str:
        return f"{self.name} = {self.model}@{self.revision}, {self.dim}-d, {self.fingerprint}"

    def _told_from(self, other: Space) -> str:
        """In words, with the preprocessing where it is that which differs."""
        return str(self) if self.preprocessing == other.preprocessing else f"{self} ({self.preprocessing})"


@lru_cache(maxsize=1024)
def _fingerprint(space: Space) -> str:
    canonical = json.dumps(asdict(space), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


SPARSE_COMPONENTS = 32
"""Components other than zero that a sparse vector is taken to have, where room is planned for many vectors (pictures
have about 21 concepts each)."""


@dataclass(frozen=True, slots=True)
class VectorField:
    """A space as one collection holds it.

    Attributes:
        multi: a point holds several vectors, compared by MaxSim (a video's key frames).
        indexed: an approximate index is built; False for vectors that are only ever fetched.
        sparse: nearly all components are zero; engines keep only the others, and questions about a few components are
            answered from an inverted index. Everywhere else it is a dense float32 ``(1, dim)``. Components are kept
            with the precision of float16, to a relative 5e-4.

    Raises:
        ValueError: a sparse vector that is one of many, or is not compared by dot product: no engine has such.
    """

    space: Space
    multi: bool = False
    indexed: bool = True
    sparse: bool = False

    def __post_init__(self) -> None:
        if self.sparse and (self.multi or self.space.distance is not Distance.DOT):
            raise ValueError(f"Sparse vectors are single and compared by dot product, unlike '{self.space.name}'.")

    @property
    def numbers(self) -> int:
        """Numbers that one of its vectors takes to be kept or sent, as far as is known beforehand; of a sparse one,
        an index and a value for each component."""
        return min(self.space.dim, 2 * SPARSE_COMPONENTS) if self.sparse else self.space.dim


LAYOUT = 1
"""How :meth:`CollectionSchema.to_json` is laid out; what does not say, as version 0.1.0 wrote it, is of layout 1."""


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """What one collection holds: its kind and its spaces by name."""

    kind: Kind
    fields: tuple[VectorField, ...]

    @property
    def collection(self) -> str:
        return self.kind.collection

    @property
    def by_name(self) -> Mapping[str, VectorField]:
        return {f.space.name: f for f in self.fields}

    def space(self, name: str) -> Space | None:
        found = self.by_name.get(name)
        return found.space if found else None

    def require(self, wanted: Space) -> VectorField:
        """The field for ``wanted``.

        Raises:
            SpaceMismatchError: this collection lacks the space, or holds another one of that name.
        """
        found = self.by_name.get(wanted.name)
        if found is None:
            raise SpaceMismatchError(f"Collection '{self.collection}' has no space '{wanted.name}'.")
        if found.space.fingerprint != wanted.fingerprint:
            raise SpaceMismatchError(
                f"Collection '{self.collection}' was made with {found.space._told_from(wanted)}, "
                f"but this process brings {wanted._told_from(found.space)}.",
                "Use the model the collection was made with, or make the collection anew with "
                f"`likewise reembed --space {wanted.name}`.",
            )
        return found

    def to_json(self) -> dict[str, object]:
        return {
            "layout": LAYOUT,
            "kind": self.kind.value,
            "fields": [
                {
                    "space": asdict(f.space),
                    "fingerprint": f.space.fingerprint,
                    "multi": f.multi,
                    "indexed": f.indexed,
                    "sparse": f.sparse,
                }
                for f in self.fields
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> CollectionSchema:
        """Inverse of :meth:`to_json`.

        Raises:
            SpaceMismatchError: a stored fingerprint is not that of the space beside it (edited or damaged metadata), or
                a later version of Likewise has written it.
        """
        if data.get("layout", 1) != LAYOUT:
            raise SpaceMismatchError(
                f"The schema of a collection has layout {data['layout']}, and this version of Likewise reads {LAYOUT}.",
                "A later version has written it: use that one.",
            )
        kind = Kind(str(data["kind"]))
        made: list[VectorField] = []
        entries = data["fields"]
        assert isinstance(entries, list)
        for entry in entries:
            raw = dict(entry["space"])
            raw["distance"] = Distance(raw["distance"])
            space = Space(**raw)
            if entry["fingerprint"] != space.fingerprint:
                raise SpaceMismatchError(
                    f"Collection '{kind.collection}' says its space is {space}, "
                    f"but carries the fingerprint {entry['fingerprint']}.",
                    "Its metadata was edited or damaged; restore it from a backup or ingest again.",
                )
            made.append(
                VectorField(
                    space,
                    multi=bool(entry["multi"]),
                    indexed=bool(entry["indexed"]),
                    sparse=bool(entry.get("sparse", False)),
                )
            )
        return cls(kind, tuple(made))
