"""Whatever a file says of itself, the other files of the run are stored, and so is what can be kept of this one.

Extremes go the way that real values go: from the decoder through the protocol, the record and its payload into the
store and the ledger.
"""

from __future__ import annotations

import json
import math
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import BigInteger, Integer, String, Text, select

from ingest.jobs.service import JobState
from ingest.ledger.entries import Entry, write_entries
from ingest.ledger.tables import FileState, files, metadata
from ingest.plan.plan import Unreadable
from search.bounds import FACT_RANGES, is_moment, shortened, storable
from search.errors import UsageError
from search.media import Kind, MediaRecord, instant, media_id
from search.settings import Settings
from search.store import open_store
from search.store.base import Point, Store
from search.store.filters import Filter
from workers.batch.records import new_record
from workers.batch.report import Batch, FileRef, Outcome, Status
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.sandbox.frames import Deadline
from workers.decode.sandbox.protocol import Reply, read_reply, write_reply
from workers.decode.sound import Sound
from workers.embedders.models import Embedded
from workers.storage.files import MOST_NS, bounded_ns
from workers.storage.objects import _facts

NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**400, True),
    *(-0.0, 0.5, 89.9999999, -180.0, 1e-320, 1e300, -1e300, math.nan, math.inf, -math.inf),
)
TEXTS = (
    *("", " ", "\0", "a\0b", "\ud800", "caf\udce9.jpg", "é" * 100_000, "\U0001f600" * 5_000, "\u202e\u2028\n\r\t"),
    *("'; DROP TABLE files; --", '{"a": 1}', "\ufffd", "\ufeff", "%s%n", "../../etc/passwd", "<script>", "ß" * 2001),
)
MOMENTS = (
    *(
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00-14:00",
        "9999-12-31",
        "9999-12-31T23:59:59.999999",
    ),
    *("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59+14:00", "10000-01-01T00:00:00", "0000-00-00", "2024-02-30"),
    *(
        "2024-06-01T12:00:00+14:00",
        "2024-06-01T12:00:00-14:00",
        "2024-06-01T12:00:00+15:00",
        "2024-06-01T12:00:00+23:59",
    ),
    *("2024-06-01T24:00:01", "2024-06-30T23:59:60Z", "-2024-01-01", "2024-01-01T00:00:00.1234567", "1970-01-01T00:00Z"),
    *("2024-W01-1", "20240101T000000Z", "2024-01-01T00:00:00+00:00:30", "now", ""),
)
TIMES = (
    *(0, 1, -1, -(10**9), -(2**62), 2**62, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 2**70, -(2**70)),
    *(253_402_300_800 * 10**9, 32_503_680_000 * 10**9, 13_569_465_600 * 10**9),  # the years 10000, 3000 and 2400
)
"""Nanoseconds since the epoch."""

FACTS = {each.name: str(each.type) for each in fields(MediaFacts)}
DRAWN = 60
"""Records of facts that are all extreme at once, drawn at random."""


def values_of(name: str) -> tuple[Any, ...]:
    """Extremes of a fact. Decoders keep to its type, if to nothing else."""
    wanted = FACTS[name]
    if "bool" in wanted:
        return (True, False)
    if "str" in wanted:
        return (None, *(MOMENTS if name == "taken_at" else TEXTS))
    whole = "int" in wanted
    return (None, *(n for n in NUMBERS if isinstance(n, int if whole else int | float) and (whole or n is not True)))


def every_facts() -> Iterator[MediaFacts]:
    """Facts with one extreme each, and some with nothing else."""
    for name in FACTS:
        for value in values_of(name):
            yield MediaFacts(**{name: value})
    drawn = random.Random(13)
    for _ in range(DRAWN):
        yield MediaFacts(**{name: drawn.choice(values_of(name)) for name in FACTS})


EXTREMES = tuple(every_facts())


