"""``likewise backup``, ``restore`` and ``migrate``, with the real store on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from search.store.edge.store import EdgeStore
from search.transfer import COPYING


@pytest.fixture
def taken_in(cli: Any, media: Path) -> Any:
    """The command line of a data directory that holds the media."""
    cli.json("ingest", media, status=1)
    return cli


def test_backup_and_restore(taken_in: Any, media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    done = taken_in.json("backup", folder)
    assert (done["state"], done["task"], done["path"]) == ("done", "backup", str(folder))
    assert done["done"] == done["total"] == 9
    checked = taken_in.json("backup", folder, "--verify")
    assert (checked["whole"], checked["damaged"]) == (True, [])
    assert (checked["collections"]["images"], checked["files"]) == (9, 11)
    first = taken_in.json("backup", folder, "--verify")
    assert taken_in.json("backup", folder)["state"] == "done"
    assert taken_in.json("backup", folder, "--test-restore")["collections"]["images"] == 9
    assert len(taken_in.json("backup", folder, "--verify")["snapshots"]) == 2
    assert "not empty" in taken_in.json("restore", folder, status=2)["error"]["message"]

    other = type(taken_in)(tmp_path / "restored")
    assert "holds no backup" in other.json("restore", folder, "--snapshot", "no", status=2)["error"]["message"]
    restored = other.json("restore", folder, "--snapshot", *first["snapshots"])
    assert (restored["collections"]["images"], restored["files"]) == (9, 11)
    assert (restored["home"], restored["store"]) == (str(tmp_path / "restored"), "edge")
    again = other.json("ingest", media)
    assert (again["unchanged"], again["embedded"]) == (11, 0), "the restored ledger knows every file"
    question = ("similar", media / "red" / "red-0.png", "--limit", "9")
    ours, theirs = taken_in.json(*question), other.json(*question)
    assert len(theirs["hits"]) >= 8
    assert [(hit["id"], hit["score"], hit["match"]) for hit in ours["hits"]] == [
        (hit["id"], hit["score"], hit["match"]) for hit in theirs["hits"]
    ]
    for hit in theirs["hits"]:
        key = f"{hit['id'][:2]}/{hit['id']}.webp"
        assert (other.home / "previews" / key).read_bytes() == (taken_in.home / "previews" / key).read_bytes()


def test_damage_and_what_is_told_in_words(taken_in: Any, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert "9 records in" in taken_in("backup", folder).stdout
    shown = taken_in("backup", folder, "--verify").stdout
    assert "9 images" in shown
    assert "parts are as they were written" in shown

    (part,) = (folder / "collections" / "images").iterdir()
    whole = part.read_bytes()
    part.write_bytes(whole[:-3] + b"xxx")
    checked = taken_in.json("backup", folder, "--verify", status=1)
    assert checked["whole"] is False
    assert f"collections/images/{part.name}" in checked["damaged"]
    assert f"collections/images/{part.name}" in taken_in("backup", folder, "--verify").stdout
    other = type(taken_in)(tmp_path / "restored")
    refused = other.json("restore", folder, status=3)["error"]
    assert refused["code"] == "backup"
    assert part.name in refused["message"]
    assert taken_in.json("backup", folder, "--test-restore", status=3)["error"]["code"] == "backup"
    assert other.json("status")["collections"] == {}

    part.write_bytes(whole)
    assert "9 records and 11 files known are back, each compared" in other("restore", folder).stdout


def test_what_is_no_backup(cli: Any, tmp_path: Path) -> None:
    assert "has no manifest.json" in cli.json("backup", tmp_path, "--verify", status=3)["error"]["message"]
    assert cli.json("restore", tmp_path / "nowhere", status=3)["error"]["code"] == "backup"
    (tmp_path / "unfinished.jsonl").write_text("")
    assert "was never finished" in cli.json("restore", tmp_path, status=3)["error"]["message"]


def test_half_a_restore_is_not_opened(taken_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backup"
    taken_in.json("backup", folder)
    other = type(taken_in)(tmp_path / "restored")

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ingest.maintenance.backup.restore.Restore.finish", interrupted)
        assert other("restore", folder).exit_code == 130
    refused = other.json("status", status=3)["error"]
    assert "was cut off" in refused["message"]
    assert f"likewise restore {folder}" in refused["hint"]
    other.json("restore", folder)
    assert other.json("status")["collections"]["images"]["points"] == 9


def test_migrate_and_use_it_as_was_said(
    taken_in: Any, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "moved"
    done = taken_in.json("migrate", "--to", "edge:moved")
    assert done["to"] == f"edge:{target}"
    assert done["done"] == done["total"] == 18
    assert done["settings"] == {
        "LIKEWISE_STORE": "edge",
        "LIKEWISE_HOME": str(target),
        "LIKEWISE_DATABASE_URL": f"sqlite:///{taken_in.home / 'ledger.sqlite'}",
        "LIKEWISE_SHARED": str(taken_in.home),
    }
    assert "did not come from here" in taken_in.json("migrate", "--to", "edge:moved", status=2)["error"]["message"]
    assert "names no store" in taken_in.json("migrate", "--to", "there", status=2)["error"]["message"]

    with monkeypatch.context() as patched:
        for name, value in done["settings"].items():
            patched.setenv(name, value)
        again = json.loads(taken_in("ingest", str(media), "--json", home=False).stdout)
        assert (again["unchanged"], again["embedded"]) == (11, 0)
        assert json.loads(taken_in("status", "--json", home=False).stdout)["collections"]["images"]["points"] == 9

    store = EdgeStore(target)
    store.set_metadata("images", {COPYING: {"from": "elsewhere", "after": None}})
    store.close()
    moved = type(taken_in)(target)
    assert "'images' does not hold everything" in moved.json("status", status=3)["error"]["message"]


def test_records_that_a_truncated_shard_lost_are_named_not_backed_up_and_embedded_again(
    taken_in: Any, tmp_path: Path
) -> None:
    folder, partial = tmp_path / "backup", tmp_path / "partial"
    truncate_shard(taken_in.home)
    lost = 9 - taken_in.json("status")["collections"]["images"]["points"]
    assert 0 < lost < 9

    refused = taken_in.json("backup", folder, status=3)["error"]["message"]
    assert f"lacks {lost} of the 9 records" in refused
    assert not (folder / "manifest.json").exists()
    found = taken_in.json("verify", status=1)
    assert found["counts"] == {"no_record": lost}
    named = {each["id"] for each in found["findings"]}
    assert all(Path(path).is_file() for each in found["findings"] for path in each["paths"])

    assert taken_in.json("backup", partial, "--with-damaged")["done"] == 9 - lost
    checked = taken_in.json("backup", partial, "--verify", status=1)
    assert checked["damaged"] == []
    assert {each.split()[1] for each in checked["damaged_records"]} == named
    assert all(each.endswith("(record)") for each in checked["damaged_records"])

    assert taken_in.json("verify", "--repair")["repaired"] == lost
    assert taken_in.json("backup", folder)["done"] == 9
    assert taken_in.json("backup", folder, "--verify")["whole"]


def test_damaged_vectors_and_previews_are_named_not_backed_up_and_made_anew(taken_in: Any, tmp_path: Path) -> None:
    gone, damaged, *_ = sorted((taken_in.home / "previews").glob("*/*.webp"))
    gone.unlink()
    flip(damaged, damaged.stat().st_size // 2)
    (chunk,) = taken_in.home.glob("collections/images/shard-1/segments/*/vector_storage-visual/vectors/chunk_0.mmap")
    for vector in range(4):
        flip(chunk, vector * chunk_bytes(taken_in) + 2)

    refused = taken_in.json("backup", tmp_path / "backup", status=3)["error"]["message"]
    assert "What is stored is damaged" in refused
    found = taken_in.json("verify", status=1)
    assert found["counts"] == {"preview": 2, "vectors": 4}
    previews = {each["id"]: each["detail"] for each in found["findings"] if each["fault"] == "preview"}
    assert "is gone" in previews[gone.stem]
    assert "is not what was written" in previews[damaged.stem]
    assert all(Path(path).is_file() for each in found["findings"] for path in each["paths"])

    assert taken_in.json("verify", "--repair")["repaired"] == 6
    assert taken_in.json("verify")["counts"] == {}
    assert taken_in.json("backup", tmp_path / "backup")["done"] == 9


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))


def chunk_bytes(taken_in: Any) -> int:
    """Bytes of one vector of the pictures."""
    return 4 * int(taken_in.json("status")["collections"]["images"]["spaces"]["visual"]["dim"])


def truncate_shard(home: Path) -> None:
    """Cut half of the records off, as a file system may after a power failure."""
    shard = home / "collections" / "images" / "shard-1"
    (mappings,) = shard.glob("segments/*/mutable_id_tracker.mappings")
    with mappings.open("r+b") as file:
        file.truncate(mappings.stat().st_size // 2)
    for entry in (shard / "wal").glob("open-*"):
        entry.unlink()
