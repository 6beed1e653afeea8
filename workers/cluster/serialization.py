"""Messages between a job's coordinator and the workers, as plain JSON types.

Files are sent as paths below the roots of their libraries, each root once per message, because a worker may mount a
root elsewhere. ``points`` sends vectors and records.

Whoever reads a message trusts nothing in it: every function that reads one raises ``MessageRefusedError`` where a type,
a shape, a length or a number is not what it can be, before anything is made of it. Each message carries the version of
its layout; additional keys that an older reader may ignore leave it as it is, a change that it would misread raises it.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from typing import Any, Literal

from search.bounds import storable
from search.errors import LikewiseError, MessageRefusedError, SettingsError, StoreError, error_of
from search.media import COLLECTIONS, Kind
from search.model_descriptions.model_choice import ModelChoice
from search.similar.questions import Probe
from search.similar.reuse.footprints import Footprints
from search.similar.shots import Shot
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Priority, Status
from workers.cluster.checks import (
    LONGEST_PATH,
    as_file_name,
    as_flag,
    as_hash,
    as_integer,
    as_list,
    as_media_id,
    as_member,
    as_name,
    as_number,
    as_object,
    as_optional,
    as_path,
    as_text,
    as_tuple,
    as_word,
    refuse,
)
from workers.cluster.points import (
    MOST_PATHS,
    as_borders,
    as_bytes,
    as_fact,
    as_features,
    as_fingerprints,
    as_moment,
    as_moments,
    as_sound_runs,
    as_voice_runs,
    point_from_json,
    point_to_json,
    vectors_from_json,
    vectors_to_json,
)
from workers.cluster.signing import MESSAGE_VERSION, Json
from workers.storage.files import MOST_NS

MOST_FILES = 65_536
MOST_STAGES, MOST_SIDECARS, MOST_NOTES = 32, 100, 100
MOST_PREVIEW_BYTES = 4 << 20
MOST_FOOTPRINTS_BYTES = 1 << 20
LONGEST_SECONDS = 1e9


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
        MessageRefusedError: an older one has, which is read no more.
    """
    version = as_integer(message.get("version", 1), "version of a message", 1, 1000)
    if version > MESSAGE_VERSION:
        raise SettingsError(
            f"A message has layout {version}, but this version of Likewise reads layout {MESSAGE_VERSION}.",
            "Update Likewise on this machine: coordinators and workers need the same version.",
        )
    if version < MESSAGE_VERSION:
        raise MessageRefusedError(
            f"A message has layout {version} of an older version of Likewise; this one reads layout {MESSAGE_VERSION}.",
            "Update Likewise on every machine: coordinators and workers need the same version.",
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
        "models": choice_to_json(order.models),
        "deliver": order.deliver,
    }


def order_from_json(data: Json) -> BatchOrder:
    """Inverse of :func:`order_to_json`.

    Raises:
        SettingsError, MessageRefusedError: as :func:`check_version`, or the message is none.
    """
    check_version(data)
    roots = [_text_of_path(root, "root") for root in as_list(data.get("roots"), "list of roots", MOST_FILES)]
    deliver = data.get("deliver")
    if deliver not in ("store", "report"):
        refuse("delivery", deliver)
    batch = Batch(
        id=as_name(data.get("batch"), "batch"),
        job=as_name(data.get("job"), "job"),
        kind=as_member(data.get("kind"), "kind", Kind),
        files=tuple(_file_from_json(entry, roots) for entry in as_list(data.get("files"), "list of files", MOST_FILES)),
        priority=as_member(data.get("priority"), "priority", Priority),
        into=as_optional(data.get("into"), "generation", _as_generation),
    )
    return BatchOrder(batch, choice_from_json(data.get("models")), deliver)


def choice_to_json(choice: ModelChoice) -> Json:
    return asdict(choice) | {"notes": [storable(note) for note in choice.notes]}


def choice_from_json(data: object) -> ModelChoice:
    """Inverse of :func:`choice_to_json`. Keys this version does not know are ignored."""
    found = as_object(data, "choice of models")
    return ModelChoice(
        image=as_word(found.get("image"), "image model"),
        video=as_word(found.get("video"), "video model"),
        sound=as_word(found.get("sound"), "sound model"),
        notes=as_tuple(found.get("notes"), "list of notes", MOST_NOTES, as_text),
        style=as_flag(found.get("style"), "style"),
        concepts=as_flag(found.get("concepts"), "concepts"),
        text=as_optional(found.get("text"), "text model", as_word),
        appearance=as_flag(found.get("appearance", False), "appearance"),  # an older coordinator does not know it
        scene=as_flag(found.get("scene", False), "scene"),  # nor this
    )


