"""What only the embedded store must do: its lock, its durability, indexing beside readers and writers, a full disk."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import numpy as np
import pytest

from search.errors import DiskFullError, SpaceMismatchError, StoreError, StoreLockedError
from search.store import open_store
from search.store.base import Point, VectorQuery
from search.store.edge import layout, shard
from search.store.edge.store import EdgeStore
from search.store.filters import Filter


def child(repository, code, *arguments):
    """A Python process that runs ``code`` with the repository importable."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def indexable(monkeypatch, home, images, make_image):
    """A store whose 700 images are worth an index, and the images."""
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
    store = EdgeStore(home)
    store.ensure(images)
    points = [make_image(n) for n in range(700)]
    store.upsert("images", points)
    yield store, points
    store.close()


def nearest(store, images, point):
    return store.query("images", [VectorQuery(images.fields[0].space, point.vectors["visual"], 1)])[0][0].id


class TestOpening:
    def test_open_store_follows_the_settings(self, make_settings):
        settings = make_settings()
        store = open_store(settings)
        assert store.engine == "edge"
        assert (settings.home / "store.lock").is_file()
        store.close()

    def test_a_second_process_is_refused_and_told_who_holds_it(self, repository, home, images):
        store = EdgeStore(home)
        code = "import sys, pathlib, search.store.edge.store as edge; edge.EdgeStore(pathlib.Path(sys.argv[1]))"
        _, complaint = child(repository, code, home).communicate()
        assert "StoreLockedError" in complaint
        assert str(os.getpid()) in complaint
        assert str(home) in complaint
        with pytest.raises(StoreLockedError):
            EdgeStore(home)
        store.close()
        EdgeStore(home).close()

    def test_everything_is_there_after_reopening(self, home, images, make_image):
        store = EdgeStore(home)
        store.ensure(images)
        store.upsert("images", [make_image(n) for n in range(20)])
        store.set_metadata("images", {"x": [1, 2]})
        before = list(store.scroll("images", vectors=["visual"]))
        store.close()
        store = EdgeStore(home)
        after = list(store.scroll("images", vectors=["visual"]))
        assert [(p.id, p.payload) for p in after] == [(p.id, p.payload) for p in before]
        np.testing.assert_array_equal(
            np.vstack([p.vectors["visual"] for p in after]), np.vstack([p.vectors["visual"] for p in before])
        )
        assert store.metadata("images") == {"x": [1, 2]}
        assert store.schema("images") == images
        store.close()

    def test_edited_metadata_is_refused(self, home, images):
        store = EdgeStore(home)
        store.ensure(images)
        store.close()
        path = home / "collections" / "images" / "metadata.json"
        path.write_text(path.read_text().replace("test-model", "better-model"))
        with pytest.raises(SpaceMismatchError, match="better-model"):
            EdgeStore(home)
        path.write_text("{")
        with pytest.raises(StoreError):
            EdgeStore(home)

    def test_a_creation_that_was_killed_half_way_is_begun_again(self, home, images, make_image):
        half = home / "collections" / "images" / "shard-1" / "segments"
        half.mkdir(parents=True)
        (half / "rubbish").write_bytes(b"?")
        store = EdgeStore(home)
        assert store.collections() == {}
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        assert store.count("images") == 1
        store.close()

    def test_calls_after_close_are_refused(self, home, images):
        store = EdgeStore(home)
        store.ensure(images)
        scroll = store.scroll("images")
        store.close()
        store.close()
        for call in (lambda: list(scroll), lambda: store.count("images"), lambda: store.set_metadata("images", {})):
            with pytest.raises(StoreError, match="closed"):
                call()

    def test_one_collection_that_cannot_be_closed_keeps_no_other_open(self, home, images, videos, monkeypatch):
        store = EdgeStore(home)
        store.ensure(images)
        store.ensure(videos)
        close = shard.LiveShard.close

        def failing(live):
            close(live)
            if live.schema == images:
                raise StoreError("The last flush failed.")

        monkeypatch.setattr(shard.LiveShard, "close", failing)
        with pytest.raises(StoreError, match="flush"):
            store.close()
        monkeypatch.undo()
        EdgeStore(home).close()


WRITER = """
import sys
from pathlib import Path
import numpy as np, uuid
from search.media import Kind
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore
store = EdgeStore(Path(sys.argv[1]))
store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "test-model", "1", "none", 16)),)))
rng = np.random.default_rng(0)
while True:
    ids = [str(uuid.uuid4()) for _ in range(20)]
    store.upsert("images", [Point(i, {"visual": rng.normal(size=(1, 16)).astype("f4")}, {"id": i}) for i in ids])
    print(*ids, flush=True)
"""


