"""The job that learns likeness from labelled folders; what embeds is stood in for."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from ingest.jobs.kinds import CalibrateOptions, JobKind
from ingest.jobs.progress import JobState
from ingest.jobs.service import JobService
from ingest.ledger.database import Ledger
from ingest.maintenance.calibrate import Calibrate, make_provisional
from ingest.scan.allowed import AllowedFolders
from search.errors import CorruptMediaError, NotFoundError, UsageError
from search.likeness.curves import METADATA_KEY, curves_of
from search.media import Kind, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import LOGMEL
from search.similar.questions import Probe
from search.spaces import Space
from search.store.base import Point
from search.store.server.store import ServerStore
from workers.embedders.sound.standardise import standardise

DIM = 8
SPACE = Space("visual", "fake", "1", "bytes", DIM)
"""As in ``fakes``."""


class FakeEncoder:
    """Embeds a file near a direction of its label, which is the first word in it; ``broken`` ones not at all."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def probe(self, path: str, name: str = "") -> Probe:
        self.asked.append(path)
        content = Path(path).read_bytes()
        if content.startswith(b"broken"):
            raise CorruptMediaError(f"'{path}' is broken.")
        label = content.split()[0]
        rng = np.random.default_rng(list(content))
        row = np.random.default_rng(list(label)).normal(size=DIM) + 0.4 * rng.normal(size=DIM)
        vectors = {"visual": (row / np.linalg.norm(row)).astype(np.float32)[None]}
        return Probe(Kind.IMAGE, vectors, {"visual": SPACE.fingerprint})


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def ingest(desk: Any, encoder: FakeEncoder) -> JobService:
    """Of a library with one picture."""
    desk.ingest.halt()
    tasks = {JobKind.CALIBRATE: Calibrate(desk.store, lambda: encoder, AllowedFolders(desk.settings, desk.ledger))}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0,))
    desk.write("0.jpg", "picture")
    desk.run()
    made: JobService = desk.ingest
    return made


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    folder = tmp_path / "labelled"
    for label in ("cat", "dog", "owl"):
        (folder / label).mkdir(parents=True)
        for at in range(8):
            (folder / label / f"{at}.jpg").write_text(f"{label} {at}")
    return folder


def options(*folders: Path) -> dict[str, str]:
    return {"folders": json.dumps([str(folder) for folder in folders])}


def test_curves_are_learnt_and_used_from_then_on(ingest: JobService, desk: Any, labelled: Path) -> None:
    (labelled / "cat" / "bad.jpg").write_text("broken")

    done = ingest.run(ingest.start_task(JobKind.CALIBRATE, options(labelled)))

    assert (done.state, done.embedded, done.failed) == (JobState.DONE_WITH_FAILURES, 24, 1)
    assert "visual: " in done.message
    assert "pairs of image and image" in done.message
    curve = curves_of(desk.store).curve(SPACE, Kind.IMAGE, Kind.IMAGE)
    assert (curve.items, curve.provisional) == (24, False)
    assert curve.likeness(0.95) > 0.9 > 0.2 > curve.likeness(0.0)
    assert METADATA_KEY in desk.store.metadata("images")
    assert desk.store.count("images") == 1  # nothing was stored


class Live:
    """As much of a ``TaskRun`` as is asked."""

    def __init__(self, goes_on: bool) -> None:
        self._goes_on = goes_on

    def goes_on(self) -> bool:
        return self._goes_on

    def begin(self, total: int) -> None: ...

    def count(self, **_: int) -> None: ...