def report_to_json(report: BatchReport) -> Json:
    return {
        "version": MESSAGE_VERSION,
        "batch": report.batch,
        "outcomes": [asdict(outcome) | {"detail": storable(outcome.detail)} for outcome in report.outcomes],
        "stages": report.stages,
        "deliveries": [
            {"collection": delivery.collection} | point_to_json(delivery.point) for delivery in report.deliveries
        ],
    }


def report_from_json(data: object) -> BatchReport:
    """Inverse of :func:`report_to_json`. Whether it is the report of a batch, ``batch_split.check_report`` says.

    Raises:
        SettingsError, MessageRefusedError: as :func:`check_version`, or the message is none.
    """
    found = as_object(data, "report")
    check_version(found)
    stages = as_object(found.get("stages"), "stages")
    if len(stages) > MOST_STAGES:
        refuse("number of stages", len(stages))
    return BatchReport(
        as_name(found.get("batch"), "batch"),
        as_tuple(found.get("outcomes"), "list of outcomes", MOST_FILES, _outcome_from_json),
        {as_word(name, "stage"): as_number(spent, "stage", 0.0, LONGEST_SECONDS) for name, spent in stages.items()},
        as_tuple(found.get("deliveries"), "list of points", MOST_FILES, _delivery_from_json),
    )


def _outcome_from_json(data: object, what: str) -> Outcome:
    found = as_object(data, what)
    code = as_text(found.get("code"), "failure code")
    return Outcome(
        path=as_path(found.get("path"), "path"),
        status=as_member(found.get("status"), "status", Status),
        media_id=as_optional(found.get("media_id"), "media id", as_media_id),
        kind=as_optional(found.get("kind"), "kind", lambda value, name: as_member(value, name, Kind)),
        code=as_word(code, "failure code") if code else "",
        detail=as_text(found.get("detail"), "detail"),
        seconds=as_number(found.get("seconds"), "seconds", 0.0, LONGEST_SECONDS),
    )


def _delivery_from_json(data: object, what: str) -> Delivery:
    found = as_object(data, what)
    collection = found.get("collection")
    if collection not in COLLECTIONS:
        refuse("collection", collection)
    return Delivery(collection, point_from_json(found))


def probe_to_json(probe: Probe) -> Json:
    return {
        "version": MESSAGE_VERSION,
        "kind": probe.kind.value,
        "vectors": vectors_to_json(probe.vectors),
        "spaces": dict(probe.spaces),
        "media_id": probe.media_id,
        "fingerprints": list(probe.fingerprints),
        "moments": list(probe.moments),
        "name": storable(probe.name, LONGEST_PATH),
        "duration": probe.duration,
        "features": list(probe.features),
        "borders": list(probe.borders),
        "sound_runs": list(probe.sound_runs),
        "voice_runs": list(probe.voice_runs),
        "shot": None if probe.shot is None else shot_to_json(probe.shot),
        "footprints": footprints_to_text(probe.footprints),
    }


def probe_from_json(data: object) -> Probe:
    """Inverse of :func:`probe_to_json`.

    Raises:
        SettingsError, MessageRefusedError: as :func:`check_version`, or the message is none.
    """
    found = as_object(data, "example")
    check_version(found)
    vectors = vectors_from_json(found.get("vectors"))
    spaces = as_object(found.get("spaces"), "list of spaces")
    if spaces.keys() != vectors.keys():
        refuse("list of spaces", sorted(spaces))
    kind, moments = as_member(found.get("kind"), "kind", Kind), as_moments(found.get("moments"), "moment")
    if kind is Kind.VIDEO and len(moments) != len(vectors.get("visual", moments)):
        refuse("number of moments", len(moments))
    return Probe(
        kind=kind,
        vectors=vectors,
        spaces={name: as_hash(spaces[name], "fingerprint of a space", 16) for name in vectors},
        media_id=as_optional(found.get("media_id"), "media id", as_media_id),
        fingerprints=as_fingerprints(found.get("fingerprints"), "fingerprint"),
        moments=moments,
        name=as_text(found.get("name"), "name", LONGEST_PATH),
        duration=as_fact(found.get("duration"), "duration"),
        features=as_features(found.get("features"), "list of features"),
        borders=as_borders(found.get("borders", []), "borders"),
        sound_runs=as_sound_runs(found.get("sound_runs", []), "runs of sound"),
        voice_runs=as_voice_runs(found.get("voice_runs", []), "runs of voice"),
        shot=None if found.get("shot") is None else shot_from_json(found["shot"]),
        footprints=footprints_from_text(found.get("footprints")),
    )


