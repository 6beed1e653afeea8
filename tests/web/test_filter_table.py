"""A filter is one row of a table: an invented one is asked by request, page and command, and touches nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from search.errors import UsageError
from search.store.filters import Filter, IndexType, Match, facet_keys, filter_fields, filter_indexes, row
from web.api.params import properties, read_query
from web.commands.questions.filters import filter_options
from web.pages import search


@dataclass(frozen=True, slots=True)
class FilterWithMore(Filter):
    min_iso: float | None = field(
        default=None,
        metadata=row(
            "iso", IndexType.FLOAT, Match.AT_LEAST, "At least this sensitive.", label="ISO from", option="--min-iso"
        ),
    )
    moods: tuple[str, ...] = field(
        default=(),
        metadata=row(
            "mood", IndexType.KEYWORD, Match.ANY_OF, "Only of this mood.",
            label="Mood", option="--mood", choices=("gay", "grave"), facet=True,
        ),
    )  # fmt: skip


def test_a_row_gives_the_indexes_and_facets() -> None:
    added = filter_indexes(FilterWithMore).items() - filter_indexes().items()

    assert added == {("iso", IndexType.FLOAT), ("mood", IndexType.KEYWORD)}
    assert facet_keys(FilterWithMore) == (*facet_keys(), "mood")


def test_a_row_gives_the_parameter_of_requests() -> None:
    given = MultiDict([("min_iso", "400"), ("moods", "gay"), ("taken_to", "2020-05-06")])
    [where] = read_query(given, (FilterWithMore,))

    assert (where.min_iso, where.moods, where.taken_to.isoformat()) == (400.0, ("gay",), "2020-05-06T23:59:59.999999")
    assert properties(FilterWithMore)["min_iso"]["description"] == "At least this sensitive."
    with pytest.raises(UsageError, match="'moods' cannot be 'blue'"):
        read_query(MultiDict([("moods", "blue")]), (FilterWithMore,))
    with pytest.raises(UsageError, match="no parameter 'min_iso'"):
        read_query(given, (Filter,))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2024-08-16T00:00", "2024-08-16T00:00:00"),
        ("2024-08-16", "2024-08-16T00:00:00"),
        ("2024-08-16T00:00:00Z", "2024-08-16T00:00:00+00:00"),
        ("2024-08-16T00:00:00+05:30", "2024-08-16T00:00:00+05:30"),
        ("2024-08-16T00:00:00 05:30", "2024-08-16T00:00:00+05:30"),
        ("2024-08-16T00:00:00-1000", "2024-08-16T00:00:00-10:00"),
    ],
)
def test_a_time_names_its_zone_or_is_that_of_the_clock(given: str, read: str) -> None:
    [where] = read_query(MultiDict([("taken_from", given), ("taken_to", given)]), (Filter,))
    whole_day = "2024-08-16T23:59:59.999999" if len(given) == 10 else read
    assert (where.taken_from.isoformat(), where.taken_to.isoformat()) == (read, whole_day)


def test_a_row_gives_the_option_of_commands() -> None:
    seen: list[Any] = []

    def asked(where: Filter) -> None:
        seen.append(where)

    command = click.command()(filter_options(asked, FilterWithMore))
    assert CliRunner().invoke(command, ["--min-iso", "400", "--mood", "grave", "--to", "2020-05-06"]).exit_code == 0
    assert "Only of this mood; may be repeated." in CliRunner().invoke(command, ["--help"]).output
    assert CliRunner().invoke(command, ["--mood", "blue"]).exit_code == 2

    assert (seen[0].min_iso, seen[0].moods) == (400.0, ("grave",))
    assert seen[0].taken_to.date().isoformat() == "2020-05-06"


def test_a_row_gives_the_label_on_the_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "Filter", FilterWithMore)
    monkeypatch.setattr(search, "filter_fields", lambda: filter_fields(FilterWithMore))

    page = client.get("/?min_iso=400&moods=gay").text

    chips = re.findall(r'title="Take this filter away">([^<]+)<b>\s*([^<]*?)\s*</b>', page)
    assert chips == [("ISO from: ", "400"), ("Mood: ", "gay")]
    assert client.get("/?moods=blue").status_code == 400


def test_every_filter_is_labelled_or_has_no_place_on_the_page() -> None:
    unlabelled = {name for name, one in filter_fields().items() if not one.label}
    without_option = {name for name, one in filter_fields().items() if not one.option}

    assert unlabelled == without_option == {"kinds", "words"}