def test_sounds_of_an_older_version_are_standardised_anew_before_they_teach(
    make_settings: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (np.random.default_rng(4).normal(size=(1, LOGMEL.dim)) * 2 - 4).astype(np.float32)
    path = tmp_path / "labelled" / "rain" / "0.wav"
    path.parent.mkdir(parents=True)
    path.write_text("rain")
    id_ = media_id(hashlib.sha256(b"rain").hexdigest())
    with closing(ServerStore(QdrantClient(":memory:"))) as store:
        store.ensure(schemas_of(ModelChoice("efficientnet_lite0", "r3d18", "logmel"))[-1])
        own = raw / np.linalg.norm(raw)
        store.upsert("audio", [Point(id_, {"sound_raw": raw, "sound": own}, {"id": id_, "kind": "audio"})])
        taught: list[Any] = []
        monkeypatch.setattr("ingest.maintenance.calibrate.learn", lambda media, provisional: taught.extend(media))
        allowed = AllowedFolders(make_settings(), Ledger(f"sqlite:///{tmp_path}/ledger.sqlite"))
        task = Calibrate(store, lambda: pytest.fail("embedded"), allowed)

        assert task.run(CalibrateOptions((tmp_path / "labelled",)), Live(goes_on=False)) == "Nothing was changed."
        assert taught == []
        with pytest.raises(UsageError, match="40 pairs"):
            task.run(CalibrateOptions((tmp_path / "labelled",)), Live(goes_on=True))

    (sound,) = taught
    np.testing.assert_allclose(sound.rows, standardise(raw), atol=1e-6)


def test_what_is_in_the_library_is_not_embedded_again(
    ingest: JobService, desk: Any, labelled: Path, encoder: FakeEncoder
) -> None:
    (labelled / "cat" / "stored.jpg").write_text("picture")

    ingest.run(ingest.start_task(JobKind.CALIBRATE, options(labelled)))

    assert len(encoder.asked) == 24
    assert not any(path.endswith("stored.jpg") for path in encoder.asked)


def test_of_many_files_each_label_teaches_its_share(
    ingest: JobService, labelled: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.maintenance.calibrate.MOST_FILES", 12)

    done = ingest.run(ingest.start_task(JobKind.CALIBRATE, options(labelled)))

    assert done.embedded == 12
    assert Counter(Path(path).parent.name for path in encoder.asked) == {"cat": 4, "dog": 4, "owl": 4}


def test_a_job_obeys_the_list_of_the_moment_it_runs(
    ingest: JobService, desk: Any, labelled: Path, encoder: FakeEncoder
) -> None:
    narrowed = AllowedFolders(desk.settings.model_copy(update={"allowed_folders": ("/elsewhere",)}), desk.ledger)
    tasks = {JobKind.CALIBRATE: Calibrate(desk.store, lambda: encoder, narrowed)}
    service = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=())
    failed = service.run(service.start_task(JobKind.CALIBRATE, options(labelled)))
    assert failed.state is JobState.FAILED
    assert "LIKEWISE_ALLOWED_FOLDERS names /elsewhere" in failed.message
    assert encoder.asked == []


def test_what_teaches_nothing_fails_in_words_and_changes_nothing(ingest: JobService, desk: Any, tmp_path: Path) -> None:
    (tmp_path / "few" / "cat").mkdir(parents=True)
    (tmp_path / "few" / "cat" / "a.jpg").write_text("cat a")

    failed = ingest.run(ingest.start_task(JobKind.CALIBRATE, options(tmp_path / "few")))

    assert failed.state is JobState.FAILED
    assert "40 pairs" in failed.message
    assert METADATA_KEY not in desk.store.metadata("images")


@pytest.mark.parametrize("given", ["", "[]", "no json", '["relative"]', '{"a": 1}', "[1]"])
def test_options_that_name_no_folders_are_refused(ingest: JobService, given: str) -> None:
    with pytest.raises(UsageError, match="absolute paths"):
        ingest.start_task(JobKind.CALIBRATE, {"folders": given})


def test_a_folder_that_is_not_there_makes_no_job(ingest: JobService, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ingest.start_task(JobKind.CALIBRATE, options(tmp_path / "nowhere"))


def test_an_empty_library_has_no_models_to_calibrate(make_desk: Callable[..., Any], labelled: Path) -> None:
    made = make_desk()
    with pytest.raises(UsageError, match="Nothing has been ingested"):
        Calibrate(made.store, FakeEncoder, AllowedFolders(made.settings, made.ledger)).check(
            CalibrateOptions((labelled,))
        )


def test_a_model_without_curves_gets_provisional_ones_once(
    ingest: JobService, desk: Any, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, labelled: Path
) -> None:
    class Made:
        folder = labelled
        files = tuple(
            SampleLike(f"{label}/{at}.jpg", subjects=(label,)) for label in ("cat", "dog", "owl") for at in range(8)
        )

    monkeypatch.setattr("ingest.sample.library.make_sample_library", lambda _: Made)

    assert make_provisional(desk.store, lambda: encoder) == []  # no model of this version
    monkeypatch.setattr("ingest.maintenance.calibrate.find_model", lambda name: name == SPACE.model or None)
    assert make_provisional(desk.store, lambda: encoder, lambda: False) == []
    assert make_provisional(desk.store, lambda: encoder) == ["visual"]
    assert curves_of(desk.store).curve(SPACE, Kind.IMAGE, Kind.IMAGE).provisional
    assert curves_of(desk.store).curve(SPACE, Kind.IMAGE, Kind.IMAGE).pairs > 0
    assert make_provisional(desk.store, lambda: encoder) == []
    assert len(encoder.asked) == 24


class SampleLike:
    """As much of a ``SampleFile`` as is looked at."""

    broken = False
    copy_of = edit_of = sound = None

    def __init__(self, path: str, subjects: tuple[str, ...]) -> None:
        self.path, self.subjects = path, subjects
