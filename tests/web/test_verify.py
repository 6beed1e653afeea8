"""``likewise verify`` and what ``status`` and ``doctor`` say of damage, on a library that is damaged on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from ingest.node import Node
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.checksums import key_of
from web.checks.result import Health
from web.checks.run import run_checks
from web.cli import main


@pytest.fixture
def damaged(make_settings: Callable[..., Settings]) -> tuple[Settings, str]:
    """A data directory with a record whose vector is not what was written, and of which the ledger knows no file."""
    settings = make_settings()
    record = MediaRecord(media_id("a"), Kind.IMAGE, ("/pictures/a.jpg",))
    point = Point(record.id, {"visual": np.ones((1, 4), np.float32)}, record.to_payload())
    with Node.open(settings) as node:
        node.store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "fake", "1", "none", 4)),)))
        node.store.upsert("images", [point])
        node.store.patch_payload("images", {point.id: {key_of("visual"): "0" * 16}})
    return settings, point.id


def run(settings: Settings, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--home", str(settings.home)])
    return result.exit_code, result.stdout


def check(settings: Settings, name: str) -> Any:
    return next(each for each in run_checks(settings) if each.name == name)


def test_damage_is_listed_counted_by_status_and_a_failed_check(damaged: tuple[Settings, str]) -> None:
    settings, id_ = damaged
    assert check(settings, "stored data").health is Health.OK  # nobody has looked yet
    status, said = run(settings, "verify")
    assert status == 1
    assert f"{id_} /pictures/a.jpg: Visual is not what was written." in said
    assert "likewise verify --repair" in said
    status, said = run(settings, "verify", "--json")
    report = json.loads(said)
    assert (status, report["counts"]) == (1, {"no_file": 1, "vectors": 1})
    assert {found["id"] for found in report["findings"]} == {id_}
    assert "Damaged: 1 records were read back" in " ".join(run(settings, "status")[1].split())
    failed = check(settings, "stored data")
    assert (failed.health, "1 with damaged vectors" in failed.detail) == (Health.FAILED, True)
    assert "likewise verify" in failed.hint


@pytest.mark.parametrize("rate", ["0", "-1", "nan"])
def test_a_rate_that_makes_no_sense_is_refused(damaged: tuple[Settings, str], rate: str) -> None:
    assert run(damaged[0], "verify", "--rate", rate)[0] == 2


def test_a_ledger_whose_pages_are_damaged_fails_the_check_with_what_to_do(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    Node.open(settings).close()
    assert check(settings, "ledger").detail == "sqlite: opens, and is whole"
    path = settings.home / "ledger.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        rows = [{"old": f"{n:05} {'x' * 200}", "new": "y"} for n in range(1000)]
        connection.execute(text("INSERT INTO renames VALUES (:old, :new)"), rows)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 10_000)
    failed = check(settings, "ledger")
    assert failed.health is Health.FAILED
    assert "is damaged" in failed.detail
    assert "likewise restore" in failed.hint


def test_a_malformed_ledger_ends_a_command_with_words(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    Node.open(settings).close()
    for extra in ("-wal", "-shm"):
        Path(f"{settings.home / 'ledger.sqlite'}{extra}").unlink(missing_ok=True)
    (settings.home / "ledger.sqlite").write_bytes(b"holiday pictures" * 500)
    result = CliRunner().invoke(main, ["verify", "--home", str(settings.home)])
    assert result.exit_code == 3
    assert "which files were taken in" in result.stderr
    assert "Traceback" not in result.stderr