def through_protocol(decoded: Decoded) -> Decoded:
    """What the parent has of what a decoder made."""
    reading, writing = os.pipe()
    thread = threading.Thread(target=write_reply, args=(writing, Reply(decoded, 1)))
    thread.start()
    try:
        reply = read_reply(reading, Deadline(30))
    finally:
        os.close(reading)
        thread.join()
        os.close(writing)
    assert isinstance(reply.result, Decoded)
    return reply.result


def decoded_with(facts: MediaFacts, mime: str = "image/jpeg", moments: tuple[float, ...] = ()) -> Decoded:
    crops = np.zeros((len(moments), 224, 224, 3), np.uint8)
    return Decoded(Kind.VIDEO if moments else Kind.IMAGE, mime, facts, crops, moments)


def check_record(record: MediaRecord) -> None:
    """Every store and every page can have it."""
    payload = record.to_payload()
    assert MediaRecord.from_payload(json.loads(json.dumps(payload, allow_nan=False))) == record
    json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    assert "\\u0000" not in json.dumps(payload)
    for name, (low, high) in FACT_RANGES.items():
        value = getattr(record, name)
        assert value is None or (low <= value <= high)
    if record.taken_at is not None:
        taken = instant(record.taken_at)
        assert taken is not None
        taken.timestamp()
        assert is_moment(record.taken_at)
    assert abs(record.sort_time) < 2**38
    assert abs(record.mtime) < 2**34


def extreme_record(number: int, facts: MediaFacts, mtime: float = 0.0) -> MediaRecord:
    sha256 = f"{number:064x}"
    file = FileRef(f"/m/{number}.jpg", "m", 1, mtime, sha256)
    decoded = through_protocol(decoded_with(facts))
    return new_record(media_id(sha256), file, decoded, None, Embedded({}), None, "1")


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_is_kept_in_its_range_or_left_out(name: str) -> None:
    for number, value in enumerate(values_of(name)):
        record = extreme_record(number, MediaFacts(**{name: value}, **({} if name == "width" else {"width": 5})))
        check_record(record)
        kept = getattr(record, name)
        if name in FACT_RANGES:
            low, high = FACT_RANGES[name]
            assert kept == (value if value is not None and value is not True and low <= value <= high else None)
        elif name == "taken_at":
            assert kept == (value if value and is_moment(value) else None)
        elif isinstance(value, str):
            assert kept == (storable(value) or None)
            assert len(kept or "") <= 2000


def test_what_is_said_beside_the_facts_is_bounded() -> None:
    for text in TEXTS:
        assert through_protocol(decoded_with(MediaFacts(), mime=text)).mime == storable(text)
    moments = (math.nan, -1.0, -math.inf, math.inf, 1e300, 2.5)
    assert through_protocol(decoded_with(MediaFacts(), moments=moments)).moments == (0.0, 0.0, 0.0, 0.0, 1e9, 2.5)
    sound = np.array([math.nan, math.inf, -math.inf, 1e38, 0.5, -2.0], np.float32)
    kept = through_protocol(replace(decoded_with(MediaFacts()), kind=Kind.AUDIO, sound=Sound.of(sound))).sound
    assert kept is not None
    assert kept.samples() == pytest.approx([0.0, 0.0, 0.0, 1.0, 0.5e-6, -2e-6])


@pytest.mark.parametrize("time", TIMES)
def test_a_time_of_any_year_is_one_that_a_database_keeps(time: int) -> None:
    assert bounded_ns(time) == max(-MOST_NS, min(time, MOST_NS))
    check_record(extreme_record(1, MediaFacts(), bounded_ns(time) / 1e9))


@pytest.mark.parametrize("size", [*NUMBERS, None, "", "12", "many", [1]])
@pytest.mark.parametrize("key", ["LastModified", "mtime"])
def test_what_a_bucket_lists_is_bounded(size: Any, key: str) -> None:
    for modified in (*NUMBERS, *MOMENTS, None, [1]):
        facts = _facts("s3://b/a.jpg", {"size": size, key: modified, "ETag": '"x"'})
        assert 0 <= facts.size < 2**63
        assert abs(facts.mtime_ns) < 2**63


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, fakes: Any) -> Iterator[Store]:
    store = open_store(Settings(home=tmp_path_factory.mktemp("extremes")))
    for schema in fakes.SCHEMAS:
        store.ensure(schema)
    yield store
    store.close()


