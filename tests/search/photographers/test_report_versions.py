"""Reports written by other versions: older ones are read with defaults, newer ones are refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search.errors import ModelError
from search.evaluation.statistics import Estimate
from search.photographers.report import SCHEMA_VERSION, AccuracyRow, Report, read_report

FIGURE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 20}
ROW = {"name": "product", "words": "this model", "accuracy": FIGURE, "macro_f1": FIGURE}
OLDEST: dict[str, Any] = {
    "photos": 20,
    "photographers": 2,
    "groups": 9,
    "folds": 5,
    "digest": "0f1e2d3c4b5a6978",
    **dict.fromkeys(("product", "by_style", "by_subject", "kept", "stripped", "camera_alone"), ROW),
    **dict.fromkeys(("top3", "ece", "lead"), FIGURE),
    "chance": 0.5,
    "a_field_that_is_gone": 1,
}
"""Layout 1 without everything that has a default."""


def test_a_report_without_version_and_later_fields_is_read_with_defaults() -> None:
    report = read_report(OLDEST | {"version": "20260131T115900-0f1e2d3c", "made": "2026-01-31"})
    half = Estimate(0.5, 0.4, 0.6, 20)
    assert report.product == AccuracyRow("product", "this model", half, half)
    assert (report.open_set, report.checks, report.known_shoots, report.warnings) == (None, (), None, ())
    assert report.evidence == "everything", "what the model of that version went by"
    assert [figure.name for figure in report.figures] == ["accuracy", "top3", "macro_f1", "lead", "ece"]


def test_what_is_saved_is_read_back_and_says_its_layout(tmp_path: Path) -> None:
    report = read_report(OLDEST)
    report.save(tmp_path / "report.json")
    stored = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert stored["schema_version"] == SCHEMA_VERSION
    assert read_report(stored) == report
    assert set(stored) == set(Report.__dataclass_fields__), "figures are read from these keys, and add none"


def test_a_report_of_the_layout_before_is_read_with_its_settings_left_out() -> None:
    stored = OLDEST | {"schema_version": 2, "settings": {"depth": 4}, "trials": 7, "kept": ROW | {"name": "kept"}}
    report = read_report(stored)
    assert (report.evidence, report.lead_over) == ("everything", "the best simple recipe")
    assert {"accuracy_known", "accuracy_everything"}.isdisjoint(figure.name for figure in report.figures)


@pytest.mark.parametrize("stored", [OLDEST | {"schema_version": SCHEMA_VERSION + 1}, {"accuracy": 1}])
def test_a_newer_report_and_what_is_none_are_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="version of Likewise") as refused:
        read_report(stored)
    assert refused.value.hint
