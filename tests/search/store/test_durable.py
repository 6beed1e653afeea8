"""Files that are whole after a crash, and copies that stay sparse."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from search.errors import DiskFullError, NotFoundError, StoreError
from search.store import durable
from search.store.payloads import group_patches


def test_a_sparse_folder_is_copied_byte_for_byte_without_filling_its_holes(tmp_path):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    with (source / "inner" / "sparse").open("wb") as file:
        file.write(b"head")
        file.seek(20 * 2**20)
        file.write(b"middle")
        file.truncate(60 * 2**20)
    (source / "empty").write_bytes(b"")
    (source / "hole").open("wb").truncate(2**20)
    durable.copy_sparse(source, tmp_path / "copy")
    for name in ("inner/sparse", "empty", "hole"):
        assert (tmp_path / "copy" / name).read_bytes() == (source / name).read_bytes()
    assert durable.size_on_disk(tmp_path / "copy") <= max(durable.size_on_disk(source), 2**20)


def test_a_tree_is_synchronised_to_the_last_file_and_folder(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"x")
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink()))
    durable.sync_tree(tmp_path)
    assert set(synced) == {tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "file"}


@pytest.mark.parametrize("needed", [0, 2**62])
def test_the_quick_folder_is_in_memory_only_where_there_is_room(tmp_path, monkeypatch, needed):
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    monkeypatch.setattr(durable, "_MEMORY", memory)
    monkeypatch.setattr(durable, "_MEMORY_NEEDED", needed)
    with durable.quick_folder(disk) as folder:
        assert folder.parents[1] == (disk if needed else memory)
    assert not list(tmp_path.glob("*/*"))


def test_a_system_without_memory_folders_makes_it_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "_MEMORY", tmp_path / "absent")
    with durable.quick_folder(tmp_path) as folder:
        assert folder.parents[1] == tmp_path


def test_json_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "metadata.json"
    durable.write_json(path, {"n": 1})

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError), durable.engine_errors(tmp_path):
        durable.write_json(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 1}


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (Exception("Service runtime error: No space left on device (os error 28)"), DiskFullError),
        (Exception("Service runtime error: something else"), StoreError),
        (OSError(errno.EDQUOT, "quota"), DiskFullError),
        (OSError(errno.EACCES, "denied"), StoreError),
        (NotFoundError("as it is"), NotFoundError),
    ],
)
def test_what_the_engine_raises_is_told_apart_and_keeps_its_cause(tmp_path, raised, expected):
    with pytest.raises(expected) as caught, durable.engine_errors(tmp_path):
        raise raised
    assert type(caught.value) is expected
    assert caught.value is raised or caught.value.__cause__ is raised


def test_equal_patches_become_one_operation():
    patches = group_patches({"a": {"missing": True}, "b": {"missing": True}, "c": {"missing": True, "size": None}})
    assert [(p.ids, p.set, p.remove) for p in patches] == [
        (["a", "b"], {"missing": 1}, []),
        (["c"], {"missing": 1}, ["size"]),
    ]


def test_holes_of_payload_indexes_are_filled_in_memory_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "segments" / "1" / "payload_index" / "size"
    index.mkdir(parents=True)
    page, other = index / "page_0.dat", index.parents[1] / "page_0.dat"
    for path in (page, other):
        with path.open("wb") as file:
            file.truncate(1 << 20)
    monkeypatch.setattr(durable, "_is_in_memory", lambda _folder: False)
    durable.back_holes(tmp_path)
    assert page.stat().st_blocks == 0
    monkeypatch.setattr(durable, "_is_in_memory", lambda _folder: True)
    durable.back_holes(tmp_path)
    assert page.stat().st_blocks * 512 == page.stat().st_size == 1 << 20
    assert other.stat().st_blocks == 0


def test_what_is_in_memory_is_known_by_the_mounts() -> None:
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    kinds = {line.split()[4]: line.partition(" - ")[2].split()[0] for line in lines}
    for place in {"/", "/dev/shm", "/proc"} & kinds.keys():
        assert durable._is_in_memory(Path(place)) == (kinds[place] == "tmpfs")