def test_the_embedded_store_takes_every_record_and_answers(embedded: Store) -> None:
    records = [extreme_record(number, facts) for number, facts in enumerate(EXTREMES)]
    records += [
        extreme_record(len(records) + at, MediaFacts(), bounded_ns(time) / 1e9) for at, time in enumerate(TIMES)
    ]
    vector = {"visual": np.ones((1, 8), np.float32)}
    embedded.upsert("images", [Point(record.id, vector, record.to_payload()) for record in records])
    stored = {point.id: MediaRecord.from_payload(point.payload) for point in embedded.scroll("images")}
    assert stored == {record.id: record for record in records}
    for where in (
        Filter(taken_from=instant("0001-01-01"), taken_to=instant("9999-12-31T23:59:59")),
        Filter(near=(89.9, 180.0, 1000.0)),
        Filter(cameras=(storable("é" * 100_000),)),
    ):
        list(embedded.scroll("images", where=where))
    dated = Filter(taken_from=instant("0001-01-02"), taken_to=instant("9999-12-30"))
    expected = {record.id for record in records if record.taken_at and "0001" < record.taken_at[:4] < "9999"}
    found = {point.id for point in embedded.scroll("images", where=dated)}
    assert {stored[id_].taken_at for id_ in expected - found} == set()
    assert found == expected


def make_runner(fakes: Any, store: Store) -> Any:
    class ExtremeRunner(fakes.FakeRunner):  # type: ignore[misc]
        """Embeds every file with extreme facts, which a decoder could have made of it."""

        def _outcome(self, batch: Batch, file: FileRef) -> Outcome:
            number = int(Path(file.path).stem.split("-")[0])
            decoded = through_protocol(decoded_with(EXTREMES[number % len(EXTREMES)]))
            identity = media_id(file.sha256)
            record = new_record(identity, file, decoded, None, Embedded({}), None, batch.job)
            check_record(record)
            vector = np.ones((1, fakes.DIM), np.float32)
            self.store.upsert(batch.kind.collection, [Point(identity, {"visual": vector}, record.to_payload())])
            self.seen.append(file.path)
            return Outcome(file.path, Status.EMBEDDED, media_id=identity, kind=batch.kind)

    return ExtremeRunner(store)


def test_a_run_over_extremes_stores_every_file(desk: Any, fakes: Any, counts: Callable[[Any], dict[str, int]]) -> None:
    desk.ingest._runner = make_runner(fakes, desk.store)
    for number in range(len(EXTREMES)):
        path = desk.write(f"{number:04}-a.jpg", f"picture {number}")
        time = TIMES[number % len(TIMES)]
        try:
            os.utime(path, ns=(0, time))
        except OverflowError:  # this system has no such times
            continue
    desk.write("plain/0000-plain.jpg", "a plain picture")
    done = desk.run()
    assert done.state is JobState.DONE, done.message
    assert counts(done) == {"embedded": len(EXTREMES) + 1}
    assert counts(desk.run()) == {"unchanged": len(EXTREMES) + 1}
    check_ledger(desk)


def test_a_file_of_the_year_2400_ends_no_ingest(
    desk: Any, counts: Callable[[Any], dict[str, int]], monkeypatch: Any
) -> None:
    """Not every file system holds such times; the listing is given them."""
    desk.fill(5)
    late = desk.write("late.jpg", "late")
    number = late.stat().st_ino

    class Late:
        st_mtime_ns, st_ctime_ns = 13_569_465_600 * 10**9, 2**70

        def __init__(self, found: os.stat_result) -> None:
            self._found = found

        def __getattr__(self, name: str) -> Any:
            return getattr(self._found, name)

    def late_or_found(real: Callable[..., os.stat_result]) -> Callable[..., Any]:
        def stat(*args: Any, **kwargs: Any) -> Any:
            found = real(*args, **kwargs)
            return Late(found) if found.st_ino == number else found

        return stat

    monkeypatch.setattr(os, "stat", late_or_found(os.stat))
    monkeypatch.setattr(os, "fstat", late_or_found(os.fstat))
    done = desk.run(late, desk.media / "00000.jpg")
    assert counts(done) == {"embedded": 2}, done.message
    with desk.ledger.read() as connection:
        row = connection.execute(select(files).where(files.c.path == str(late))).one()
    assert row.mtime_ns == MOST_NS
    check_ledger(desk)


