from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.jobs.progress import JobState
from ingest.jobs.service import JobService
from ingest.ledger.tables import planned
from ingest.node import Node
from search.errors import DiskFullError, SettingsError, SpaceMismatchError, StoreError, StoreLockedError
from search.media import PAYLOAD_REVISION, Kind
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from web.app import create_app
from workers.batch.records import REVISION_KEY
from workers.batch.report import Priority


@pytest.fixture
def node(make_settings: Callable[..., Settings], quick_models: Any) -> Iterator[Node]:
    with Node.open(make_settings()) as opened:
        yield opened


def _own(node: Node) -> dict[str, str]:
    return {"Authorization": f"Bearer {node.token}"}


def finished(node: Node, job: str) -> JobState:
    node.wait_until_idle()
    return node.ingest.progress(job).state


def test_a_job_runs_in_the_background_and_fills_the_store(node: Node, make_media: Callable[..., Path]) -> None:
    job = node.start_ingest([make_media()])
    assert finished(node, job) is JobState.DONE
    assert node.store.count("images") == 9
    assert node.ingest.progress(job).embedded == 9


def test_jobs_take_turns(node: Node, make_media: Callable[..., Path]) -> None:
    first = node.start_ingest([make_media("a", colours=("red",))])
    second = node.start_ingest([make_media("b", colours=("navy",))])
    assert finished(node, second) is JobState.DONE
    assert node.ingest.progress(first).state is JobState.DONE
    assert node.store.count("images") == 6


def test_models_are_chosen_when_first_needed_and_their_notes_told(node: Node) -> None:
    assert node.notes == ()
    assert node.store.collections() == {}
    node.prepare()
    assert node.notes == ("Quick models are in use.",)
    assert set(node.store.collections()) == {"images", "videos", "audio"}


