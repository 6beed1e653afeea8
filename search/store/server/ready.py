"""Waits until a collection that was just made is whole on every node of a Qdrant server.

For about a second other connections than the maker's are told that reading its description, or making an index,
failed, and nodes that have not applied it yet do not know it. Seen on version 1.18.3, with one node and with three.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from search.deadlines import within_deadline
from search.errors import StoreUnavailableError
from search.store.durable import says_disk_full
from search.store.server.timing import PAUSES, WHOLE_SECONDS

_T = TypeVar("_T")

_NOT_WHOLE = re.compile(r"0 of 0 read operations failed|out of \d+ shards failed to apply operation")
_UNKNOWN = re.compile(r"[Cc]ollection .*(exist|not found)")

_SERVING = frozenset({models.ReplicaState.ACTIVE, models.ReplicaState.ACTIVEREAD})
_NOT_TOLD = frozenset({401, 403, 404, 405, 501})
"""Statuses of a server, or a proxy, that does not say where replicas are, or not to us."""


def when_whole(call: Callable[[], _T], is_there: Callable[[], bool], seconds: float = WHOLE_SECONDS) -> _T:
    """What ``call`` gives. It is tried again while its collection is not whole, for so many seconds at most.

    Args:
        is_there: whether the collection is known to have been made, asked when a node does not know it.

    Raises:
        UnexpectedResponse: the server refuses for another reason, or still.
    """
    for pause in _pauses(seconds):
        try:
            return call()
        except UnexpectedResponse as error:
            if not _passes(error, is_there):
                raise
        time.sleep(pause)
    return call()


def wait_for_replicas(client: QdrantClient, physical: str) -> None:
    """Return when no replica of a collection is being made any more, and each shard has one that serves. Replicas on a
    node that is away are not waited for.

    Raises:
        StoreUnavailableError: a shard has none that serves, after ``WHOLE_SECONDS``.
    """
    lacking: list[int] = []
    for pause in _pauses(WHOLE_SECONDS):
        try:
            shards = _states(client.collection_cluster_info(physical))
        except NotImplementedError:  # qdrant-client's local mode, a single process, has no replicas
            return
        except UnexpectedResponse as error:
            if not _passes(error, lambda: True):
                if error.status_code in _NOT_TOLD:
                    return
                raise
        else:
            lacking = [shard for shard, states in shards.items() if not states & _SERVING]
            if not lacking and not any(models.ReplicaState.INITIALIZING in states for states in shards.values()):
                return
        time.sleep(pause)
    if lacking:
        raise StoreUnavailableError(
            f"No node serves shard {', '.join(map(str, sorted(lacking)))} of collection '{physical}' on the Qdrant "
            f"server, {WHOLE_SECONDS:.0f} s after it was asked for.",
            "Check that all its nodes run.",
        )


def _states(described: models.CollectionClusterInfo) -> dict[int, set[models.ReplicaState]]:
    """States of the replicas by shard."""
    found: dict[int, set[models.ReplicaState]] = defaultdict(set)
    for here in described.local_shards:
        found[here.shard_id].add(here.state)
    for elsewhere in described.remote_shards:
        found[elsewhere.shard_id].add(elsewhere.state)
    return found


def _passes(error: UnexpectedResponse, is_there: Callable[[], bool]) -> bool:
    """Whether a refusal is one of those that a collection gives that is not whole."""
    text = error.content.decode("utf-8", "replace")
    if error.status_code == 404:
        return _UNKNOWN.search(text) is not None and is_there()
    return error.status_code == 500 and _NOT_WHOLE.search(text) is not None and not says_disk_full(text)


def _pauses(seconds: float) -> Iterator[float]:
    ends, at = time.monotonic() + within_deadline(seconds), 0
    while time.monotonic() < ends:
        yield PAUSES[min(at, len(PAUSES) - 1)]
        at += 1