def footprints_to_text(footprints: Footprints | None) -> str | None:
    """Fingerprints over time as base64; None of those of more than an hour or so, which are not asked with."""
    data = b"" if footprints is None else footprints.to_bytes()
    return base64.b64encode(data).decode() if 0 < len(data) <= MOST_FOOTPRINTS_BYTES else None


def footprints_from_text(text: object) -> Footprints | None:
    """Inverse of :func:`footprints_to_text`."""
    if text is None:
        return None
    try:
        return Footprints.from_bytes(base64.b64decode(as_text(text, "footprints", 2 * MOST_FOOTPRINTS_BYTES)))
    except (ValueError, StoreError):
        return refuse("footprints", "what are none")


def shot_to_json(shot: Shot) -> Json:
    preview = shot.preview
    return asdict(shot) | {"preview": base64.b64encode(preview).decode() if isinstance(preview, bytes) else None}


def shot_from_json(data: object) -> Shot:
    """Inverse of :func:`shot_to_json`; keys this version does not know are ignored."""
    found = as_object(data, "shot")
    width, height = as_fact(found.get("width"), "width"), as_fact(found.get("height"), "height")
    preview = found.get("preview")
    return Shot(
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        taken_at=as_moment(found.get("taken_at"), "taken_at"),
        camera=as_optional(found.get("camera"), "camera", as_text),
        exposure=as_fact(found.get("exposure"), "exposure"),
        iso=as_fact(found.get("iso"), "iso"),
        pixel_hash=as_optional(found.get("pixel_hash"), "pixel hash", as_hash),
        preview=None if preview is None else as_bytes(preview, "preview", MOST_PREVIEW_BYTES),
    )


def error_to_json(error: LikewiseError) -> Json:
    """An error as the API answers it."""
    return {"error": {"code": error.code, "message": storable(error.message), "hint": storable(error.hint)}}


def error_from_json(data: object) -> LikewiseError:
    """The error of an answer that holds one, by the inverse of :func:`error_to_json`."""
    found = as_object(data, "error")
    code, message, hint = (as_text(found.get(name), f"{name} of an error") for name in ("code", "message", "hint"))
    return error_of(code, message, hint)


def _file_to_json(file: FileRef, root: int) -> list[Any]:
    relative = file.path.removeprefix(file.root)
    facts = [file.library, file.size, file.mtime, file.sha256]
    return [root, relative, *facts, list(file.other_paths), list(file.sidecars), file.anew, file.ctime_ns]


def _file_from_json(entry: object, roots: list[str]) -> FileRef:
    found = as_list(entry, "file", 10)
    if len(found) != 10:
        refuse("file", found)
    root, relative, library, size, mtime, sha256, others, sidecars, anew, ctime_ns = found
    above = roots[as_integer(root, "root", 0, len(roots) - 1)]
    return FileRef(
        path=as_path(above + _text_of_path(relative, "path"), "path"),
        library=as_text(library, "library"),
        size=as_integer(size, "size"),
        mtime=as_number(mtime, "time"),
        sha256=as_hash(sha256, "digest of a file"),
        other_paths=as_tuple(others, "path", MOST_PATHS, as_path),
        root=above,
        sidecars=as_tuple(sidecars, "sidecar", MOST_SIDECARS, as_file_name),
        anew=as_flag(anew, "anew"),
        ctime_ns=as_optional(ctime_ns, "time", lambda value, name: as_integer(value, name, -MOST_NS, MOST_NS)),
    )


def _text_of_path(value: object, what: str) -> str:
    """Part of a path, as it is."""
    return value if isinstance(value, str) and len(value) <= LONGEST_PATH else refuse(what, value)


def _as_generation(value: object, what: str) -> str:
    """Name of a collection, or of one of its generations: ``images``, ``images.2``."""
    collection, dot, number = as_text(value, what).partition(".")
    is_one = collection in COLLECTIONS and (number.isdecimal() and number.isascii() if dot else True)
    return f"{collection}{dot}{number}" if is_one else refuse(what, value)
