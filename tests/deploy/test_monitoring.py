"""Rules and dashboard ask for counts that Likewise keeps, by labels they have, of processes that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from search import metrics
from search.scrape import QueueDepths, registry

from .conftest import Document, manifests

SCRAPED = {"job", "instance"}
"""Labels that Prometheus itself gives."""


@pytest.fixture(scope="session")
def known() -> dict[str, set[str]]:
    """Name of every series that a process shows to the labels it may have."""
    labels = {"up": set(SCRAPED)}
    for metric in vars(metrics).values():
        for family in metric.describe() if isinstance(metric, MetricWrapperBase) else ():
            own = {*metric._labelnames, *SCRAPED}
            if family.type == "histogram":
                labels |= {f"{family.name}_{part}": own for part in ("count", "sum")}
                labels[f"{family.name}_bucket"] = own | {"le"}
            else:
                labels[family.name + ("_total" if family.type == "counter" else "")] = own
    for family in QueueDepths(lambda: {"query": 1}).collect():
        labels[family.name] = {*family.samples[0].labels, *SCRAPED}
    return labels


def panels(deploy: Path) -> list[Document]:
    return json.loads((deploy / "monitoring" / "grafana" / "likewise.json").read_text("utf-8"))["panels"]


def expressions(deploy: Path) -> Iterator[tuple[str, str, set[str]]]:
    """Where, what is asked, and the labels that its texts speak of."""
    rules = yaml.safe_load((deploy / "monitoring" / "prometheus" / "rules.yml").read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            texts = " ".join(rule["annotations"].values())
            yield rule["alert"], rule["expr"], set(re.findall(r"\$labels\.(\w+)", texts))
    for panel in panels(deploy):
        for target in panel.get("targets", ()):
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m"), legend
    for document in manifests(deploy / "kubernetes" / "overlays" / "gpu"):
        if document["kind"] == "ScaledObject":
            for trigger in document["spec"]["triggers"]:
                yield trigger["name"], trigger["metadata"]["query"], set()


def parts(expression: Any) -> list[Any]:
    """What an expression is made of, its right side last."""
    found = [getattr(expression, name, None) for name in ("lhs", "expr", "vector_selector")]
    return [part for part in (*found, *(getattr(expression, "args", None) or ())) if part is not None]


def nodes(expression: Any) -> Iterator[Any]:
    yield expression
    for part in (*parts(expression), getattr(expression, "rhs", None)):
        if part is not None:
            yield from nodes(part)


def answered(expression: Any, known: Mapping[str, set[str]]) -> set[str]:
    """Labels that the series in the answer may have."""
    if isinstance(expression, promql.AggregateExpr):
        inner = answered(expression.expr, known)
        modifier = expression.modifier
        by = set(modifier.labels) if modifier else set()
        assert by <= inner, f"{by - inner} are no labels of {expression.prettify()}"
        return by
    if isinstance(expression, promql.VectorSelector):
        assert expression.name in known, f"nobody counts {expression.name}"
        named = {matcher.name for matcher in expression.matchers.matchers}
        assert named <= known[expression.name], f"{named - known[expression.name]} are no labels of {expression.name}"
        return known[expression.name]
    found: set[str] = set()
    for part in parts(expression):
        found |= answered(part, known)
    if (other := getattr(expression, "rhs", None)) is not None:
        of_other = answered(other, known)
        found = of_other if isinstance(expression.lhs, promql.NumberLiteral) else found
    return found


def test_every_question_is_promql_about_counts_we_keep(deploy: Path, known: dict[str, set[str]]) -> None:
    asked = list(expressions(deploy))
    assert len(asked) > 25
    for where, expression, spoken_of in asked:
        labels = answered(promql.parse(expression), known)
        assert spoken_of <= labels, f"{where}: {spoken_of - labels}"


def test_a_count_that_nobody_keeps_would_be_found(known: dict[str, set[str]]) -> None:
    for wrong in (
        "sum(likewise_items)",
        "sum by (job_id) (likewise_items_total)",
        'likewise_queue_depth{name="query"}',
    ):
        with pytest.raises(AssertionError):
            answered(promql.parse(wrong), known)


def test_every_count_we_keep_is_on_the_dashboard(deploy: Path, known: dict[str, set[str]]) -> None:
    text = (deploy / "monitoring" / "grafana" / "likewise.json").read_text("utf-8")
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in known}
    assert {family for family in families if family not in text} == set()


def test_every_panel_has_its_place_and_the_provisioned_source(deploy: Path) -> None:
    source = yaml.safe_load((deploy / "monitoring" / "grafana" / "datasources.yaml").read_text("utf-8"))
    (uid,) = [entry["uid"] for entry in source["datasources"]]
    taken: set[tuple[int, int]] = set()
    for panel in panels(deploy):
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert taken.isdisjoint(cells), panel["title"]
        taken |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == uid
    assert len({panel["id"] for panel in panels(deploy)}) == len(panels(deploy))


def scraped(deploy: Path) -> dict[str, tuple[set[str], int]]:
    config = yaml.safe_load((deploy / "monitoring" / "prometheus" / "prometheus.yml").read_text("utf-8"))
    return {
        job["job_name"]: (set(found["names"]), found["port"])
        for job in config["scrape_configs"]
        for found in job["dns_sd_configs"]
    }


def test_prometheus_looks_where_processes_are(deploy: Path, compose: Document) -> None:
    services = compose["services"]
    headless = {
        document["metadata"]["name"]: {port["port"] for port in document["spec"]["ports"]}
        for overlay in ("cpu", "gpu")
        for document in manifests(deploy / "kubernetes" / "overlays" / overlay)
        if document["kind"] == "Service" and document["spec"].get("clusterIP") == "None"
    }
    for names, port in scraped(deploy).values():
        for name in names:
            assert name in services
            assert port in headless[name], f"Prometheus would see one pod of {name} at a time, or none"


def test_every_alert_says_what_to_do(deploy: Path) -> None:
    rules = yaml.safe_load((deploy / "monitoring" / "prometheus" / "rules.yml").read_text("utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["action"]


def test_jobs_that_rules_and_panels_name_are_scraped(deploy: Path) -> None:
    jobs = set(scraped(deploy))
    for where, expression, _ in expressions(deploy):
        for node in nodes(promql.parse(expression)):
            for matcher in node.matchers.matchers if isinstance(node, promql.VectorSelector) else ():
                if matcher.name == "job":
                    assert any(re.fullmatch(matcher.value, job) for job in jobs), where


def test_what_a_process_shows_holds_these_counts(known: dict[str, set[str]]) -> None:
    """The names above are those of the exposition, not only of the objects."""
    metrics.item_ended("image", "embedded", seconds=0.1)
    metrics.batch_ended("image", "done")
    shown = {
        sample.name for family in registry(QueueDepths(lambda: {"query": 1})).collect() for sample in family.samples
    }
    assert {"likewise_items_total", "likewise_batches_total", "likewise_item_seconds_bucket"} <= shown & set(known)
    assert "likewise_queue_depth" in shown