def test_acknowledged_writes_survive_kill_9(repository, home):
    writer = child(repository, WRITER, home)
    acknowledged = [id_ for _ in range(30) for id_ in writer.stdout.readline().split()]
    writer.send_signal(signal.SIGKILL)
    whole_lines = (line for line in writer.stdout if line.endswith("\n"))
    acknowledged += [id_ for line in whole_lines for id_ in line.split()]
    writer.wait()
    store = EdgeStore(home)
    assert len(store.retrieve("images", acknowledged)) == len(acknowledged) >= 600
    store.close()


class TestOptimising:
    def test_too_few_vectors_are_left_alone(self, home, images, make_image):
        store = EdgeStore(home)
        store.ensure(images)
        store.upsert("images", [make_image(n) for n in range(100)])
        assert store.optimise("images") is False
        assert [p.name for p in (home / "collections" / "images").glob("shard-*")] == ["shard-1"]
        store.close()

    def test_indexes_once_and_again_only_after_writes(self, indexable, home, images):
        store, points = indexable
        assert store.optimise("images") is True
        assert store.collections()["images"].indexed >= 700
        assert [p.name for p in (home / "collections" / "images").glob("shard-*")] == ["shard-2"]
        assert store.optimise("images") is False
        assert store.count("images") == 700
        assert all(nearest(store, images, p) == p.id for p in points[::50])

    def test_clears_out_after_many_deletions(self, indexable, make_image):
        store, points = indexable
        store.upsert("images", [make_image(n) for n in range(1000, 1500)])
        store.optimise("images")
        store.delete("images", [p.id for p in points[:100]])
        assert store.optimise("images") is False
        store.delete("images", [p.id for p in points[100:500]])
        assert store.optimise("images") is True
        assert store.collections()["images"].indexed == store.count("images") == 700

    def test_answers_keep_coming_and_no_write_is_lost(self, indexable, home, images, make_image, monkeypatch):
        """Queries, upserts, patches and deletes go on from the moment the child starts until it is done."""
        store, points = indexable
        started, may_finish = threading.Event(), threading.Event()
        run_child = shard.LiveShard._run_child

        def slowly(self, target):
            started.set()
            built = run_child(self, target)
            assert may_finish.wait(60)
            return built

        monkeypatch.setattr(shard.LiveShard, "_run_child", slowly)
        results = []
        thread = threading.Thread(target=lambda: results.append(store.optimise("images")))
        thread.start()
        assert started.wait(60)
        new = [make_image(n) for n in range(2000, 2100)]
        for n, point in enumerate(new):
            store.upsert("images", [point])
            assert nearest(store, images, points[n]) == points[n].id
        store.patch_payload("images", {points[0].id: {"camera": "Leica", "size": None}})
        store.delete("images", [points[1].id, new[0].id])
        store.update_vectors("images", {points[2].id: {"visual": make_image(5000).vectors["visual"]}})
        store.set_metadata("images", {"written": "meanwhile"})
        assert store.optimise("images") is False, "one optimiser at a time"
        may_finish.set()
        thread.join()
        assert results == [True]

        def check():
            assert store.count("images") == 700 + 100 - 2
            assert store.retrieve("images", [points[1].id, new[0].id]) == []
            (patched,) = store.retrieve("images", [points[0].id])
            assert patched.payload["camera"] == "Leica"
            assert "size" not in patched.payload
            assert store.count("images", Filter(cameras=("Leica",))) == 1
            assert nearest(store, images, make_image(5000)) == points[2].id
            assert all(nearest(store, images, p) == p.id for p in new[1::20])
            assert store.metadata("images") == {"written": "meanwhile"}

        check()
        store.close()
        store = EdgeStore(home)
        check()
        store.close()

    def test_closing_stops_it(self, indexable, home, monkeypatch):
        store, _ = indexable
        started = threading.Event()
        copy_to = shard.LiveShard._copy_to

        def announce(self, target):
            copied = copy_to(self, target)
            started.set()
            return copied

        monkeypatch.setattr(shard.LiveShard, "_copy_to", announce)
        results = []
        thread = threading.Thread(target=lambda: results.append(store.optimise("images")))
        thread.start()
        assert started.wait(60)
        store.close()
        thread.join()
        assert results in ([True], [False])
        store = EdgeStore(home)
        assert store.count("images") == 700
        assert len(list((home / "collections" / "images").glob("shard-*"))) == 1
        store.close()

    def test_a_failing_child_leaves_everything_as_it_was(self, indexable, home, monkeypatch):
        store, _ = indexable
        copy_to = shard.LiveShard._copy_to

        def damage(self, target):
            copied = copy_to(self, target)
            shutil.rmtree(target / "segments")
            (target / "edge_config.json").write_text("rubbish")
            return copied

        monkeypatch.setattr(shard.LiveShard, "_copy_to", damage)
        with pytest.raises(StoreError):
            store.optimise("images")
        assert store.count("images") == 700
        assert [p.name for p in (home / "collections" / "images").glob("shard-*")] == ["shard-1"]

    @pytest.mark.parametrize("committed", [False, True])
    def test_a_swap_that_was_killed_is_undone_or_finished_on_open(self, indexable, home, committed):
        """Two shard folders are left; the metadata file decides which is the store."""
        store, points = indexable
        store.close()
        folder = home / "collections" / "images"
        shutil.copytree(folder / "shard-1", folder / "shard-2")
        (folder / "metadata.json.partial").write_text('{"half":')
        if committed:
            state = json.loads((folder / "metadata.json").read_text())
            (folder / "metadata.json").write_text(json.dumps(state | {"shard": "shard-2"}))
        store = EdgeStore(home)
        assert sorted(p.name for p in folder.iterdir()) == ["metadata.json", "shard-2" if committed else "shard-1"]
        assert store.count("images") == len(points)
        store.close()

    def test_killed_at_random_moments_while_optimising(self, repository, home, images):
        code = WRITER.replace(
            "while True:",
            "import threading, os; from search.store import layout; layout.INDEXING_THRESHOLD_KB = 16\n"
            "def forever():\n"
            "    while True: store.optimise('images')\n"
            "threading.Thread(target=forever, daemon=True).start()\n"
            "while True:",
        )
        acknowledged = []
        for lines in (15, 60, 110):
            writer = child(repository, code, home)
            for _ in range(lines):
                acknowledged += writer.stdout.readline().split()
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
            store = EdgeStore(home)
            assert len(store.retrieve("images", acknowledged, payload=False)) == len(acknowledged)
            assert len(list((home / "collections" / "images").glob("shard-*"))) == 1
            store.close()


