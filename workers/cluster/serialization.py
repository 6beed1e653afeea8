"""What travels between a job's coordinator and the workers, as plain JSON types.

Files travel as paths below the roots of their libraries, named once a message, because a worker may see a root
elsewhere. Vectors travel as base64 of little-endian float32, sparse ones without their zeros.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import LikewiseError
from search.media import Kind
from search.model_descriptions.registry import ModelChoice
from search.similar.questions import Probe
from search.store.base import Array, Point
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Priority, Status

Json: TypeAlias = dict[str, Any]

WORTH_WHILE = 512
"""Numbers that leaving out zeros has to save. What was sent before there were sparse vectors never had as many (a
silent sound has 256), so that a reader of that version understands all that it gets."""


@dataclass(frozen=True, slots=True)
class Order:
    """A batch as it is sent to a worker.

    Attributes:
        models: what to embed with; the worker loads these and no others.
        deliver: ``store`` when the worker writes into the store itself, ``report`` when it sends the points back.
    """

    batch: Batch
    models: ModelChoice
    deliver: Literal["store", "report"]


def order_to_json(order: Order) -> Json:
    batch = order.batch
    roots = list(dict.fromkeys(file.root for file in batch.files))
    return {
        "batch": batch.id,
        "job": batch.job,
        "kind": batch.kind.value,
        "priority": batch.priority.value,
        "into": batch.into,
        "roots": roots,
        "files": [_file_to_json(file, roots.index(file.root)) for file in batch.files],
        "models": choice_to_json(order.models),
        **beside(order.models),
        "deliver": order.deliver,
    }


def order_from_json(data: Json) -> Order:
    """Inverse of :func:`order_to_json`."""
    batch = Batch(
        id=data["batch"],
        job=data["job"],
        kind=Kind(data["kind"]),
        files=tuple(_file_from_json(entry, data["roots"]) for entry in data["files"]),
        priority=Priority(data["priority"]),
        into=data["into"],
    )
    return Order(batch, choice_from_json(data["models"], data), data["deliver"])


def choice_to_json(choice: ModelChoice) -> Json:
    """Without what travels :func:`beside` it: versions before there was any take no other keys than these."""
    return {key: value for key, value in asdict(choice).items() if key not in ("concepts", "text")}


def beside(choice: ModelChoice) -> Json:
    """What of a choice travels beside :func:`choice_to_json`."""
    return {"concepts": choice.concepts} | ({} if choice.text is None else {"text": choice.text})


def choice_from_json(data: Json, message: Json) -> ModelChoice:
    """Inverse of :func:`choice_to_json`. Keys this version does not know are ignored.

    Args:
        message: that it came in, with what travelled beside it; nothing where the sender knows of no more.
    """
    known = {field.name: data[field.name] for field in fields(ModelChoice) if field.name in data}
    later = {"concepts": message.get("concepts", False), "text": message.get("text")}
    return ModelChoice(**known | {"notes": tuple(data["notes"])} | later)


def report_to_json(report: BatchReport) -> Json:
    return {
        "batch": report.batch,
        "outcomes": [asdict(outcome) for outcome in report.outcomes],
        "stages": report.stages,
        "deliveries": [
            {"collection": delivery.collection} | point_to_json(delivery.point) for delivery in report.deliveries
        ],
    }


def report_from_json(data: Json) -> BatchReport:
    """Inverse of :func:`report_to_json`."""
    return BatchReport(
        data["batch"],
        tuple(
            Outcome(
                **entry | {"status": Status(entry["status"]), "kind": Kind(entry["kind"]) if entry["kind"] else None}
            )
            for entry in data["outcomes"]
        ),
        data["stages"],
        tuple(Delivery(entry["collection"], point_from_json(entry)) for entry in data["deliveries"]),
    )


def probe_to_json(probe: Probe) -> Json:
    return {
        "kind": probe.kind.value,
        "vectors": vectors_to_json(probe.vectors),
        "spaces": dict(probe.spaces),
        "media_id": probe.media_id,
        "fingerprints": list(probe.fingerprints),
        "moments": list(probe.moments),
        "name": probe.name,
        "duration": probe.duration,
        "features": list(probe.features),
    }


def probe_from_json(data: Json) -> Probe:
    """Inverse of :func:`probe_to_json`."""
    return Probe(
        kind=Kind(data["kind"]),
        vectors=vectors_from_json(data["vectors"]),
        spaces=data["spaces"],
        media_id=data["media_id"],
        fingerprints=tuple(data["fingerprints"]),
        moments=tuple(data["moments"]),
        name=data["name"],
        duration=data["duration"],
        features=tuple(data.get("features", ())),
    )


def error_to_json(error: LikewiseError) -> Json:
    """The object that the API answers too."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def point_to_json(point: Point) -> Json:
    return {"id": point.id, "vectors": vectors_to_json(point.vectors), "payload": point.payload}


def point_from_json(data: Json) -> Point:
    """Inverse of :func:`point_to_json`."""
    return Point(data["id"], vectors_from_json(data["vectors"]), data["payload"])


def vectors_to_json(vectors: Mapping[str, Array]) -> Json:
    """Space name to its rows and dimension, and their values in base64; of a vector of few values other than zero,
    these and where they stand (``at``, uint32, counted through all rows)."""
    return {name: _vector_to_json(vector) for name, vector in vectors.items()}


def vectors_from_json(data: Json) -> dict[str, Array]:
    """Inverse of :func:`vectors_to_json`: space name to float32 ``(m, dim)``."""
    return {name: _vector_from_json(entry) for name, entry in data.items()}


def _vector_to_json(vector: Array) -> Json:
    kept = np.flatnonzero(vector)
    if vector.size - 2 * len(kept) < WORTH_WHILE:
        return {"shape": list(vector.shape), "data": _base64(vector, "<f4")}
    return {"shape": list(vector.shape), "at": _base64(kept, "<u4"), "data": _base64(vector.flat[kept], "<f4")}


def _vector_from_json(entry: Json) -> Array:
    values = np.frombuffer(base64.b64decode(entry["data"]), "<f4").astype(np.float32)
    if "at" not in entry:
        return values.reshape(entry["shape"])
    vector = np.zeros(entry["shape"], np.float32)
    vector.flat[np.frombuffer(base64.b64decode(entry["at"]), "<u4")] = values
    return vector


def _base64(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode("ascii")


def _file_to_json(file: FileRef, root: int) -> list[Any]:
    relative = file.path.removeprefix(file.root)
    return [root, relative, file.library, file.size, file.mtime, file.sha256, list(file.other_paths)]


def _file_from_json(entry: list[Any], roots: list[str]) -> FileRef:
    root, relative, library, size, mtime, sha256, others = entry
    return FileRef(roots[root] + relative, library, size, mtime, sha256, tuple(others), roots[root])
