"""Network policies: what must talk can, nothing else does; judged as Kubernetes judges, by both sides' policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Document, manifests, pods


@pytest.fixture(scope="session")
def everything(deploy: Path) -> list[Document]:
    documents = list(manifests(deploy / "kubernetes" / "overlays" / "gpu"))
    for document in manifests(deploy / "kubernetes" / "overlays" / "cpu"):
        if document not in documents:
            documents.append(document)
    return documents


def selects(selector: Document, labels: Document) -> bool:
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    return all(labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", ()))


def allows(policies: list[Document], direction: str, of: Document, other: Document, port: int) -> bool:
    """One side's word: a policy that selects ``of`` names ``other`` and the port."""
    peers = {"Ingress": "from", "Egress": "to"}[direction]
    return any(
        selects(peer["podSelector"], other) and port in {entry["port"] for entry in rule["ports"]}
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], of)
        for rule in policy["spec"].get(direction.lower(), ())
        for peer in rule[peers]
        if "podSelector" in peer and "namespaceSelector" not in peer
    )


def test_everything_is_denied_at_first(everything: list[Document]) -> None:
    deny = next(entry for entry in everything if entry["metadata"]["name"] == "default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_who_may_talk_to_whom(everything: list[Document]) -> None:
    policies = [entry for entry in everything if entry["kind"] == "NetworkPolicy"]
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(everything).items()}
    ports = {
        name: {port["containerPort"] for container in pod["spec"]["containers"] for port in container["ports"]}
        for name, pod in pods(everything).items()
    }
    allowed = {
        (one, other, port)
        for one in labels
        for other in labels
        for port in ports[other]
        if allows(policies, "Egress", labels[one], labels[other], port)
        and allows(policies, "Ingress", labels[other], labels[one], port)
    }
    workers = ("worker", "worker-gpu", "worker-query")
    assert allowed == {
        ("web", "postgres", 5432),
        *((asks, store, port) for asks in ("web", *workers) for store, port in (("redis", 6379), ("qdrant", 6333))),
        ("qdrant", "qdrant", 6333),
        ("qdrant", "qdrant", 6335),
        ("prometheus", "web", 8000),
        *(("prometheus", worker, 9100) for worker in workers),
        ("prometheus", "qdrant", 6333),
        ("grafana", "prometheus", 9090),
    }


def test_only_web_and_workers_reach_outside_and_never_the_neighbours(everything: list[Document]) -> None:
    outside = [
        (policy, rule)
        for policy in everything
        if policy["kind"] == "NetworkPolicy"
        for rule in policy["spec"].get("egress", ())
        if any("ipBlock" in peer for peer in rule["to"])
    ]
    ((policy, rule),) = outside
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(
        rule["to"][0]["ipBlock"]["except"]
    )
    reached = {
        name
        for name, pod in pods(everything).items()
        if selects(policy["spec"]["podSelector"], pod["metadata"]["labels"])
    }
    assert reached == {"web", "worker", "worker-gpu", "worker-query"}
