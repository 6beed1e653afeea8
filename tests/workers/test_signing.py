"""Messages are taken from whoever has the key, for what they were meant for, and as long as they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from search.errors import MessageRefusedError, SettingsError
from search.settings import Settings, load_settings
from workers.cluster.app import make_app
from workers.cluster.signing import KEY_FILE, MessageExpiredError, Seals, cluster_key, is_on_this_machine

SEALS = Seals(b"k" * 64)
KEY = "0123456789abcdef" * 4


def test_a_message_is_read_as_it_was_sealed() -> None:
    text = '{"ä": "\ud800"}'
    assert SEALS.open(SEALS.seal(text, "order", "task", "queue", seconds=60), "order", "task", "queue") == text


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: {**sealed, "content": "[2]"},
        lambda sealed: {**sealed, "until": 0},
        lambda sealed: {**sealed, "until": sealed["until"] + 0.5},
        lambda sealed: {**sealed, "until": True},
        lambda sealed: {**sealed, "version": 1},
        lambda sealed: {**sealed, "signature": "0" * 64},
        lambda sealed: {**sealed, "signature": "ä"},
        lambda sealed: {**sealed, "signature": None},
        lambda sealed: {**sealed, "content": ["[1]"]},
        lambda sealed: sealed["content"],
        lambda sealed: Seals(b"another key").seal("[1]", "order", "task", "queue"),
        lambda sealed: SEALS.seal("[1]", "result", "task", "queue"),
        lambda sealed: SEALS.seal("[1]", "order", "other", "queue"),
        lambda sealed: SEALS.seal("[1]", "order", "taskq", "ueue"),
        lambda sealed: SEALS.seal("[1]", "order", "task"),
    ],
)
def test_what_was_changed_or_meant_for_something_else_is_refused(change: Callable[[Mapping[str, Any]], object]) -> None:
    sealed = SEALS.seal("[1]", "order", "task", "queue", seconds=60)
    with pytest.raises(MessageRefusedError):
        SEALS.open(change(sealed), "order", "task", "queue")


def test_what_holds_no_longer_is_refused() -> None:
    with pytest.raises(MessageExpiredError, match="clocks"):
        SEALS.open(SEALS.seal("[1]", "kept", "name", seconds=-0.01), "kept", "name")


def test_what_an_older_version_wrote_is_refused_with_what_to_do() -> None:
    with pytest.raises(MessageRefusedError, match="Update Likewise on every machine"):
        SEALS.open({"version": 1, "batch": "b1", "outcomes": []}, "result", "task")


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("redis://127.0.0.1:6379/0", True),
        ("redis://:secret@localhost:6379/0", True),
        ("redis://[::1]:6379/0", True),
        ("redis+socket:///run/redis.sock", True),
        ("redis://redis:6379/0", False),
        ("redis://0.0.0.0:6379/0", False),
        ("redis://127.0.0.1:6379/0;redis://redis:6379/0", False),
        ("rediss://127.0.0.1.example.org:6379/0", False),
    ],
)
def test_a_broker_elsewhere_needs_a_key(make_settings: Callable[..., Settings], address: str, here: bool) -> None:
    assert is_on_this_machine(address) is here
    settings = make_settings(broker_url=address)
    if here:
        assert len(cluster_key(settings)) == 64
        return
    with pytest.raises(SettingsError, match=r"token_hex\(32\).*LIKEWISE_CLUSTER_KEY_FILE"):
        make_app(settings)
    assert not settings.home.exists()
    assert cluster_key(make_settings(broker_url=address, cluster_key=KEY)) == KEY.encode()


def test_one_key_is_made_for_all_processes_of_a_machine(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(broker_url="redis://127.0.0.1:1/0")
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: cluster_key(settings), range(16)))
    assert len(keys) == 1
    kept = settings.home / KEY_FILE
    assert kept.stat().st_mode & 0o777 == 0o600
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in settings.home.iterdir()] == [KEY_FILE]
    kept.write_text("short\n")
    with pytest.raises(SettingsError, match="holds no key"):
        cluster_key(settings)


def test_a_key_that_can_be_guessed_is_refused_and_not_shown(tmp_path: Any) -> None:
    with pytest.raises(SettingsError, match="fewer than 32 characters") as caught:
        load_settings(environ={"LIKEWISE_CLUSTER_KEY": "opensesame"})
    assert "opensesame" not in str(caught.value)
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = load_settings(environ={"LIKEWISE_CLUSTER_KEY_FILE": str(tmp_path / "key")})
    assert settings.cluster_key is not None
    assert settings.cluster_key.get_secret_value() == KEY
    assert KEY not in repr(settings)
