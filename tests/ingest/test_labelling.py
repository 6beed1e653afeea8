"""Who took what: said by files, folders, tables and people, and never forgotten."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete

from ingest.jobs.service import JobService, JobState
from ingest.ledger.credits import Credits
from ingest.ledger.entries import chunked
from ingest.ledger.tables import files
from ingest.photographers import table_matching
from ingest.photographers.labelling import Label
from search.errors import NotFoundError, UsageError
from search.media import MediaRecord, media_id, word_list
from search.store.filters import Filter


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, nothing is tidied up."""


def artist_of(content: bytes) -> str | None:
    """What a test file says of itself: ``by Ada:…``."""
    return content[3:].partition(b":")[0].decode() if content.startswith(b"by ") else None


@pytest.fixture
def desk(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A desk whose files may name an artist, and whose jobs may label."""
    outcome = desk.runner._outcome

    def with_artist(batch: Any, file: Any) -> Any:
        done = outcome(batch, file)
        if artist := artist_of(Path(file.path).read_bytes()):
            (point,) = desk.store.retrieve(batch.kind.collection, [done.media_id])
            record = replace(MediaRecord.from_payload(point.payload), photographer=artist, artist=artist, credit="exif")
            desk.store.patch_payload(batch.kind.collection, {done.media_id: record.to_payload()})
        return done

    monkeypatch.setattr(desk.runner, "_outcome", with_artist)
    tasks = {"label": Label(desk.store, desk.ledger)}
    desk.ingest.halt()
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks=tasks, retry_delays=(0.0, 0.0))
    return desk


@pytest.fixture
def library(desk: Any) -> Any:
    """Two files that name Eve, and one each of four others."""
    for name in ("Ada/1.jpg", "Ada/2.mp4", "Bo/1.jpg", "DCIM/100CANON/1.jpg", "DCIM/100CANON/1.wav"):
        desk.write(name, f"picture {name}")
    for name in ("Ada/eve.jpg", "Bo/eve.jpg"):
        desk.write(name, f"by Eve:{name}")
    desk.run()
    return desk


def label(desk: Any, **options: str) -> Any:
    options["from"] = options.pop("source")
    return desk.ingest.run(desk.ingest.start_task("label", options))


def table(*lines: str) -> str:
    return "\n".join(["path,photographer", *lines])


def people(desk: Any) -> dict[str, tuple[str | None, str | None]]:
    """Each file's photographer and where that is from."""
    found = {}
    for name, record in desk.records().items():
        (point,) = desk.store.retrieve(record.kind.collection, [record.id])
        found[name] = point.payload.get("photographer"), point.payload.get("credit")
        searched = set(str(point.payload["words"]).split())
        assert searched >= set(word_list(record.photographer or "")), "what is searched for follows"
    return found


def test_from_folders(library: Any) -> None:
    done = label(library, source="folder")
    assert people(library) == {
        "Ada/1.jpg": ("Ada", "folder"),
        "Ada/2.mp4": ("Ada", "folder"),
        "Ada/eve.jpg": ("Ada", "folder"),
        "Bo/1.jpg": ("Bo", "folder"),
        "Bo/eve.jpg": ("Bo", "folder"),
        "DCIM/100CANON/1.jpg": (None, None),
        "DCIM/100CANON/1.wav": (None, None),
    }
    assert (done.state, done.total, done.embedded, done.skipped) == (JobState.DONE, 6, 5, 1)
    assert done.message == (
        "5 are credited to 2 photographers: Ada 3, Bo 2. 1 lie in folders that name nobody. "
        "Files that are imported later go by what they say themselves, until this is done again."
    )
    assert library.store.count("images", Filter(photographers=("Bo",))) == 2


def test_a_better_source_counts_and_the_other_comes_back_when_it_is_taken_back(library: Any) -> None:
    label(library, source="csv", base=str(library.media), table=table("Ada/1.jpg,Cleo"))
    done = label(library, source="folder", path=str(library.media / "Ada"))
    assert people(library)["Ada/1.jpg"] == ("Cleo", "csv")
    assert "2 are credited to 1 photographer: Ada 2. 1 go by another source (csv 1)." in done.message
    assert label(library, source="none", of="csv").message.startswith("The credits of 1 are taken back.")
    assert people(library)["Ada/1.jpg"] == ("Ada", "folder")
    assert label(library, source="none", of="csv").message == "Nothing was credited by that, so nothing is taken back."
    assert "taken in later" not in label(library, source="none", of="all").message
    assert people(library)["Ada/1.jpg"] == (None, None)
    assert people(library)["Ada/eve.jpg"] == ("Eve", "exif")


def test_overwriting_lets_a_lesser_source_count_until_a_person_speaks(library: Any) -> None:
    label(library, source="csv", base=str(library.media), table=table("Ada/*,Cleo"))
    label(library, source="exif")
    assert people(library)["Ada/eve.jpg"] == ("Cleo", "csv")
    done = label(library, source="exif", overwrite="1")
    assert people(library)["Ada/eve.jpg"] == ("Eve", "exif")
    assert "2 are credited to 1 photographer: Eve 2." in done.message
    Credits(library.ledger, library.store).by_hand([library.records()["Ada/eve.jpg"].id], "Zoe")
    assert people(library)["Ada/eve.jpg"] == ("Zoe", "person")
    assert people(library)["Bo/eve.jpg"] == ("Eve", "exif")


def test_a_table_names_paths_folders_and_patterns(library: Any) -> None:
    done = label(
        library,
        source="csv",
        base=str(library.media),
        table=table(
            f"{library.media}/Bo/1.jpg,Cleo",
            "**/*.jpg,Dora",
            "Ada,Finn",
            "nowhere.jpg,Gus",
            "Bo/*.png,Gus",
            "Bo/eve.jpg,unknown",
            "[z-a].jpg,Gus",
        ),
    )
    found = people(library)
    assert found["Bo/1.jpg"] == ("Cleo", "csv"), "a path counts more than a pattern behind it"
    assert found["Ada/1.jpg"] == ("Finn", "csv"), "of two folders or patterns, the later line"
    assert found["Ada/2.mp4"] == ("Finn", "csv")
    assert found["DCIM/100CANON/1.jpg"] == found["Bo/eve.jpg"] == ("Dora", "csv")
    assert (done.state, done.failed) == (JobState.DONE_WITH_FAILURES, 4)
    for said in ("Line 5 means no photo", "Line 6 means no photo", "Line 7 names no photographer", "3 are named diff"):
        assert said in done.message
    assert re.findall(r"Line (\d+)", done.message) == ["5", "6", "7", "8"], "whatever is wrong with each"


@pytest.mark.parametrize(
    ("asked", "lines"),
    [("_by_path", ("Ada/1.jpg,Cleo", "Bo/1.jpg,Dora")), ("_matched", ("A*/*,Cleo", "Bo,Dora", "**,Eve"))],
)
def test_it_is_stopped_while_a_table_is_looked_up(
    library: Any, monkeypatch: pytest.MonkeyPatch, asked: str, lines: tuple[str, ...]
) -> None:
    before, looked, look = people(library), [], getattr(table_matching, asked)

    def cancelled(*given: Any) -> Any:
        looked.append(given)
        library.ingest.cancel(job)
        return look(*given)

    monkeypatch.setattr(table_matching, asked, cancelled)
    monkeypatch.setattr(table_matching, "chunked", partial(chunked, size=1))
    options = {"from": "csv", "base": str(library.media), "table": table(*lines)}
    job = library.ingest.start_task("label", options)
    done = library.ingest.run(job)
    assert (done.state, len(looked)) == (JobState.CANCELLED, 1)
    assert done.message == "What is credited stays; the same again goes on from there."
    assert people(library) == before


def test_paths_lead_out_of_the_tables_folder(library: Any) -> None:
    base = str(library.media / "Bo")
    done = label(library, source="csv", base=base, table=table("../Ada/1.jpg,Cleo", "./../DCIM/**,Dora"))
    assert done.state is JobState.DONE, done.message
    found = people(library)
    assert (found["Ada/1.jpg"], found["DCIM/100CANON/1.jpg"]) == (("Cleo", "csv"), ("Dora", "csv"))


def test_a_folder_is_found_by_every_way_to_it(library: Any, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(library.media)
    for number, way in enumerate((library.media / "Bo" / ".." / "Ada", tmp_path / "link" / "Ada")):
        done = label(library, source="folder", path=str(way), overwrite=str(number))
        assert "3 are credited to 1 photographer: Ada 3." in done.message


def test_relative_paths_are_found_in_what_was_taken_in(library: Any) -> None:
    label(library, source="csv", table=table("Ada/1.jpg,Cleo"))
    assert people(library)["Ada/1.jpg"] == ("Cleo", "csv")


def test_one_content_in_several_peoples_folders_is_left_alone(library: Any) -> None:
    shutil.copy(library.media / "Ada/1.jpg", library.media / "Bo/copy.jpg")
    library.run()
    done = label(library, source="folder")
    assert people(library)["Ada/1.jpg"] == (None, None)
    assert "1 lie in folders of several names" in done.message
    label(library, source="folder", path=str(library.media / "Ada"))
    assert people(library)["Bo/copy.jpg"] == ("Ada", "folder")


def test_by_hand(library: Any) -> None:
    ids = {name: record.id for name, record in library.records().items()}
    hand = Credits(library.ledger, library.store)
    hand.by_hand([ids["Ada/eve.jpg"], ids["Ada/1.jpg"]], "  Zoe\n ")
    hand.by_hand([ids["Bo/eve.jpg"]], None)
    found = people(library)
    assert found["Ada/eve.jpg"] == found["Ada/1.jpg"] == ("Zoe", "person")
    assert found["Bo/eve.jpg"] == (None, "person"), "the file says Eve, and a person knows better"
    with pytest.raises(UsageError, match="no photographer's name"):
        hand.by_hand([ids["Ada/1.jpg"]], "unknown")
    with pytest.raises(NotFoundError):
        hand.by_hand([media_id("0" * 64)], "Zoe")
    done = label(library, source="person", ids=f"{ids['Bo/1.jpg']},{media_id('0' * 64)}", name="Zoe")
    assert done.message == "1 are credited to 1 photographer: Zoe 1."
    label(library, source="folder")
    assert people(library)["Bo/1.jpg"] == ("Zoe", "person")


def test_a_person_who_was_wrong_can_be_taken_back(library: Any) -> None:
    (id_,) = (record.id for name, record in library.records().items() if name == "Bo/eve.jpg")
    Credits(library.ledger, library.store).by_hand([id_], "Zoe")
    label(library, source="none", of="person", path=str(library.media / "Bo"))
    assert people(library)["Bo/eve.jpg"] == ("Eve", "exif")


def test_what_was_said_survives_a_file_being_read_again(library: Any) -> None:
    label(library, source="folder", path=str(library.media / "Bo"))
    before = people(library)
    lost = [record.id for name, record in library.records().items() if name.startswith("Bo/")]
    library.store.delete("images", lost)
    library.run()
    assert len(library.seen) == 2
    assert people(library) == before
    assert people(library)["Bo/eve.jpg"] == ("Bo", "folder")


def test_an_ingest_that_is_killed_before_it_has_credited_does_so_when_it_goes_on(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    label(library, source="folder", path=str(library.media / "Bo"))
    library.store.delete("images", [record.id for name, record in library.records().items() if name.startswith("Bo/")])
    with monkeypatch.context() as patched:
        patched.setattr(Credits, "apply", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            library.run()
    assert people(library)["Bo/eve.jpg"] == ("Eve", "exif"), "as the file says"
    (left,) = library.ingest.unfinished()
    assert library.ingest.run(left).state is JobState.DONE
    assert people(library)["Bo/eve.jpg"] == people(library)["Bo/1.jpg"] == ("Bo", "folder")


def test_a_file_that_comes_back_after_it_was_forgotten_has_its_credit(library: Any) -> None:
    label(library, source="folder", path=str(library.media / "Bo"))
    content = (library.media / "Bo/1.jpg").read_bytes()
    (library.media / "Bo/1.jpg").unlink()
    with library.ledger.write() as connection:
        connection.execute(delete(files).where(files.c.path == str(library.media / "Bo/1.jpg")))
    library.store.delete("images", [media_id(hashlib.sha256(content).hexdigest())])
    library.write("elsewhere/back.jpg", content)
    library.run()
    assert people(library)["elsewhere/back.jpg"] == ("Bo", "folder")


def test_whoever_is_renamed_stays_renamed(library: Any) -> None:
    hand = Credits(library.ledger, library.store)
    assert hand.rename("Eve", "Eve Adams") == 2
    assert people(library)["Ada/eve.jpg"] == ("Eve Adams", "exif")
    library.write("new/eve.jpg", "by Eve:later")
    library.run()
    assert people(library)["new/eve.jpg"] == ("Eve Adams", "exif")


def test_merging_and_undoing_it(library: Any) -> None:
    hand = Credits(library.ledger, library.store)
    label(library, source="folder", path=str(library.media / "Bo"))
    label(library, source="none", of="folder", path=str(library.media / "Bo/eve.jpg"))
    hand.rename("Bo", "Eve")
    assert {name for name, _ in people(library).values()} == {"Eve", None}
    hand.rename("Bo", "Bo")
    assert people(library)["Bo/1.jpg"] == ("Bo", "folder")
    assert people(library)["Bo/eve.jpg"] == ("Eve", "exif")


def test_renames_follow_one_another_and_back(library: Any) -> None:
    hand = Credits(library.ledger, library.store)
    for old, new in (("Eve", "E"), ("E", "E. Adams"), ("E. Adams", "Eve")):
        hand.rename(old, new)
        assert people(library)["Bo/eve.jpg"] == (new, "exif")
    library.write("new/eve.jpg", "by E:later")
    library.run()
    assert people(library)["new/eve.jpg"] == ("Eve", "exif")
    for nobody in ("Nobody here", "N\0", "\udcff"):
        for new in ("Eve", nobody):
            with pytest.raises(NotFoundError):
                hand.rename(nobody, new)
    with pytest.raises(UsageError):
        hand.rename("Eve", "unknown")


def test_without_labels_an_ingest_looks_at_nothing(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Credits, "apply", lambda *_: pytest.fail("there is nothing to apply"))
    library.write("more.jpg", "by Eve:more")
    assert library.run().state is JobState.DONE


def with_features(desk: Any, names: list[str]) -> None:
    """Pictures that look alike when their numbers are both even, or both odd; 11.jpg looks like nothing."""
    for name in names:
        desk.write(name, f"{'by Eve:' if name in ('00.jpg', '01.jpg') else ''}{name}")
    desk.run()
    rng = np.random.default_rng(0)
    for name, record in desk.records().items():
        features = rng.normal(100 if int(Path(name).stem) % 2 else 0, 1, 78).tolist() if name != "11.jpg" else None
        desk.store.patch_payload("images", {record.id: {"features": features}})


def test_groups_of_alike_pictures_never_replace_a_real_credit(desk: Any) -> None:
    with_features(desk, [f"{number:02}.jpg" for number in range(12)])
    done = label(desk, source="kmeans", groups="2")
    found = people(desk)
    assert found["00.jpg"] == found["01.jpg"] == ("Eve", "exif")
    assert {found[f"{n:02}.jpg"] for n in (2, 4, 6, 8, 10)} == {("Group 01", "kmeans")}
    assert {found[f"{n:02}.jpg"] for n in (3, 5, 7, 9)} == {("Group 02", "kmeans")}
    assert found["11.jpg"] == (None, None)
    assert (done.state, done.total, done.embedded, done.skipped) == (JobState.DONE, 12, 9, 3)
    assert "2 have a real credit" in done.message
    assert "1 have no features yet" in done.message
    label(desk, source="kmeans", groups="2", overwrite="1")
    assert people(desk)["00.jpg"][1] == "kmeans"
    label(desk, source="none", of="kmeans")
    assert people(desk)["00.jpg"] == ("Eve", "exif")


def test_a_name_given_to_a_group_is_not_that_of_another_one_made_later(desk: Any) -> None:
    with_features(desk, [f"a/{number}.jpg" for number in range(5)] + [f"b/{number}.jpg" for number in range(7)])
    label(desk, source="kmeans", groups="2", path=str(desk.media / "a"))
    assert people(desk)["a/0.jpg"] == ("Group 01", "kmeans")
    Credits(desk.ledger, desk.store).rename("Group 01", "Ada")

    label(desk, source="kmeans", groups="2", path=str(desk.media / "b"))
    found = {name: said for name, (said, _) in people(desk).items()}
    assert [found[f"a/{number}.jpg"] for number in range(5)] == ["Ada", "Group 02", "Ada", "Group 02", "Ada"]
    assert (found["b/0.jpg"], found["b/1.jpg"]) == ("Group 03", "Group 04"), "beside those of other photos"

    label(desk, source="kmeans", groups="2")
    assert {said for said, _ in people(desk).values()} == {"Group 01", "Group 02"}, "made anew of all"


@pytest.mark.parametrize("at", [0, 2, 5])
def test_cut_off_it_goes_on(library: Any, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    monkeypatch.setattr("ingest.photographers.labelling.PAGE", 1)
    patch, left = library.store.patch_payload, [at]

    def killed(collection: str, patches: Any) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        patch(collection, patches)

    monkeypatch.setattr(library.store, "patch_payload", killed)
    job = library.ingest.start_task("label", {"from": "folder", "depth": "0"})
    if at < 5:
        with pytest.raises(Killed):
            library.ingest.run(job)
        monkeypatch.setattr(library.store, "patch_payload", patch)
    done = library.ingest.run(job)
    assert (done.state, done.embedded, done.skipped) == (JobState.DONE, 5, 1)
    assert people(library)["Ada/2.mp4"] == ("Ada", "folder")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "dreams"}, "option 'from' of a label job cannot be 'dreams'"),
        ({"source": "csv"}, "empty"),
        ({"source": "csv", "table": "a,b"}, "'path'"),
        ({"source": "person", "name": "Ada"}, "which photos"),
        ({"source": "person", "name": "unknown", "ids": "x"}, "no photographer's name"),
        ({"source": "none"}, "which credits"),
        ({"source": "none", "of": "dreams"}, "one of exif, folder"),
        ({"source": "folder", "depth": "-1"}, "a whole number from 0"),
        ({"source": "kmeans", "groups": "1"}, "a whole number from 2"),
        ({"source": "folder", "colour": "red"}, "no option 'colour'"),
        ({"source": "folder", "path": "/nowhere"}, "has been imported"),
    ],
)
def test_what_makes_no_sense_makes_no_job(library: Any, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        label(library, **options)
