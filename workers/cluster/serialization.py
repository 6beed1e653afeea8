"""Messages between a job's coordinator and the workers, as plain JSON types.

Files are sent as paths below the roots of their libraries, each root once per message, because a worker may mount a
root elsewhere. Vectors are sent as base64 of little-endian float32, sparse ones without their zeros.

Orders, reports, probes and questions carry the version of their layout. One without a version has version 1, as
Likewise 0.1.0 wrote it, which ignores the key. Additional keys that an older reader may ignore leave the version as it
is; a change that it would misread raises it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import LikewiseError, SettingsError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.similar.questions import Probe
from search.similar.shots import Shot
from search.store.base import Array, Point
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Priority, Status

Json: TypeAlias = dict[str, Any]

MESSAGE_VERSION = 1
"""Version of the layout of all messages."""

LEAST_SAVED = 512
"""Numbers that the sparse form of a vector must save. Vectors of versions that know no sparse form never reach this (a
silent sound has 256 zeros), so that these versions can read all that they get."""


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """A batch as it is sent to a worker.

    Attributes:
        models: what to embed with; the worker loads these and no others.
        deliver: ``store`` when the worker writes into the store itself, ``report`` when it sends the points back.
    """

    batch: Batch
    models: ModelChoice
    deliver: Literal["store", "report"]


def check_version(message: Json) -> None:
    """Check that this version of Likewise can read a message.

    Raises:
        SettingsError: a newer version of Likewise has written it in a layout that is not known here.
    """
    version = message.get("version", 1)
    if version > MESSAGE_VERSION:
        raise SettingsError(
            f"A message has layout {version}, but this version of Likewise reads layouts up to {MESSAGE_VERSION}.",
            "Update Likewise on this machine: coordinators and workers need the same version.",
        )


def order_to_json(order: BatchOrder) -> Json:
    batch = order.batch
    roots = list(dict.fromkeys(file.root for file in batch.files))
    return {
        "version": MESSAGE_VERSION,
        "batch": batch.id,
        "job": batch.job,
        "kind": batch.kind.value,
        "priority": batch.priority.value,
        "into": batch.into,
        "roots": roots,
        "files": [_file_to_json(file, roots.index(file.root)) for file in batch.files],
        "sidecars": {str(at): list(file.sidecars) for at, file in enumerate(batch.files) if file.sidecars},
        "anew": [at for at, file in enumerate(batch.files) if file.anew],
        "models": choice_to_json(order.models),
        **later_fields(order.models),
        "deliver": order.deliver,
    }


def order_from_json(data: Json) -> BatchOrder:
    """Inverse of :func:`order_to_json`.

    Raises:
        SettingsError: as :func:`check_version`.
    """
    check_version(data)
    batch = Batch(
        id=data["batch"],
        job=data["job"],
        kind=Kind(data["kind"]),
        files=tuple(
            replace(
                _file_from_json(entry, data["roots"]),
                sidecars=tuple(data.get("sidecars", {}).get(str(at), ())),
                anew=at in data.get("anew", ()),
            )
            for at, entry in enumerate(data["files"])
        ),
        priority=Priority(data["priority"]),
        into=data["into"],
    )
    return BatchOrder(batch, choice_from_json(data["models"], data), data["deliver"])


def choice_to_json(choice: ModelChoice) -> Json:
    """A choice without its :func:`later_fields`: the first versions accept no keys but these."""
    return {key: value for key, value in asdict(choice).items() if key not in ("concepts", "text")}


def later_fields(choice: ModelChoice) -> Json:
    """Fields of a choice that are sent beside :func:`choice_to_json`, in the message around it."""
    return {"concepts": choice.concepts} | ({} if choice.text is None else {"text": choice.text})


def choice_from_json(data: Json, message: Json) -> ModelChoice:
    """Inverse of :func:`choice_to_json`. Keys this version does not know are ignored.

    Args:
        message: around the choice, with its :func:`later_fields`; empty where the sender does not know them.
    """
    known = {field.name: data[field.name] for field in fields(ModelChoice) if field.name in data}
    later = {"concepts": message.get("concepts", False), "text": message.get("text")}
    return ModelChoice(**known | {"notes": tuple(data["notes"])} | later)


def report_to_json(report: BatchReport) -> Json:
    return {
        "version": MESSAGE_VERSION,
        "batch": report.batch,
        "outcomes": [asdict(outcome) for outcome in report.outcomes],
        "stages": report.stages,
        "deliveries": [
            {"collection": delivery.collection} | point_to_json(delivery.point) for delivery in report.deliveries
        ],
    }


def report_from_json(data: Json) -> BatchReport:
    """Inverse of :func:`report_to_json`.

    Raises:
        SettingsError: as :func:`check_version`.
    """
    check_version(data)
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
        "version": MESSAGE_VERSION,
        "kind": probe.kind.value,
        "vectors": vectors_to_json(probe.vectors),
        "spaces": dict(probe.spaces),
        "media_id": probe.media_id,
        "fingerprints": list(probe.fingerprints),
        "moments": list(probe.moments),
        "name": probe.name,
        "duration": probe.duration,
        "features": list(probe.features),
        "shot": None if probe.shot is None else shot_to_json(probe.shot),
    }


def probe_from_json(data: Json) -> Probe:
    """Inverse of :func:`probe_to_json`.

    Raises:
        SettingsError: as :func:`check_version`.
    """
    check_version(data)
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
        shot=shot_from_json(data["shot"]) if data.get("shot") else None,
    )


def shot_to_json(shot: Shot) -> Json:
    preview = shot.preview
    return asdict(shot) | {"preview": base64.b64encode(preview).decode() if isinstance(preview, bytes) else None}


def shot_from_json(data: Json) -> Shot:
    """Inverse of :func:`shot_to_json`; keys this version does not know are ignored."""
    known = {field.name: data[field.name] for field in fields(Shot) if field.name in data}
    preview = data.get("preview")
    return Shot(**known | {"preview": base64.b64decode(preview) if preview else None})


def error_to_json(error: LikewiseError) -> Json:
    """An error as the API answers it."""
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


def point_to_json(point: Point) -> Json:
    return {"id": point.id, "vectors": vectors_to_json(point.vectors), "payload": point.payload}


def point_from_json(data: Json) -> Point:
    """Inverse of :func:`point_to_json`."""
    return Point(data["id"], vectors_from_json(data["vectors"]), data["payload"])


def vectors_to_json(vectors: Mapping[str, Array]) -> Json:
    """Vectors by space name, float32 ``(m, dim)``, as ``shape`` and ``data`` in base64.

    A vector of mostly zeros is sent as its other values and their positions (``at``, uint32, in row-major order).
    """
    return {name: _vector_to_json(vector) for name, vector in vectors.items()}


def vectors_from_json(data: Json) -> dict[str, Array]:
    """Inverse of :func:`vectors_to_json`: space name to float32 ``(m, dim)``."""
    return {name: _vector_from_json(entry) for name, entry in data.items()}


def _vector_to_json(vector: Array) -> Json:
    kept = np.flatnonzero(vector)
    if vector.size - 2 * len(kept) < LEAST_SAVED:
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
