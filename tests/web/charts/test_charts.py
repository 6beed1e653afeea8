"""Charts as the browser gets them: where things stand, what is read aloud, and that texts stay texts."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from markupsafe import Markup

from search.photographers.answers import Chart, Spot
from web.charts.calibration import CalibrationPoint, calibration
from web.charts.lines import over_time
from web.charts.plane import Dot, cloud, photographer_map
from web.charts.svg import AxisScale, element, shortened, shown, ticks

HOSTILE = "</title><script>alert(1)</script>\"'&"


def parsed(chart: Markup) -> ET.Element:
    """The chart as a tree; raises if it is not well-formed."""
    return ET.fromstring(chart)


def test_texts_and_attributes_are_escaped() -> None:
    made = parsed(element("a", HOSTILE, element("b", HOSTILE), href=HOSTILE, class_=None, data_x=0.5))
    assert made.attrib == {"href": HOSTILE, "data-x": "0.5"}
    assert [made.text, made[0].text] == [HOSTILE, HOSTILE]


def test_a_scale_keeps_its_ends_and_a_flat_one_its_middle() -> None:
    assert [AxisScale(2, 4, 100, 0)(value) for value in (2, 3, 4)] == [100, 50, 0]
    assert AxisScale(5, 5, 0, 80)(5) == 40


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 1, [0, 0.5, 1]),
        (3.1, 11.2, [5, 10]),
        (-2, 2, [-2, -1, 0, 1, 2]),
        (7, 7, [7]),
        (1e-4, 4e-4, [1e-4, 2e-4, 3e-4, 4e-4]),
    ],
)
def test_marks_are_round(low: float, high: float, marks: list[float]) -> None:
    assert ticks(low, high, 3 if low == 0 else 4) == pytest.approx(marks)


def test_values_are_short() -> None:
    assert [shown(value) for value in (0, 0.07161, 14.23, 1234.5, -0.5, math.nan)] == [
        "0",
        "0.0716",
        "14.2",
        "1\u202f234",
        "\u22120.5",
        "–",
    ]
    assert shortened("Marion Post Wolcott", 8) == "Marion…"


def test_a_line_is_parted_where_a_period_has_no_value() -> None:
    chart = parsed(over_time(HOSTILE, "%", ["2010", "2011", "2012", "2013", "2014"], [1.0, 2.0, None, 3.0, 4.0]))
    assert len(chart.findall("polyline")) == 2
    dots = chart.findall("circle")
    assert [dot[0].text for dot in dots] == ["2010: 1 %", "2011: 2 %", "2013: 3 %", "2014: 4 %"]
    heights = [float(dot.attrib["cy"]) for dot in dots]
    assert heights == sorted(heights, reverse=True)  # larger is higher
    assert chart[0].text == f"{HOSTILE}, in %, from 2010 to 2014"


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [None], [0.0, 0.0]])
def test_few_or_equal_values_are_drawn(values: list[float | None]) -> None:
    chart = parsed(over_time("x", "", [str(n) for n in range(len(values))], values))
    for circle in chart.findall("circle"):
        assert 0 <= float(circle.attrib["cy"]) <= 150


def test_calibrated_answers_lie_on_the_diagonal() -> None:
    given = [(0.25, 0.25, 0.1, 0.4, 4), (0.75, 0.75, 0.6, 0.9, 100), (0.9, 0.1, 0, 1, 0)]
    chart = parsed(calibration([CalibrationPoint(*point) for point in given]))
    ideal = next(line for line in chart.findall("line") if line.get("class") == "ideal")
    x1, y1, x2, y2 = (float(ideal.attrib[name]) for name in ("x1", "y1", "x2", "y2"))
    dots = chart.findall("circle")
    assert len(dots) == 2  # a bin without photos says nothing
    for dot in dots:
        part = (float(dot.attrib["cx"]) - x1) / (x2 - x1)
        assert float(dot.attrib["cy"]) == pytest.approx(y1 + part * (y2 - y1), abs=0.02)
    assert float(dots[0].attrib["r"]) < float(dots[1].attrib["r"])


def spots(count: int) -> tuple[Spot, ...]:
    return tuple(Spot(f"{n:016x}", f"{HOSTILE} {n}", n + 1, (math.cos(n), math.sin(n) / 3)) for n in range(count))


@pytest.mark.parametrize("count", [1, 2, 500])
def test_no_name_covers_another_and_everyone_is_inside(count: int) -> None:
    chart = parsed(photographer_map(Chart("style", spots(count), (0.5, 0.2)), highlighted="0" * 16))
    links = chart.findall("a")
    assert len(links) == count
    assert sum("here" in link.attrib["class"] for link in links) == 1
    boxes = []
    for link in links:
        x, y = map(float, link.attrib["transform"][10:-1].split())
        assert 0 < x < 900
        assert 0 < y < 560
        for text in link.findall("text"):
            width, anchor = 7.0 * len(text.text or ""), text.attrib["text-anchor"]
            left = x + float(text.attrib["x"]) - {"start": 0, "middle": width / 2, "end": width}[anchor]
            base = y + float(text.attrib["y"])
            boxes.append((left, base - 12, left + width, base))
    assert boxes
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            apart = one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            assert apart


def test_a_cloud_leads_to_its_photos() -> None:
    dots = [Dot((0, 0), 13, HOSTILE, "/item/1"), Dot((1, 1), -1, "x", "/item/2")]
    chart = parsed(cloud("photos", dots, (1.0, 0.0)))
    assert [link.attrib["href"] for link in chart.findall("a")] == ["/item/1", "/item/2"]
    assert [circle.attrib["class"] for circle in chart.iter("circle")] == ["c1", "none"]  # colours begin again
    assert parsed(cloud("none", [], (0.0, 0.0))) is not None
