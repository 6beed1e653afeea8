"""A store is moved from one kind to the other and back; what is in the way is said before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from qdrant_client import QdrantClient

from ingest.jobs.service import JobProgress, JobState
from ingest.maintenance import migrate
from ingest.maintenance.backup.completeness import check_complete
from ingest.maintenance.migrate import settings_after, target_settings
from search.errors import StoreError, StoreLockedError, UsageError
from search.settings import Settings
from search.store.base import Store
from search.store.server.store import ServerStore


class Kept(ServerStore):
    """A server that is still there when whoever asked it has gone."""

    def close(self) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """What every address of a Qdrant server leads to."""
    kept = Kept(QdrantClient(":memory:"))
    really = migrate.open_store

    def opened(settings: Settings) -> Store:
        return kept if settings.store == "server" else really(settings)

    monkeypatch.setattr(migrate, "open_store", opened)
    return kept


def move(desk: Any, to: str) -> JobProgress:
    progress: JobProgress = desk.ingest.run(desk.begin("migrate", to))
    assert progress.state is JobState.DONE, progress.message
    assert progress.done == progress.total == 2 * 470
    return progress


def test_to_a_server_and_back(
    make_desk: Callable[..., Any], moving: ModuleType, server: Kept, make_settings: Callable[..., Settings]
) -> None:
    desk = make_desk("home", "edge")
    desk.fill()
    before = desk.rows(), desk.files()
    told = move(desk, "http://qdrant:6333").message
    assert "470 records are there, each compared" in told
    assert "LIKEWISE_STORE=server, LIKEWISE_QDRANT_URL=http://qdrant:6333" in told
    assert (desk.rows(), desk.files()) == before
    moving.check_same_points(desk.store, server)

    settings = make_settings(home=desk.settings.home, store="server", qdrant_url="http://qdrant:6333")
    there = moving.Desk(settings, server)
    back = desk.settings.home.with_name("back")
    told = move(there, f"edge:{back}").message
    assert f"LIKEWISE_STORE=edge, LIKEWISE_HOME={back}" in told
    returned = make_desk("back", "edge")
    moving.check_same_points(desk.store, returned.store)
    with pytest.raises(UsageError, match="did not come from here"):
        desk.ingest.start_task("migrate", {"to": "http://qdrant:6333"})
    there.ledger.close()


def test_cancelled_and_gone_on_with(make_desk: Callable[..., Any], moving: ModuleType, server: Kept) -> None:
    desk = make_desk("home", "edge")
    desk.fill()
    job = desk.begin("migrate", "http://qdrant:6333")
    sent: list[int] = []
    upsert = server.upsert

    def counted(collection: str, points: Any) -> None:
        upsert(collection, points)
        sent.append(len(points))
        if len(sent) == 20:
            desk.ingest.cancel(job)

    server.upsert = counted  # type: ignore[method-assign]
    assert desk.ingest.run(job).state is JobState.CANCELLED
    assert sum(sent) < 470
    with pytest.raises(StoreError, match="A migration to this store was cut off"):
        check_complete(server, desk.ledger)
    move(desk, "http://qdrant:6333")
    moving.check_same_points(desk.store, server)
    check_complete(server, desk.ledger)


def test_cancelled_while_the_library_is_brought_up_to_date_nothing_is_copied(
    make_desk: Callable[..., Any], server: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk("home", "edge")
    desk.fill()
    job = desk.begin("migrate", "http://qdrant:6333")

    def cancelled(*_: Any, goes_on: Callable[[], bool]) -> None:
        desk.ingest.cancel(job)
        assert not goes_on()

    monkeypatch.setattr(migrate, "bring_up_to_date", cancelled)
    ended = desk.ingest.run(job)
    assert (ended.state, ended.message) == (JobState.CANCELLED, migrate.KEPT)
    assert server.collections() == {}


@pytest.mark.parametrize(
    ("to", "complaint"),
    [
        ("qdrant:6333", "names no store"),
        ("ftp://qdrant", "names no store"),
        ("http://[::1", "names no store"),
        ("http://127.0.0.1:99999", "names no store"),
        ("edge:/proc/nowhere", "cannot be opened"),
        ("edge:relative", "not an absolute path"),
        ("edge", "the store in use"),
        ("http://me:secret@qdrant:6333", "holds a password"),
    ],
)
def test_addresses(make_desk: Callable[..., Any], to: str, complaint: str) -> None:
    desk = make_desk("home", "edge")
    with pytest.raises(UsageError, match=complaint):
        desk.ingest.start_task("migrate", {"to": to})
    assert desk.ingest.jobs() == []


def test_a_data_directory_in_use_is_no_target(make_desk: Callable[..., Any]) -> None:
    desk, other = make_desk("home", "edge"), make_desk("other", "edge")
    with pytest.raises(StoreLockedError):
        desk.ingest.start_task("migrate", {"to": f"edge:{other.settings.home}"})


def test_a_key_goes_to_no_other_server(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(qdrant_api_key="secret", qdrant_url="http://one:6333/")
    assert target_settings(settings, "http://one:6333").qdrant_api_key == settings.qdrant_api_key
    assert target_settings(settings, "http://two:6333").qdrant_api_key is None
    cluster = make_settings(qdrant_api_key="secret", qdrant_url="http://one:6333, http://two:6333")
    assert target_settings(cluster, "http://two:6333/").qdrant_api_key == cluster.qdrant_api_key
    assert target_settings(cluster, "http://two:6333,http://three:6333").qdrant_api_key is None
    one_port = make_settings(qdrant_grpc="7000", qdrant_url="http://one:6333, http://two:6333")
    assert target_settings(one_port, "http://two:6333").qdrant_grpc == "7000"
    assert target_settings(one_port, "http://three:6333").qdrant_grpc == "off"
    a_port_each = one_port.model_copy(update={"qdrant_grpc": "7000,7001"})
    assert target_settings(a_port_each, "http://two:6333").qdrant_grpc == "off"
    unnamed = make_settings(qdrant_api_key="secret")
    assert target_settings(unnamed, "http://two:6333").qdrant_api_key == unnamed.qdrant_api_key


def test_settings_afterwards(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings(store="server", qdrant_url="http://one:6333", database_url="postgresql://u:p@db/x")
    assert settings_after(settings, "edge") == {"LIKEWISE_STORE": "edge"}
    assert settings_after(settings, "edge:/there") == {
        "LIKEWISE_STORE": "edge",
        "LIKEWISE_HOME": "/there",
        "LIKEWISE_SHARED": str(tmp_path / "home"),
    }
    assert settings_after(settings, "https://two:6333") == {
        "LIKEWISE_STORE": "server",
        "LIKEWISE_QDRANT_URL": "https://two:6333",
    }
    plain = Settings(home=tmp_path / "home", store="server", qdrant_url="http://one:6333")
    assert settings_after(plain, "edge:/there")["LIKEWISE_DATABASE_URL"] == plain.ledger_url
