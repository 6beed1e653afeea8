"""What people do by hand: credits that can be undone, names that are shown, dates and places from a table."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ingest.jobs.service import JobService
from ingest.ledger.credits import Credits, credits_of, store_credits
from ingest.photographers.desk import Desk
from ingest.photographers.facts import TellFacts
from search.errors import NotFoundError, UsageError
from search.media import Credit

NAMES = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg")


@pytest.fixture
def taken_in(desk: Any) -> Any:
    """Four pictures, one of which says when and where it was taken."""
    for name in NAMES:
        desk.write(name, f"picture {name}")
    desk.ingest.halt()
    tasks = {"facts": TellFacts(desk.store, desk.ledger)}
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0, 0.0))
    desk.run()
    record = desk.records()["b/3.jpg"]
    own = {"taken_at": "2019-05-01T12:00:00", "latitude": 48.1, "longitude": 11.5}
    desk.store.patch_payload("images", {record.id: own})
    return desk


def tell(desk: Any, **options: str) -> Any:
    return desk.ingest.run(desk.ingest.start_task("facts", options))


def facts(desk: Any, name: str) -> tuple[Any, ...]:
    record = desk.records()[name]
    return record.taken_at, record.place, record.latitude, record.longitude


def test_a_credit_by_hand_is_undone_to_what_each_source_said(taken_in: Any) -> None:
    desk = Desk(taken_in.store, taken_in.ledger)
    ids = {name: taken_in.records()[name].id for name in NAMES}
    Credits(taken_in.ledger, taken_in.store).by_hand([ids["a/1.jpg"]], "Zoe")
    edit = desk.credit({ids["a/1.jpg"]: "Ada", ids["a/2.jpg"]: "Bo", ids["b/1.jpg"]: ""})
    credited = {name: (record.photographer, record.credit) for name, record in taken_in.records().items()}
    assert credited["a/1.jpg"] == ("Ada", "person")
    assert credited["a/2.jpg"] == ("Bo", "person")
    assert desk.edit(edit.edit).credited == {ids["a/1.jpg"]: "Ada", ids["a/2.jpg"]: "Bo", ids["b/1.jpg"]: ""}
    assert desk.undo(edit.edit) == 3
    credited = {name: (record.photographer, record.credit) for name, record in taken_in.records().items()}
    assert credited["a/1.jpg"] == ("Zoe", "person")
    assert credited["a/2.jpg"] == (None, None)
    for wrong in (desk.undo, desk.edit):
        with pytest.raises(NotFoundError, match="no such edit"):
            wrong(edit.edit)
    with pytest.raises(NotFoundError):
        desk.credit({ids["a/1.jpg"]: "Ada", "0" * 36: "Ada"})
    with pytest.raises(UsageError):
        desk.credit({ids["a/1.jpg"]: "n/a"})
    assert taken_in.records()["a/1.jpg"].photographer == "Zoe"


def test_undoing_takes_back_what_the_edit_said_and_nothing_that_was_said_since(taken_in: Any) -> None:
    desk = Desk(taken_in.store, taken_in.ledger)
    ids = {name: taken_in.records()[name].id for name in NAMES}
    one, other, third = ids["a/1.jpg"], ids["a/2.jpg"], ids["b/1.jpg"]

    def credited() -> list[tuple[str | None, str | None]]:
        records = {record.id: record for record in taken_in.records().values()}
        return [(records[id_].photographer, records[id_].credit) for id_ in (one, other, third)]

    with taken_in.ledger.write() as connection:
        store_credits(connection, Credit.FOLDER, {third: "Fay"}, first=True)
    first = desk.credit({one: "Ada", other: "Ada", third: "Ada"})
    later = desk.credit({one: "Bo"})
    with taken_in.ledger.write() as connection:  # as a job does
        store_credits(connection, Credit.CSV, {other: "Tab"})
    assert desk.edit(first.edit).credited == {other: "Ada", third: "Ada"}
    assert desk.undo(first.edit) == 2
    assert credited() == [("Bo", "person"), ("Tab", "csv"), ("Fay", "folder")]
    with pytest.raises(NotFoundError, match="since"):
        desk.undo(first.edit)
    desk.undo(later.edit)
    assert desk.undo(first.edit) == 1  # the last of its photos, which says so again
    assert credited()[0] == (None, None)

    overruled = desk.credit({third: "Ada"})
    Credits(taken_in.ledger, taken_in.store).by_hand([third], "Zoe")  # by a job, which has no edit
    with pytest.raises(NotFoundError, match="since"):
        desk.edit(overruled.edit)
    with taken_in.ledger.read() as connection:
        assert {(row.source, row.name, row.first) for row in credits_of(connection, [third])[third]} == {
            (Credit.PERSON, "Zoe", False),
            (Credit.FOLDER, "Fay", False),
        }


def test_a_table_is_previewed_noted_kept_and_forgotten(taken_in: Any) -> None:
    base = str(taken_in.media)
    table = "\n".join(
        (
            "file;date;place;lat;lon",
            "a;;Oklahoma City;35.47;-97.52",
            "a/2.jpg;1942-06-15 14:30;;;",
            "3.jpg;1943-01-02;;1.0;2.0",
            "1.jpg;1944-01-01;;;",  # in two folders
            "a/1.jpg;15.6.1942;;;",
            "a/1.jpg;;;35.47;",
            "nowhere.jpg;1942-01-01;;;",
            "a/1.jpg;;;135;2",
        )
    )
    preview = Desk(taken_in.store, taken_in.ledger).preview_facts(table, base)
    assert [(change.path.removeprefix(base), change.lines) for change in preview.changes] == [
        ("/a/1.jpg", (2,)),
        ("/a/2.jpg", (2, 3)),
    ]
    assert preview.changes[1].after.taken_at == "1942-06-15T14:30:00"
    assert (preview.changed, preview.same, preview.kept, preview.wrong_lines) == (2, 0, 1, 5)
    assert [sentence.split(":")[0].split(" means")[0] for sentence in preview.wrong] == [
        f"Line {n}" for n in (5, 6, 7, 8, 9)
    ]
    before = facts(taken_in, "a/1.jpg")
    assert before == (None, None, None, None), "a preview writes nothing"

    done = tell(taken_in, table=table, base=base)
    assert "3 photos are noted. 1 of them keep" in done.message
    assert facts(taken_in, "a/1.jpg") == (None, "Oklahoma City", 35.47, -97.52)
    assert facts(taken_in, "a/2.jpg") == ("1942-06-15T14:30:00", "Oklahoma City", 35.47, -97.52)
    assert facts(taken_in, "b/3.jpg") == ("2019-05-01T12:00:00", None, 48.1, 11.5)
    payload = taken_in.store.retrieve("images", [taken_in.records()["a/2.jpg"].id])[0].payload
    assert payload["taken_local"].startswith("1942-06-15T14:30")
    assert payload["location"] == {"lat": 35.47, "lon": -97.52}
    assert {"oklahoma", "1942"} <= set(payload["words"].split())
    assert Desk(taken_in.store, taken_in.ledger).preview_facts(table, base).changed == 0

    tell(taken_in, table="path,taken\nb/3.jpg,1943-01-02", base=base, overwrite="1")
    assert facts(taken_in, "b/3.jpg")[0] == "1943-01-02"
    record = taken_in.records()["a/2.jpg"]
    bare = {"taken_at": None, "latitude": None, "longitude": None, "own": None, "place": None}
    taken_in.store.patch_payload("images", {record.id: bare})  # as work that reads the file anew leaves it
    Credits(taken_in.ledger, taken_in.store).apply_to_credited()
    assert facts(taken_in, "a/2.jpg") == ("1942-06-15T14:30:00", "Oklahoma City", 35.47, -97.52)

    assert "3 photos is forgotten" in tell(taken_in, forget="1").message
    assert facts(taken_in, "a/2.jpg") == before
    assert facts(taken_in, "b/3.jpg") == ("2019-05-01T12:00:00", None, 48.1, 11.5)


def test_a_rescan_keeps_what_was_told(taken_in: Any) -> None:
    tell(taken_in, table="path,taken,place\na/1.jpg,1942-06-15,Tulsa", base=str(taken_in.media))
    taken_in.run(reread=True)
    (taken_in.media / "a/1.jpg").rename(taken_in.media / "a/9.jpg")
    taken_in.run()
    assert facts(taken_in, "a/9.jpg") == ("1942-06-15", "Tulsa", None, None)


@pytest.mark.parametrize("table", ["", "path,photographer\na,b", "taken\n1942-01-01"])
def test_no_table_of_dates_and_places_is_refused(taken_in: Any, table: str) -> None:
    with pytest.raises(UsageError, match=r"path|empty"):
        partial(tell, table=table)(taken_in)
