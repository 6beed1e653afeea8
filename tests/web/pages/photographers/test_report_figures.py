"""A report's figures are data: page and terminal show whatever the report lists, without knowing it."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from rich.console import Console

from search.photographers.report import Figure, Report, Section, read_report
from web.commands.photographers.report import show

INVENTED = Figure(
    value=0.123,
    low=0.1,
    high=0.2,
    n=77,
    name="calm",
    label="Calm answers",
    meaning="Answers that another lens would not change.",
)


def _terminal(report: Report) -> str:
    console = Console(file=io.StringIO(), width=200, markup=False, emoji=False)
    show(report, "1", {}, console)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return written


@pytest.mark.parametrize("section", [Section.ANSWERS, Section.CALIBRATION])
def test_an_added_figure_is_shown_by_page_and_terminal(
    client: FlaskClient, desk: Any, monkeypatch: pytest.MonkeyPatch, section: Section
) -> None:
    known = Report.figures.fget  # type: ignore[attr-defined]
    added = replace(INVENTED, section=section)
    monkeypatch.setattr(Report, "figures", property(lambda report: (*known(report), added)))
    page = client.get("/photographers/report").text
    assert "Calm answers <small>Answers that another lens would not change.</small>" in page
    assert "<b>0.123</b> <small>0.100 to 0.200, n = 77</small>" in page
    (line,) = [line for line in _terminal(read_report(desk.report())).splitlines() if line.lower().startswith("calm")]
    assert "12.3% [10.0, 20.0; 77]" in line
    assert section is Section.CALIBRATION or INVENTED.meaning in line


def test_a_difference_has_its_sign_and_no_place_between_0_and_1(
    client: FlaskClient, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = (replace(INVENTED, signed=True, low=-0.1),)
    monkeypatch.setattr(Report, "figures", property(lambda report: figures))
    assert 'cx="12.3%"' not in client.get("/photographers/report").text
    assert "+12.3% [-10.0, +20.0; 77]" in _terminal(read_report(desk.report()))


def test_names_of_figures_stand_for_one_figure_each(desk: Any) -> None:
    names = [figure.name for figure in read_report(desk.report()).figures]
    assert len(set(names)) == len(names) == 9