def test_a_rescan_that_finds_nothing_new_loads_no_model(
    make_settings: Callable[..., Settings],
    make_media: Callable[..., Path],
    quick_models: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    media = make_media()
    with Node.open(make_settings()) as node:
        node.start_ingest([media])
        node.wait_until_idle()

    def refuse(*_: object) -> None:
        raise AssertionError("a model was made")

    monkeypatch.setattr("workers.embedders.models.Models", refuse)
    with Node.open(make_settings()) as node:
        job = node.start_ingest([media])
        assert finished(node, job) is JobState.DONE
        assert node.ingest.progress(job).unchanged == 9


def test_a_stopped_node_leaves_its_job_to_the_next(
    make_settings: Callable[..., Settings], make_media: Callable[..., Path], quick_models: Any
) -> None:
    embedding, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        embedding.set()
        assert go_on.wait(60)

    quick_models.before_embedding = wait
    settings = make_settings(batch_size=2)
    node = Node.open(settings)
    job = node.start_ingest([make_media(each=100, colours=("red",))])
    assert embedding.wait(60)
    closing = threading.Thread(target=node.close)
    closing.start()
    while not node.closing.is_set():
        pass
    go_on.set()
    closing.join(60)
    with Node.open(settings) as again:
        left = again.ingest.progress(job)
        assert left.state is JobState.QUEUED
        assert 0 < left.embedded < 100
        assert again.resume_unfinished() == [job]
        assert finished(again, job) is JobState.DONE
        assert again.store.count("images") == 100


def test_a_new_run_replaces_what_a_killed_one_left(node: Node, make_media: Callable[..., Path]) -> None:
    media = make_media()
    left_behind = node.ingest.start([media])  # registered, but nothing runs it: as if its process had been killed
    with node.ledger.write() as connection:
        plan = {"job": int(left_behind), "action": "read", "path": "/a", "folder": "/", "library": 1}
        connection.execute(planned.insert().values(plan | {"size": 1, "mtime_ns": 1, "kind": "image"}))
    other = node.ingest.start([make_media("other")])
    job = node.start_ingest([media])
    assert finished(node, job) is JobState.DONE
    assert node.ingest.progress(left_behind).state is JobState.CANCELLED
    assert node.ingest.progress(other).state is JobState.QUEUED
    with node.ledger.read() as connection:
        assert connection.execute(planned.select()).all() == []


def test_resuming_runs_a_job_that_was_left_behind(node: Node, make_media: Callable[..., Path]) -> None:
    job = node.ingest.start([make_media()])
    answer = create_app(node).test_client().post(f"/api/v1/jobs/{job}/resume", headers=_own(node))
    assert answer.status_code == 200
    assert finished(node, job) is JobState.DONE


def test_work_that_breaks_does_not_stop_the_next(
    node: Node, make_media: Callable[..., Path], quick_models: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down() -> None:
        raise StoreError("the store broke")

    quick_models.before_embedding = break_down
    broken = node.start_ingest([make_media("a", colours=("red",))])
    assert finished(node, broken) in {JobState.FAILED, JobState.DONE_WITH_FAILURES}
    quick_models.before_embedding = lambda: None
    assert finished(node, node.start_ingest([make_media("b", colours=("navy",))])) is JobState.DONE


def test_two_nodes_cannot_share_a_data_directory(node: Node) -> None:
    with pytest.raises(StoreLockedError, match="in use by process"):
        Node.open(node.settings)


def test_a_data_directory_that_cannot_be_made(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made"):
        Node.open(make_settings(home=tmp_path / "file" / "home"))


def test_a_data_directory_that_may_not_be_written(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ingest.home.os.access", lambda path, mode: False
    )  # whoever runs this may be allowed everything
    with pytest.raises(StoreError, match="may not be read and written"):
        Node.open(make_settings())


def test_a_disk_without_room_for_one_page_is_not_worked_on(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.home.LEAST_FREE", 1 << 60)
    with pytest.raises(DiskFullError, match="is full"):
        Node.open(make_settings())


def test_a_ledger_that_cannot_be_opened_lets_go_of_the_store(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError):
        Node.open(make_settings(database_url="nonsense"))
    Node.open(make_settings()).close()


def test_a_collection_of_another_model_is_refused(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(image_model="resnet18")
    store = open_store(settings)
    other = Space("visual", "efficientnet_lite0", "x", "y", 1280)
    store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(other),)))
    store.close()
    with Node.open(settings) as node, pytest.raises(SpaceMismatchError, match=r"resnet18.*efficientnet_lite0"):
        node.prepare()


def test_a_node_that_stays_takes_up_what_lost_its_coordinator(
    node: Node, make_media: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.node.WATCH_SECONDS", 0.05)
    node.watch_jobs()
    other = JobService(node.settings, node.store, node.ledger, node.ingest._runner)  # another process's
    job = other.start([make_media()])
    other.halt()  # it ends, and lets go of its lease
    deadline = time.monotonic() + 60
    while not node.ingest.progress(job).finished:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert node.store.count("images") == 9


def test_a_job_of_a_living_coordinator_is_left_alone(node: Node, make_media: Callable[..., Path]) -> None:
    other = JobService(node.settings, node.store, node.ledger, node.ingest._runner)
    job = other.start([make_media()])
    assert node.resume_unfinished() == []
    assert other.run(job).state is JobState.DONE


def test_of_jobs_that_wait_the_more_urgent_comes_first(
    node: Node, make_media: Callable[..., Path], quick_models: Any
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def wait() -> None:
        reached.set()
        assert go_on.wait(60)

    quick_models.before_embedding = wait
    node.start_ingest([make_media("now", colours=("red",))])
    assert reached.wait(60)
    jobs = {
        priority: node.start_ingest([make_media(priority, colours=(colour,))], priority=priority)
        for priority, colour in ((Priority.LOW, "navy"), (Priority.NORMAL, "gold"), (Priority.HIGH, "pink"))
    }

    def note() -> None:
        order.extend(job for job in jobs.values() if job not in order and node.ingest.progress(job).state == "running")

    quick_models.before_embedding = note
    go_on.set()
    node.wait_until_idle()
    assert order == [jobs[Priority.HIGH], jobs[Priority.NORMAL], jobs[Priority.LOW]]


def test_credits_given_by_hand_are_seen_at_once_though_the_numbers_stay(node: Node, media: Path) -> None:
    node.run_job(node.ingest.start([media]))
    ids = sorted(point.id for point in node.store.scroll("images", payload=False))[:2]
    for one, other in (("Ada", "Bo"), ("Bo", "Ada")):
        for id_, name in zip(ids, (one, other), strict=True):
            node.desk.credit({id_: name})
        found = {photo.id: name for name in ("Ada", "Bo") for photo in node.photographers.show(name).samples}
        assert found == dict(zip(ids, (one, other), strict=True))


@pytest.mark.parametrize(
    ("shared", "has_broker", "learnt_in"),
    [
        (None, False, ["home/scratch"]),
        ("nas", True, ["nas/scratch"]),
        ("s3://bucket/shared", False, [None]),
        ("s3://bucket/shared", True, []),
    ],
)
def test_likeness_is_learnt_from_files_where_whoever_embeds_can_read_them(
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shared: str | None,
    has_broker: bool,
    learnt_in: list[str | None],
) -> None:
    given: list[Path | None] = []
    monkeypatch.setattr("ingest.node.make_provisional", lambda store, encoder, goes_on, scratch: given.append(scratch))
    address = str(tmp_path / shared) if shared == "nas" else shared
    with Node.open(make_settings()) as node:
        node.settings = make_settings(shared=address)
        node.broker = object() if has_broker else None  # type: ignore[assignment]
        node.make_likeness_curves()
    assert given == [None if folder is None else tmp_path / folder for folder in learnt_in]


def test_payloads_of_an_older_version_are_renewed_by_a_node_that_stays(
    make_settings: Callable[..., Settings],
    make_media: Callable[..., Path],
    quick_models: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Node.open(make_settings()) as node:
        assert finished(node, node.start_ingest([make_media(each=1)])) is JobState.DONE
        before = {point.id: point.payload for point in node.store.scroll("images")}
        older = dict.fromkeys(("sort_time", "sort_name", "added"))
        node.store.patch_payload("images", dict.fromkeys(before, older))
        node.store.set_metadata("images", {REVISION_KEY: None})
    with Node.open(make_settings()) as node:
        listed: list[int] = []
        monkeypatch.setattr(node.photographers, "list", lambda: listed.append(1))
        node.watch_jobs()
        node.wait_until_idle()
        assert listed, "no page waits for the list of photographers"
        after = {point.id: point.payload for point in node.store.scroll("images")}
        assert node.store.metadata("images")[REVISION_KEY] == PAYLOAD_REVISION
        (job,) = node.ingest.jobs()
    assert len(after) == 3
    for id_, payload in after.items():
        assert payload | {"added": 0} == before[id_] | {"added": 0}
        assert payload["added"] == pytest.approx(job.created, abs=1e-3)
