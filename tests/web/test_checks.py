"""What ``likewise doctor`` finds out about a cluster, and what it says to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from search.settings import Settings
from web.checks import Check, Health, run_checks


def find(settings: Settings, name: str) -> Check:
    """The check of that name; those behind it are not made."""
    return next(check for check in run_checks(settings) if check.name == name)


def test_a_machine_by_itself_needs_neither_broker_nor_workers(make_settings: Callable[..., Settings]) -> None:
    for name in ("broker", "workers", "shared place"):
        assert find(make_settings(), name).health is Health.OK


def test_a_broker_that_is_away_fails_with_what_to_do(make_settings: Callable[..., Settings], broker: Any) -> None:
    settings = make_settings(broker_url=broker.url)
    broker.stop()
    check = find(settings, "broker")
    assert check.health is Health.FAILED
    assert "LIKEWISE_BROKER_URL" in check.hint
    assert find(settings, "workers").health is Health.WARNING


def test_nobody_listening_is_told_with_what_to_start(make_settings: Callable[..., Settings], broker: Any) -> None:
    settings = make_settings(broker_url=broker.url)
    assert find(settings, "broker").health is Health.OK
    check = find(settings, "workers")
    assert check.health is Health.WARNING
    assert "likewise worker" in check.hint


@pytest.mark.slow
def test_queues_that_nobody_serves_are_named(
    make_settings: Callable[..., Settings], broker: Any, start_worker: Callable[..., Any]
) -> None:
    settings = make_settings(broker_url=broker.url)
    start_worker(settings, "--queues", "query,embed.images")
    check = find(settings, "workers")
    assert check.health is Health.WARNING
    assert "embed.videos, embed.audio, train" in check.detail
    assert "--queues embed.videos,embed.audio,train" in check.hint


def test_a_place_that_workers_may_not_reach_is_warned_of(
    make_settings: Callable[..., Settings], broker: Any, tmp_path: Any
) -> None:
    assert find(make_settings(broker_url=broker.url), "shared place").health is Health.WARNING
    settings = make_settings(broker_url=broker.url, shared=str(tmp_path / "shared"))
    assert find(settings, "shared place").health is Health.OK


def test_the_broker_is_named_without_its_password(make_settings: Callable[..., Settings], broker: Any) -> None:
    settings = make_settings(broker_url=broker.url.replace("redis://", "redis://:opensesame@"))
    assert "opensesame" not in str(find(settings, "broker"))