class TestFullDisk:
    def test_a_write_is_refused_before_the_engine_meets_the_full_disk(self, home, images, make_image, monkeypatch):
        store = EdgeStore(home)
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        with monkeypatch.context() as patched:
            patched.setattr("search.store.durable.RESERVE", 2**60)
            with pytest.raises(DiskFullError, match=r"free and .* needed"):
                store.upsert("images", [make_image(2)])
            with pytest.raises(DiskFullError):
                store.optimise("images") or store.delete("images", [make_image(1).id])
        assert store.count("images") == 1
        store.upsert("images", [make_image(2)])
        store.close()

    def test_on_a_disk_that_really_fills_up(self, repository, tmp_path):
        """A file system of 448 MiB takes what it can, then says so, and keeps what it took."""
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("needs the right to mount a small file system")
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=448m", "none", disk], check=False).returncode:
            pytest.skip("needs the right to mount a small file system")
        try:
            code = WRITER.replace('"none", 16', '"none", 4096').replace("(1, 16)", "(1, 4096)")
            writer = child(repository, code, disk / "home")
            output, complaint = writer.communicate(timeout=300)
            assert "DiskFullError" in complaint, complaint
            acknowledged = output.split()
            assert len(acknowledged) > 100
            store = EdgeStore(disk / "home")
            assert len(store.retrieve("images", acknowledged, payload=False)) == len(acknowledged)
            ones = {"visual": np.ones((1, 4096), np.float32)}

            def fill() -> None:
                """Opening anew gave back what the log took, so a little more fits."""
                for _ in range(200):
                    store.upsert("images", [Point(str(uuid.uuid4()), ones, {}) for _ in range(100)])

            with pytest.raises(DiskFullError):
                fill()
            store.close()
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_file_that_may_not_grow(self, repository, home, images, make_image):
        """The limit of a file's size stands for a quota: metadata written before stays whole."""
        store = EdgeStore(home)
        store.ensure(images)
        store.set_metadata("images", {"kept": "x"})
        store.close()
        code = (
            "import resource, sys; from pathlib import Path; from search.store.edge.store import EdgeStore\n"
            "store = EdgeStore(Path(sys.argv[1]))\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
            "store.set_metadata('images', {'large': 'y' * 100000})\n"
        )
        _, complaint = child(repository, code, home).communicate()
        assert "DiskFullError" in complaint
        store = EdgeStore(home)
        assert store.metadata("images") == {"kept": "x"}
        store.close()


def test_no_path_of_the_collection_is_needed_but_its_folder(home, images, make_image, tmp_path):
    """A data directory may be moved or restored elsewhere."""
    store = EdgeStore(home)
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    store.close()
    moved = Path(shutil.move(home, tmp_path / "elsewhere"))
    store = EdgeStore(moved)
    assert store.count("images") == 1
    store.close()
