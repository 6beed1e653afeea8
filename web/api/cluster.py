"""API call about the cluster: state of the broker, depth of its queues, and workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ingest.ledger.access import Scope
from search.errors import BrokerUnavailableError
from web.api.operation import Operation
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that listens at present, and the queues it takes from."""

    name: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """State of the cluster.

    Attributes:
        broker: ``none`` where the node embeds by itself; of one that is ``away`` nothing else is known.
        message: why it is away; empty otherwise.
        waiting: tasks in each queue that no worker has taken yet.
    """

    broker: Literal["none", "ok", "away"]
    message: str
    waiting: Mapping[str, int]
    workers: tuple[Worker, ...]


def cluster(node: NodePort) -> ClusterStatus:
    """The broker, its queues and the workers that listen; takes a second, in which workers name themselves."""
    if node.broker is None:
        return ClusterStatus("none", "", {}, ())
    try:
        workers = tuple(Worker(listener.name, listener.queues) for listener in node.broker.listeners())
        return ClusterStatus("ok", "", node.broker.depths(), workers)
    except BrokerUnavailableError as error:
        return ClusterStatus("away", str(error), {}, ())


OPERATIONS = (Operation("GET", "/cluster", cluster, ClusterStatus, scope=Scope.READ),)
