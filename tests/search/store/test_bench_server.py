"""The benchmark of a Qdrant server runs, on doubles. Its figures are of the doubles and say nothing of a server."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact", "ignore:Payload indexes have no effect")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for their module
    spec.loader.exec_module(module)
    return module


def test_without_a_server_it_measures_nothing(monkeypatch, capsys):
    monkeypatch.delenv("QDRANT_URL", raising=False)
    assert load(TESTS / "benchmarks" / "bench_server.py").main([]) == 0
    assert capsys.readouterr().out == "Nothing measured: QDRANT_URL names no Qdrant server.\n"


@pytest.mark.parametrize("has_grpc", [True, False])
def test_both_protocols_are_measured_and_nothing_is_left(rest, grpc_double, monkeypatch, capsys, has_grpc):
    by_rest = load(TESTS / "qdrant_double.py").QdrantServer(rest._answer)
    by_rest.start()
    double = grpc_double(rest)
    double.start()
    if not has_grpc:
        double.stop()
    monkeypatch.setenv("QDRANT_URL", by_rest.url)
    monkeypatch.setenv("QDRANT_GRPC", str(double.port))
    try:
        sizes = ["--points=12", "--batch=6", "--scrolls=1", "--questions=2"]
        assert load(TESTS / "benchmarks" / "bench_server.py").main(sizes) == 0
    finally:
        double.stop()
        by_rest.stop()
    lines = capsys.readouterr().out.splitlines()
    measured = [line.split(":")[0] for line in lines]
    questions = [f"find_similar by {how}, 10 hits" for how in ("upload", "id")]
    for what in ("upserts of 6", "scrolls with vectors, 6 a page", *questions):
        assert f"{what}, REST" in measured
        assert (f"{what}, gRPC" in measured) == has_grpc
    assert any(line.startswith("gRPC is not measured: not reached by gRPC") for line in lines) != has_grpc
    assert rest.double.get_collections().collections == []
    # Two batches, two questions by id that fetch first, and two pages, each by the store and bare; and one sample.
    counted = [double.calls.count(one) for one in ("points", "scroll")]
    assert counted == ([8, 5] if has_grpc else [0, 0])
