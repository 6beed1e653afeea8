"""Counting, and showing the counts of several processes as one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from search import metrics, scrape
from search.errors import BrokerUnavailableError, StoreUnavailableError
from search.scrape import QueueDepths, exposition, registry
from search.store import open_store
from search.store.base import Store
from search.store.measured import measured

TOGETHER = """
import os, sys
from pathlib import Path
from search.scrape import exposition, forget_process, registry, share_counts

share_counts(Path(sys.argv[1]))
from search import metrics

metrics.item_ended("image", "embedded")
metrics.batches_in_flight(1)
child = os.fork()
if child == 0:
    metrics.item_ended("image", "embedded")
    metrics.batches_in_flight(2)
    os._exit(0)
os.waitpid(child, 0)
print(exposition(registry()).decode())
print("forgotten")
forget_process(child)
print(exposition(registry()).decode())
"""


def value(name: str, **labels: str) -> float:
    return registry().get_sample_value(name, labels) or 0.0


class Away:
    """A store that nobody can reach; a scroll that ends half-way."""

    engine = "server"

    def count(self, collection: str) -> int:
        raise StoreUnavailableError("It is away.")

    def scroll(self, collection: str) -> Iterator[int]:
        yield 1


def test_items_are_counted_by_outcome_and_code() -> None:
    labels = {"kind": "image", "outcome": "failed", "code": "corrupt"}
    before = value("likewise_items_total", **labels)
    metrics.item_ended("image", "failed", "corrupt", 0.2)
    assert value("likewise_items_total", **labels) == before + 1


def test_a_file_that_was_not_decoded_took_no_time() -> None:
    before = value("likewise_item_seconds_count", kind="audio")
    metrics.item_ended("audio", "duplicate")
    assert value("likewise_item_seconds_count", kind="audio") == before
    metrics.item_ended("audio", "embedded", seconds=0.5)
    assert value("likewise_item_seconds_count", kind="audio") == before + 1


def test_a_measured_store_is_the_store_and_counts_its_calls(make_settings: Any) -> None:
    store = measured(open_store(make_settings()))
    before = value("likewise_store_seconds_count", operation="collections")
    assert store.collections() == {}
    assert store.engine == "edge"
    store.close()
    assert value("likewise_store_seconds_count", operation="collections") == before + 1
    assert value("likewise_store_seconds_count", operation="close") == 0


def test_a_store_call_that_fails_is_counted_with_its_code() -> None:
    store = measured(cast("Store", Away()))
    labels = {"operation": "count", "code": "store_unavailable"}
    before = value("likewise_store_errors_total", **labels)
    with pytest.raises(StoreUnavailableError):
        store.count("images")
    assert value("likewise_store_errors_total", **labels) == before + 1


def test_a_scroll_is_not_timed_for_its_reader_is_part_of_it() -> None:
    assert list(measured(cast("Store", Away())).scroll("images")) == [1]
    assert value("likewise_store_seconds_count", operation="scroll") == 0


def test_a_question_that_fails_is_counted_with_its_code_and_its_time() -> None:
    @metrics.question("odd")
    def ask() -> None:
        raise ValueError("a fault of our own")

    for _ in range(2):
        with pytest.raises(ValueError, match="our own"):
            ask()
    assert value("likewise_question_errors_total", question="odd", code="error") == 2
    assert value("likewise_question_seconds_count", question="odd") == 2


def test_queue_depths_are_asked_for_when_scraped() -> None:
    depths: dict[str, int] = {"query": 3}

    def ask() -> Mapping[str, int]:
        return depths

    source = registry(QueueDepths(ask))
    assert source.get_sample_value("likewise_queue_depth", {"queue": "query"}) == 3
    depths["query"] = 0
    assert source.get_sample_value("likewise_queue_depth", {"queue": "query"}) == 0


def test_a_scrape_does_not_wait_for_a_frozen_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "DEPTHS_SECONDS", 0.01)
    thawed = threading.Event()

    def ask() -> Mapping[str, int]:
        thawed.wait()
        return {"query": 1}

    text = exposition(registry(QueueDepths(ask))).decode()
    thawed.set()
    assert "likewise_queue_depth{" not in text
    assert "likewise_batches_in_flight" in text


def test_a_broker_that_is_away_keeps_no_other_count_back() -> None:
    def ask() -> Mapping[str, int]:
        raise BrokerUnavailableError("It is away.")

    scrape = exposition(registry(QueueDepths(ask))).decode()
    assert "likewise_queue_depth{" not in scrape
    assert "likewise_batches_in_flight" in scrape


def test_forked_processes_count_as_one(tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-c", TOGETHER, str(tmp_path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    both, after = done.stdout.split("forgotten")
    embedded = 'likewise_items_total{code="",kind="image",outcome="embedded"} 2.0'
    assert embedded in both
    assert "likewise_batches_in_flight 3.0" in both
    assert embedded in after, "what an ended process has done stays counted"
    assert "likewise_batches_in_flight 1.0" in after, "what it had in flight does not"
