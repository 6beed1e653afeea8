"""Write predictions, previews, digests and versions as one HTML file.

The file holds its pictures and its style, runs no script and loads nothing, so that it can be mailed, archived and
printed. It says of which model and which data it was made, so that it can be checked later.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from flask import render_template

from search.errors import NotFoundError
from search.media import Kind
from search.photographers.answers import Photo
from search.photographers.model_facts import ModelFacts
from search.records.lookup import find_record
from search.similar.questions import Probe
from search.spaces import Space
from web.api.ports import NodePort
from web.api.prediction.many import PredictedExample, PredictedMany
from web.plain import dump
from workers.storage.previews import Previews

NEAREST_SHOWN = 4
"""Nearest photos by style beside each photo."""

CANDIDATES_SHOWN, REASONS_SHOWN = 6, 12


@dataclass(frozen=True, slots=True)
class NearestPhoto:
    """A photo that is near by style; ``photographer`` is whom it is credited to, ``picture`` a data address."""

    photo: Photo
    photographer: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class PhotoShown:
    """One photo of the document; ``picture`` is a data address."""

    example: PredictedExample
    picture: str | None
    credit: str | None
    nearest: tuple[NearestPhoto, ...]


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file: its name, and its HTML."""

    name: str
    html: str


def evidence(node: NodePort, found: PredictedMany, uploads: Sequence[Probe] = ()) -> EvidenceFile:
    """The document of predictions that were made with their nearest photos.

    Args:
        uploads: probes of the photos that are not stored, in the order of the photos.

    Raises:
        NotFoundError: no classifier is in use any more.
    """
    model = node.photographers.model_facts()
    previews = Previews(node.settings)
    waiting = iter(uploads)
    photos = [_shown(node, previews, photo, None if photo.id else next(waiting, None)) for photo in found.photos]
    made = datetime.now(UTC)
    html = render_template(
        "photographers/evidence.html",
        made=made,
        found=found,
        photos=photos,
        model=model,
        spaces=_spaces(node),
        version=_version(),
        answers_digest=answers_digest(found, model),
        candidates_shown=CANDIDATES_SHOWN,
        reasons_shown=REASONS_SHOWN,
    )
    return EvidenceFile(f"evidence-{made:%Y%m%dT%H%M%SZ}.html", html)


def answers_digest(found: PredictedMany, model: ModelFacts) -> str:
    """SHA-256 over the answers and the model, hex: equal for equal answers of one model."""
    said = json.dumps({"model": dump(model), "answers": dump(found)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _shown(node: NodePort, previews: Previews, photo: PredictedExample, probe: Probe | None) -> PhotoShown:
    picture, credit = None, None
    if photo.id:
        picture, credit = _stored_picture(node, previews, photo.id)
    elif probe is not None and probe.shot is not None and isinstance(probe.shot.preview, bytes):
        picture = _address(probe.shot.preview)
    nearest = photo.prediction.nearest if photo.prediction else None
    return PhotoShown(photo, picture, credit, tuple(_nearest(node, previews, nearest or {})))


def _nearest(node: NodePort, previews: Previews, found: Mapping[str, Sequence[Photo]]) -> Iterable[NearestPhoto]:
    by_style = [(photo, name) for name, photos in found.items() for photo in photos if photo.space == "style"]
    by_style.sort(key=lambda one: -(one[0].score or 0.0))
    for photo, name in by_style[:NEAREST_SHOWN]:
        yield NearestPhoto(photo, name, _stored_picture(node, previews, photo.id)[0])


def _stored_picture(node: NodePort, previews: Previews, media_id: str) -> tuple[str | None, str | None]:
    """Address of a preview and source of the credit of a record; None for what there is not."""
    try:
        record = find_record(node.store, media_id, ("id", "kind", "paths", "thumbnail", "credit"))
    except NotFoundError:  # deleted meanwhile
        return None, None
    try:
        return _address(previews.read(record.thumbnail)) if record.thumbnail else None, record.credit
    except NotFoundError:
        return None, record.credit


def _address(webp: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(webp).decode('ascii')}"


def _spaces(node: NodePort) -> list[Space]:
    """Spaces of the pictures that predictions are made from."""
    info = node.store.collections().get(Kind.IMAGE.collection)
    found = (info.schema.space(name) for name in ("visual", "style", "appearance")) if info else ()
    return [space for space in found if space is not None]


def _version() -> str:
    try:
        return version("likewise")
    except PackageNotFoundError:
        return "0"