def check_ledger(desk: Any) -> None:
    """Every value of every table fits into its column, in SQLite, which checks nothing, as in PostgreSQL."""
    with desk.ledger.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column in table.columns:
                    check_value(column.type, row[column.name])


def check_value(kind: Any, value: Any) -> None:
    if isinstance(value, str):
        assert storable(value, len(value)) == value
        assert (
            not isinstance(kind, String) or isinstance(kind, Text) or kind.length is None or len(value) <= kind.length
        )
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int) and isinstance(kind, Integer):
        assert abs(value) < (2**63 if isinstance(kind, BigInteger) or kind.__class__.__name__ == "Variant" else 2**31)


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_of_a_failure_can_be_noted(desk: Any, text: str) -> None:
    job = desk.ingest.start([desk.media])
    desk.ingest.run(job)
    entry = Entry("/m/a.jpg", "/m", 1, 0, 0, FileState.FAILED, code="corrupt", detail=text)
    with desk.ledger.write() as connection:
        write_entries(connection, int(job), {"/m/a.jpg": (entry, "failed")})
    (failure,) = desk.ingest.failures()
    assert failure.detail == storable(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_library_is_called_by_its_name_or_not_at_all(desk: Any, text: str) -> None:
    desk.fill(1)
    if len(text) <= 200 and storable(text) == text:
        assert desk.run(library=text or None).state is JobState.DONE
        return
    with pytest.raises(UsageError, match="A library cannot be called"):
        desk.ingest.start([desk.media], library=text)


def test_a_message_of_any_text_is_stored(desk: Any) -> None:
    for text in TEXTS:

        def fail(_batch: Batch, text: str = text) -> None:
            raise ValueError(text)

        desk.write("a.jpg", f"picture {hash(text)}")
        desk.runner.before = fail
        job = desk.ingest.start([desk.media])
        with pytest.raises(ValueError):  # noqa: PT011
            desk.ingest.run(job)
        assert desk.ingest.progress(job).state is JobState.FAILED
    check_ledger(desk)


def test_paths_that_are_too_long_for_the_database_are_told(
    desk: Any, counts: Callable[[Any], dict[str, int]], monkeypatch: Any
) -> None:
    """An index of PostgreSQL refuses them; the limit is lowered here, so that folders need not be that deep."""
    monkeypatch.setattr(type(desk.ledger), "longest_path", len(str(desk.media)) + 60)
    desk.fill(3)
    drawn = random.Random(5)
    long = "".join(drawn.choices("äöüabcdefghijk", k=80))
    desk.write(f"{long}.jpg", "long")
    desk.write(f"{long}/b.jpg", "longer")
    done = desk.run()
    assert counts(done) == {"embedded": 3, "failed": 2}, done.message
    for failure in desk.ingest.failures():
        assert len(failure.path.encode()) <= len(str(desk.media)) + 60
        assert "longer than" in failure.detail
    assert counts(desk.run()) == {"unchanged": 3, "failed": 2}


def test_shortened_paths_differ_and_fit() -> None:
    one, other = "/m/" + "é" * 3000, "/m/" + "é" * 2999 + "e"
    assert len(shortened(one, 2500).encode()) <= 2500
    assert shortened(one, 2500) != shortened(other, 2500)
    assert shortened("/m/a.jpg", 2500) == "/m/a.jpg"
    assert isinstance(Unreadable(shortened(one, 10), ""), Unreadable)
