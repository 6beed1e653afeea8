"""The data directory belongs to one account: its permissions, and the token in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ingest.home import TOKEN_FILE, make_home, own_token
from search.settings import Settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Permissions as most accounts have them."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A data directory as the version before left it."""
    home = tmp_path / "home"
    (home / "previews" / "ab").mkdir(parents=True)
    for name in ("ledger.sqlite", "server.json", "previews/ab/x.webp"):
        (home / name).write_text("x")
    return home


def test_a_new_one_is_its_accounts_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_home(Settings(home=home))
    own_token(home)
    (home / "made later").write_text("x")
    assert mode(home) == 0o700
    assert {mode(path) for path in home.iterdir()} == {0o600}


def test_one_of_the_version_before_becomes_so(before: Path) -> None:
    assert mode(before) == 0o755
    make_home(Settings(home=before))
    assert mode(before) == mode(before / "previews") == 0o700
    assert mode(before / "ledger.sqlite") == mode(before / "server.json") == 0o600


def test_no_permission_is_added(before: Path) -> None:
    (before / "ledger.sqlite").chmod(0o400)
    make_home(Settings(home=before))
    assert mode(before / "ledger.sqlite") == 0o400


@pytest.mark.parametrize("shared", ["", "previews"])
def test_workers_of_other_accounts_still_reach_the_shared_place_in_it(before: Path, shared: str) -> None:
    make_home(Settings(home=before, shared=str(before / shared)))
    assert mode(before) == mode(before / "previews") == 0o755
    assert mode(before / "ledger.sqlite") == 0o600


def test_what_cannot_be_changed_is_told(
    before: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    make_home(Settings(home=before))
    assert f"Other accounts may be able to read '{before}'" in caplog.text


def test_a_link_out_of_it_is_left_alone(before: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (before / "link").symlink_to(tmp_path / "elsewhere")
    make_home(Settings(home=before))
    assert mode(tmp_path / "elsewhere") == 0o644


def test_the_token_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({*pool.map(own_token, [tmp_path] * 16)}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [TOKEN_FILE]
    assert len(own_token(tmp_path)) >= 43


def test_a_token_file_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / TOKEN_FILE).write_text("")
    token = own_token(tmp_path)
    assert len(token) >= 43
    assert (tmp_path / TOKEN_FILE).read_text().strip() == token
    assert mode(tmp_path / TOKEN_FILE) == 0o600
