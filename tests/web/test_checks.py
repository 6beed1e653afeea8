"""What ``likewise doctor`` finds out about a cluster, and what it says to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from search.settings import Settings
from web.checks.models import sound, text
from web.checks.result import Check, Health
from web.checks.run import run_checks


def find(settings: Settings, name: str) -> Check:
    """The check of that name; those behind it are not made."""
    return next(check for check in run_checks(settings) if check.name == name)


def test_a_machine_by_itself_needs_neither_broker_nor_workers(make_settings: Callable[..., Settings]) -> None:
    for name in ("broker", "workers", "shared place"):
        assert find(make_settings(), name).health is Health.OK


def test_what_decoders_cannot_do_is_told(make_settings: Callable[..., Settings]) -> None:
    check = find(make_settings(decoder_sandbox="off"), "decoder sandbox")
    assert check.health is Health.WARNING
    assert check.hint == "Set LIKEWISE_DECODER_SANDBOX=auto."
    check = find(make_settings(), "decoder sandbox")
    assert "a filter of system calls" in check.detail
    assert (check.health is Health.OK) == ("Landlock (ABI" in check.detail)


def test_a_broker_that_is_away_fails_with_what_to_do(make_settings: Callable[..., Settings], broker: Any) -> None:
    settings = make_settings(broker_url=broker.url)
    broker.stop()
    check = find(settings, "broker")
    assert check.health is Health.FAILED
    assert "LIKEWISE_BROKER_URL" in check.hint
    assert find(settings, "workers").health is Health.WARNING


def test_a_cluster_without_a_key_is_told_how_to_make_one(make_settings: Callable[..., Settings]) -> None:
    for name in ("broker", "workers"):
        check = find(make_settings(broker_url="redis://elsewhere:6379/0"), name)
        assert check.health is Health.FAILED
        assert "token_hex" in check.hint


def test_nobody_listening_is_told_with_what_to_start(make_settings: Callable[..., Settings], broker: Any) -> None:
    settings = make_settings(broker_url=broker.url)
    assert find(settings, "broker").health is Health.OK
    check = find(settings, "workers")
    assert check.health is Health.WARNING
    assert "likewise worker" in check.hint


@pytest.mark.models
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


def test_a_model_of_words_that_nobody_wants_is_offered(make_settings: Callable[..., Settings]) -> None:
    check = find(make_settings(), "model of words")
    assert check.health is Health.OK
    assert "LIKEWISE_TEXT_MODEL=open_clip switches it on" in check.detail


def test_what_a_model_of_words_lacks_is_told_with_what_to_do(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    alone, worker = (
        make_settings(text_model="open_clip", **cluster) for cluster in ({}, {"broker_url": "redis://127.0.0.1:1/0"})
    )
    check = text(alone)
    assert check.health is Health.FAILED
    assert "neither in the cache nor to be downloaded" in check.detail
    assert "hf download laion/CLIP-ViT-B-32" in check.hint
    assert str(tmp_path) in check.hint
    assert text(worker).health is Health.WARNING
    monkeypatch.setattr("workers.embedders.hub.is_reachable", lambda model: True)
    assert "will be downloaded" in text(alone).detail
    monkeypatch.setattr("workers.embedders.hub.cached_path", lambda model: tmp_path / "weights")
    assert (text(alone).health, str(tmp_path / "weights") in text(alone).detail) == (Health.OK, True)
    monkeypatch.setattr("search.model_descriptions.text.PACKAGES", ("no_such_package",))
    assert "likewise[text]" in text(alone).hint


def test_the_network_of_sounds_is_attributed_or_said_to_be_missing(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    auto = make_settings(sound_model="auto")
    monkeypatch.setattr("workers.embedders.weights.missing_packages", lambda model: ())
    there = sound(auto)
    assert there.health is Health.OK
    assert "Ma and Alexander Lerch" in there.detail
    assert "CC-BY-4.0" in there.detail

    monkeypatch.setattr("workers.embedders.weights.missing_packages", lambda model: ("aisfx==0.1.2",))
    lacking = sound(auto)
    assert lacking.health is Health.WARNING
    assert "pip install --no-deps aisfx==0.1.2" in lacking.hint
    assert sound(make_settings(sound_model="aisfx")).health is Health.FAILED
    assert sound(make_settings(sound_model="logmel_rows")).health is Health.OK
