"""``likewise reembed`` from the command to the answer, with a real model."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from search.media import DECODING_REVISION, MediaRecord
from search.settings import Settings
from search.store import open_store
from search.store.base import Point
from web.cli import main

RENEWING = Path(__file__).parents[1] / "ingest" / "renewing.py"


@pytest.fixture(scope="module")
def renewing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("web_renewing", RENEWING)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(settings: Settings, *arguments: str) -> Any:
    result = CliRunner().invoke(main, [*arguments, "--home", str(settings.home), "--json"])
    assert result.stdout, (result.stderr, result.exception)
    return result.exit_code, json.loads(result.stdout)


def concepts(settings: Settings, *, forget: bool = False) -> dict[str, np.ndarray]:
    """Concepts of each picture that has some; ``forget`` leaves the library as it was before there were any."""
    store = open_store(settings)
    spaces = [field.space.name for field in store.schema("images").fields]
    points = list(store.scroll("images", vectors=spaces))
    if forget:
        kept = [{name: rows for name, rows in point.vectors.items() if name != "concepts"} for point in points]
        store.upsert("images", [Point(p.id, rows, p.payload) for p, rows in zip(points, kept, strict=True)])
    store.close()
    return {point.id: point.vectors["concepts"][0] for point in points if "concepts" in point.vectors}


def forget_decoding(settings: Settings) -> str:
    """Leave every picture as an older decoder made it, with facts that it took for others; the id of one that a person
    has credited to Ada."""
    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    wrong = {"decoding": 1, "pixel_hash": None, "width": 1, "camera": "of an older version"}
    ids = [point.id for point in store.scroll("images")]
    store.patch_payload("images", dict.fromkeys(ids, wrong))
    Credits(ledger, store).by_hand(ids[:1], "Ada")
    store.close()
    ledger.close()
    return ids[0]


def test_what_is_missing_is_said_before_there_is_a_job(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    status, refused = run(settings, "reembed", "--space", "visual")
    assert (status, refused["error"]["code"]) == (2, "usage")
    assert "without naming a model" in refused["error"]["message"]
    status, refused = run(settings, "reembed", "--space", "smell")
    assert (status, "visual: resnet18" in refused["error"]["hint"]) == (2, True)
    refused = CliRunner().invoke(main, ["reembed", "--model", "resnet18", "--home", str(settings.home)])
    assert (refused.exit_code, "--space" in refused.stderr) == (2, True)


@pytest.mark.models
def test_from_the_command_to_the_answer(
    make_settings: Callable[..., Settings], make_media: Callable[..., Path], renewing: ModuleType
) -> None:
    media = make_media(each=4)
    settings = make_settings()
    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    for schema in renewing.schemas_of(renewing.BEFORE):
        store.ensure(schema)
    ingest = renewing.ingest_of(settings, store, ledger)
    ingest.run(ingest.start([media]))
    store.close()
    ledger.close()

    status, ended = run(settings, "reembed", "--space", "visual", "--model", "efficientnet_lite0")
    assert (status, ended["state"], ended["total"], ended["embedded"]) == (0, "done", 12, 12)
    status, listed = run(settings, "reembed")
    assert [(one["name"], one["current"], one["coverage"]) for one in listed if one["collection"] == "images"] == [
        ("images.1", False, 1.0),
        ("images.2", True, 1.0),
    ]
    assert listed[1]["spaces"]["visual"] == "efficientnet_lite0"
    status, answer = run(settings, "similar", str(media / "red" / "red-0.png"), "--limit", "5")
    assert status == 0
    assert answer["hits"][0]["relation"] == "exact_copy"
    assert {Path(hit["paths"][0]).parent.name for hit in answer["hits"][:4]} == {"red"}

    fresh = concepts(settings, forget=True)
    assert len(fresh) == 12
    assert concepts(settings) == {}
    status, ended = run(settings, "reembed", "--space", "concepts")
    assert (status, ended["state"], ended["total"], ended["embedded"]) == (0, "done", 12, 12)
    filled = concepts(settings)
    assert filled.keys() == fresh.keys()
    for id_, row in fresh.items():
        assert np.count_nonzero(row) > 1
        np.testing.assert_allclose(filled[id_], row, atol=1e-3)

    credited = forget_decoding(settings)
    status, stored = run(settings, "status")
    assert {name: one["outdated"] for name, one in stored["collections"].items()} == {
        "images": 12,
        "videos": 0,
        "audio": 0,
    }
    status, checks = run(settings, "doctor")
    (check,) = (one for one in checks["checks"] if one["name"] == "decoding")
    assert (check["health"], check["detail"].split(" ")[0]) == ("warning", "12")
    status, ended = run(settings, "reembed", "--decoding")
    assert (status, ended["state"], ended["total"], ended["embedded"]) == (0, "done", 12, 12)
    status, stored = run(settings, "status")
    assert {one["outdated"] for one in stored["collections"].values()} == {0}
    anew = concepts(settings)
    for id_, row in fresh.items():
        np.testing.assert_allclose(anew[id_], row, atol=1e-3)
    store = open_store(settings)
    for point in store.scroll("images"):
        record = MediaRecord.from_payload(point.payload)
        assert (record.width, record.camera, record.decoding) == (64, None, DECODING_REVISION)
        assert record.pixel_hash
        assert (record.photographer, record.credit) == (("Ada", "person") if record.id == credited else (None, None))
    store.close()

    status, dropped = run(settings, "reembed", "--drop-old")
    assert (status, len(dropped["dropped"])) == (0, 2)
    status, answer = run(settings, "similar", str(media / "blue" / "blue-1.png"), "--limit", "4")
    assert {Path(hit["paths"][0]).parent.name for hit in answer["hits"]} == {"blue"}
