"""What travels arrives as it was sent, by way of text."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.errors import (
    CorruptMediaError,
    LikewiseError,
    MessageRefusedError,
    SettingsError,
    StoreUnavailableError,
    error_of,
)
from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice
from search.photographers.photos.features import FEATURES
from search.similar.questions import Probe
from search.similar.shots import Shot
from search.store.base import Point
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Priority, Status
from workers.cluster.points import vectors_from_json, vectors_to_json
from workers.cluster.serialization import (
    BatchOrder,
    error_to_json,
    order_from_json,
    order_to_json,
    probe_from_json,
    probe_to_json,
    report_from_json,
    report_to_json,
)

ID = media_id("ab" * 32)
VECTORS = {
    "visual": np.array([[0.1, -0.2], [0.3, 0.4]], np.float32),
    "sound": np.array([[np.pi, 1e-30]], np.float32),
}
RECORD = MediaRecord(
    ID,
    Kind.VIDEO,
    ("/a.mp4",),
    ("lib",),
    12,
    1700000000.5,
    "video/mp4",
    duration=2.5,
    taken_at="2024-05-06T10:20:30",
    has_sound=True,
    fingerprints=("0f" * 32, "f0" * 32),
    moments=(0.5, 1.5),
    thumbnail=f"{ID[:2]}/{ID}.webp",
    job="j1",
)
REPORT = BatchReport(
    "b1",
    (
        Outcome("/a.mp4", Status.EMBEDDED, ID, Kind.VIDEO, seconds=0.5),
        Outcome("/b.mp4", Status.FAILED, code="corrupt", detail="Broken."),
    ),
    {"decode": 0.25},
    (Delivery("videos", Point(ID, VECTORS, RECORD.to_payload())),),
)
FEATURE_VALUES = tuple(None if at == 1 else feature.low for at, feature in enumerate(FEATURES))
PROBE = Probe(
    Kind.VIDEO,
    {"visual": np.ones((2, 3), np.float32)},
    {"visual": "0123456789abcdef"},
    ID,
    ("0f" * 32,),
    (0.5, 1.5),
    "clip.mp4",
    2.0,
    FEATURE_VALUES,
)


def sent(data: Any) -> Any:
    return json.loads(json.dumps(data))


def file(path: str, root: str) -> FileRef:
    return FileRef(path, "lib", 12, 1700000000.123456, "ab" * 32, ("/elsewhere/b.jpg",), root)


def test_an_order() -> None:
    files = (
        file("/photos/a/ä b.jpg", "/photos"),
        file("s3://bucket/prefix/c.jpg", "s3://bucket/prefix"),
        file("/no/root.jpg", ""),
        replace(file("/photos/a/d.jpg", "/photos"), sidecars=("d.jpg.xmp", "d.xmp"), anew=True),
    )
    batch = Batch("b1", "j1", Kind.VIDEO, files, Priority.HIGH, "videos.2")
    for concepts, text in ((True, None), (False, "open_clip")):
        order = BatchOrder(batch, ModelChoice("i", "v", "s", ("Said aloud.",), concepts=concepts, text=text), "report")
        assert order_from_json(sent(order_to_json(order))) == order


def test_keys_that_this_version_does_not_know_are_ignored() -> None:
    order = BatchOrder(Batch("b1", "j1", Kind.IMAGE, (), Priority.HIGH), ModelChoice("i", "v", "s"), "report")
    message = sent(order_to_json(order)) | {"later": 1}
    message["models"]["smell"] = "of a version to come"
    assert order_from_json(message) == order


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (
            order_to_json(BatchOrder(Batch("b1", "j1", Kind.IMAGE, ()), ModelChoice("i", "v", "s"), "report")),
            order_from_json,
        ),
        (report_to_json(BatchReport("b1", ())), report_from_json),
        (probe_to_json(Probe(Kind.IMAGE, {}, {})), probe_from_json),
    ],
)
def test_a_message_of_another_version_is_refused(
    message: dict[str, Any], read: Callable[[dict[str, Any]], Any]
) -> None:
    assert message["version"] == 2
    read(message)
    with pytest.raises(SettingsError, match="Update Likewise on this machine"):
        read(message | {"version": 3})
    with pytest.raises(MessageRefusedError, match="Update Likewise on every machine"):
        read({name: value for name, value in message.items() if name != "version"})


def test_sparse_vectors_travel_without_their_zeros() -> None:
    sparse = np.zeros((1, 1871), np.float32)
    sparse[0, [0, 7, 1870]] = 0.25, -1e-30, np.pi
    vectors = {"concepts": sparse, "nothing": np.zeros((1, 1871), np.float32), "silent": np.zeros((1, 256), np.float32)}
    message = sent(vectors_to_json(vectors))
    assert len(json.dumps(message["concepts"])) < 100
    assert message["silent"].keys() == {"shape", "data"}, "that would save too little"
    for name, vector in vectors_from_json(message).items():
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, vectors[name])
    dense = {"shape": [1, 1871], "data": base64.b64encode(sparse.tobytes()).decode()}
    np.testing.assert_array_equal(vectors_from_json({"concepts": dense})["concepts"], sparse)


def test_many_rows_may_be_sparse_too() -> None:
    rows = np.zeros((40, 100), np.float32)
    rows[3, 99], rows[39, 0] = 1, 2
    message = sent(vectors_to_json({"rows": rows}))
    assert "at" in message["rows"]
    np.testing.assert_array_equal(vectors_from_json(message)["rows"], rows)


def test_a_root_travels_once() -> None:
    root = "/a/long/folder/that/many/files/share"
    batch = Batch("b1", "j1", Kind.IMAGE, tuple(file(f"{root}/{number}.jpg", root) for number in range(50)))
    text = json.dumps(order_to_json(BatchOrder(batch, ModelChoice("i", "v"), "store")))
    assert text.count(root) == 1


def test_a_report() -> None:
    again = report_from_json(sent(report_to_json(REPORT)))
    assert (again.batch, again.outcomes, again.stages) == (REPORT.batch, REPORT.outcomes, REPORT.stages)
    (delivery,) = again.deliveries
    assert delivery.collection == "videos"
    assert MediaRecord.from_payload(delivery.point.payload) == RECORD
    for space, vector in VECTORS.items():
        assert delivery.point.vectors[space].dtype == np.float32
        np.testing.assert_array_equal(delivery.point.vectors[space], vector)


def test_a_probe() -> None:
    again = probe_from_json(sent(probe_to_json(PROBE)))
    np.testing.assert_array_equal(again.vectors["visual"], PROBE.vectors["visual"])
    assert probe_to_json(again) == probe_to_json(PROBE)
    assert (again.moments, again.features) == (PROBE.moments, PROBE.features)


def test_a_probe_of_a_picture_takes_along_what_tells_edits_from_other_shots() -> None:
    shot = Shot(600, 400, "2024-05-06T10:20:30", "Acme A1", 0.01, 100.0, "ab" * 32, b"RIFF\x00\xff")
    probe = Probe(Kind.IMAGE, {}, {}, shot=shot)
    assert probe_from_json(sent(probe_to_json(probe))).shot == shot
    message = sent(probe_to_json(probe))
    assert probe_from_json({**message, "shot": {**message["shot"], "later": 1}}).shot == shot
    del message["shot"]
    assert probe_from_json(message).shot is None


@pytest.mark.parametrize("error", [CorruptMediaError("It is broken.", "Mend it."), StoreUnavailableError("Away.")])
def test_an_error(error: LikewiseError) -> None:
    again = error_of(**sent(error_to_json(error))["error"])
    assert (type(again), again.message, again.hint) == (type(error), error.message, error.hint)


def test_an_error_of_a_newer_version_is_still_an_error() -> None:
    assert type(error_of("not_known_here", "What happened.")) is LikewiseError
