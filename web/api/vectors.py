"""API operations that list the vectors of one space, and the features of pictures, page by page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ingest.ledger.access import Scope
from search.errors import NotFoundError, UsageError
from search.media import Kind, MediaRecord
from search.photographers.photos.features import FEATURE_NAMES
from search.records.sound_rows import HEARD, spans_of
from search.store.base import StoredPoint
from search.store.filters import Filter
from web.api.operation import Operation
from web.api.params import CollectionName, Limit, NonEmpty
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class VectorParameters:
    """A page of one space of one collection; ``after`` is the ``after`` of the page before."""

    collection: CollectionName
    space: NonEmpty
    limit: Limit = 500
    after: str | None = None


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The vectors of one media.

    Attributes:
        moments: seconds of each row, where the rows are a video's key frames or segments of sound; else empty.
        rows: how many vectors.
        data: base64 of their numbers, little-endian float32, row after row.
    """

    id: str
    paths: tuple[str, ...]
    moments: tuple[float, ...]
    rows: int
    data: str


@dataclass(frozen=True, slots=True)
class VectorPage:
    """``after`` asks for the next page; None on the last."""

    dim: int
    items: tuple[StoredVectors, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class FeatureParameters:
    """A page of the features of pictures; ``after`` is the ``after`` of the page before."""

    limit: Limit = 500
    after: str | None = None


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """The features of one picture.

    Attributes:
        values: one a column; None where the file does not say, or nothing computed it.
    """

    id: str
    paths: tuple[str, ...]
    photographer: str | None
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """``columns`` are the names of ``search.photographers.photos.features``; ``after`` asks for the next page, None on
    the last."""

    columns: tuple[str, ...]
    items: tuple[FeatureRow, ...]
    after: str | None


def _moments(space: str, point: StoredPoint) -> tuple[float, ...]:
    """When each row of a space of several is seen, or begins to be heard."""
    record = MediaRecord.from_payload(point.payload)
    return tuple(spans_of(record, space)[:, 0].round(2).tolist()) if space in HEARD else record.moments


def vectors(node: NodePort, listing: VectorParameters) -> VectorPage:
    """Vectors of everything that has one in this space, in order of id; also of what is missing just now."""
    info = node.store.collections().get(listing.collection)
    if info is None:
        raise NotFoundError(f"There is no collection '{listing.collection}' yet.", "Ingest something first.")
    space = info.schema.space(listing.space)
    if space is None:
        known = ", ".join(info.schema.by_name)
        raise UsageError(f"'{listing.collection}' has no space '{listing.space}'.", f"It has {known}.")
    where = Filter(has_space=space.name, include_missing=True)
    points = node.store.scroll(
        listing.collection, where=where, vectors=[space.name], page=listing.limit + 1, after=listing.after
    )
    found = list(islice(points, listing.limit + 1))
    items = tuple(
        StoredVectors(
            id=point.id,
            paths=tuple(point.payload["paths"]),
            moments=_moments(space.name, point) if info.schema.by_name[space.name].multi else (),
            rows=len(point.vectors[space.name]),
            data=base64.b64encode(np.ascontiguousarray(point.vectors[space.name], "<f4").tobytes()).decode("ascii"),
        )
        for point in found[: listing.limit]
    )
    return VectorPage(space.dim, items, items[-1].id if len(found) > listing.limit else None)


def features(node: NodePort, listing: FeatureParameters) -> FeaturePage:
    """Features of every picture that has a vector of what it shows, also of what is missing just now: the pictures of
    ``/vectors`` in the space ``visual``, in the same order."""
    images = Kind.IMAGE.collection
    if images not in node.store.collections():
        raise NotFoundError("There are no pictures yet.", "Ingest some first.")
    where = Filter(has_space="visual", include_missing=True)
    payload = ("paths", "photographer", "features")
    found = list(
        islice(
            node.store.scroll(images, where=where, payload=payload, page=listing.limit + 1, after=listing.after),
            listing.limit + 1,
        )
    )
    nothing = (None,) * len(FEATURE_NAMES)
    items = tuple(
        FeatureRow(
            id=point.id,
            paths=tuple(point.payload["paths"]),
            photographer=point.payload.get("photographer"),
            values=values if len(values := tuple(point.payload.get("features") or ())) == len(nothing) else nothing,
        )
        for point in found[: listing.limit]
    )
    return FeaturePage(FEATURE_NAMES, items, items[-1].id if len(found) > listing.limit else None)


OPERATIONS = (
    Operation("GET", "/vectors", vectors, VectorPage, scope=Scope.READ, takes=(VectorParameters,), errors=(400, 404)),
    Operation("GET", "/features", features, FeaturePage, scope=Scope.READ, takes=(FeatureParameters,), errors=(404,)),
)
