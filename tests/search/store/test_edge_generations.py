"""Generations of the embedded store on disk: filled beside questions, killed at any moment, found again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from search.errors import DiskFullError, NotFoundError, StoreError
from search.spaces import CollectionSchema, VectorField
from search.store.base import Point, VectorQuery
from search.store.edge import layout, shard
from search.store.edge.store import EdgeStore
from search.store.filters import Filter

PREAMBLE = """
import sys, uuid
from pathlib import Path
import numpy as np
from search.media import Kind
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore
store = EdgeStore(Path(sys.argv[1]))
better = CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "better-model", "1", "none", 8)),))
rng = np.random.default_rng(0)
def fill(name, n=20):
    ids = [str(uuid.uuid4()) for _ in range(n)]
    store.upsert(name, [Point(i, {"visual": rng.normal(size=(1, 8)).astype("f4")}, {"id": i}) for i in ids])
    return ids
"""

FILLS = PREAMBLE + "while True: print(*fill(store.begin_generation(better)), flush=True)"

PROMOTES = PREAMBLE + (
    "while True:\n    for number in (2, 1):\n        store.promote(f'images.{number}'); print(number, flush=True)\n"
)

REPLACES = PREAMBLE + (
    "while True:\n"
    "    name = store.begin_generation(store.schema('images')); ids = store.scroll('images')\n"
    "    store.upsert(name, [Point(p.id, {}, p.payload) for p in ids])\n"
    "    old = next(g.name for g in store.generations('images') if g.current)\n"
    "    store.promote(name); print(name, flush=True); store.drop_generation(old)\n"
)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def better(images):
    """The schema of PREAMBLE."""
    space = replace(images.fields[0].space, model="better-model", dim=8)
    return CollectionSchema(images.kind, (VectorField(space),))


@pytest.fixture
def ten(home, images, make_image):
    """Ten images in a store that has been closed."""
    store = EdgeStore(home)
    store.ensure(images)
    store.upsert("images", [make_image(n) for n in range(10)])
    store.close()


def killed_after(repository, code, home, lines):
    """What a child process printed before it was killed, a list a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], cwd=repository, stdout=subprocess.PIPE, text=True
    )
    printed = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    return printed + [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]


def folders(home):
    return sorted(entry.name for entry in (home / "collections").iterdir())


def test_what_was_begun_is_found_again_after_a_kill(repository, home, ten, better):
    acknowledged = []
    for lines in (3, 10):
        acknowledged += [id_ for ids in killed_after(repository, FILLS, home, lines) for id_ in ids]
    store = EdgeStore(home)
    assert store.count("images") == 10
    name = store.begin_generation(better)
    assert name == "images.2"
    assert len(store.retrieve(name, acknowledged, payload=False)) == len(acknowledged) >= 260
    store.close()


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_killed_while_promoting_it_is_the_one_or_the_other(repository, home, ten, images, better, make_image, lines):
    store = EdgeStore(home)
    store.upsert(store.begin_generation(better), [Point(make_image(1).id, {}, {})])
    store.close()
    printed = killed_after(repository, PROMOTES, home, lines)
    store = EdgeStore(home)
    assert store.count("images") in (1, 10)
    # At most one promotion can have gone through that was not told of any more.
    said = int(printed[-1][0])
    (current,) = [g.name for g in store.generations("images") if g.current]
    assert current in (f"images.{said}", f"images.{3 - said}")
    assert (store.schema("images"), store.count("images")) == ((images, 10) if current == "images.1" else (better, 1))
    assert [g.points for g in store.generations("images")] == [10, 1]
    store.close()


@pytest.mark.parametrize("lines", [1, 3])
def test_killed_while_replacing_one_generation_by_the_next(repository, home, ten, lines):
    printed = killed_after(repository, REPLACES, home, lines)
    store = EdgeStore(home)
    assert store.count("images") == 10
    told = int(printed[-1][0].removeprefix("images."))
    (current,) = [g.name for g in store.generations("images") if g.current]
    assert int(current.removeprefix("images.")) in (told, told + 1)
    assert all((home / "collections" / f / "metadata.json").is_file() for f in folders(home) if f.startswith("images"))
    store.close()


def test_a_removal_that_was_killed_half_way_is_finished_on_open(home, ten, better):
    store = EdgeStore(home)
    store.promote(store.begin_generation(better))
    store.close()
    (home / "collections" / "images" / "metadata.json").unlink()
    store = EdgeStore(home)
    assert [g.name for g in store.generations("images")] == ["images.2"]
    assert folders(home) == ["generations.json", "images.2"]
    store.close()


def test_questions_are_answered_while_a_generation_is_filled(home, ten, images, better, make_image, vectors):
    store = EdgeStore(home)
    name = store.begin_generation(better)
    filled = threading.Event()

    def fill():
        for n in range(30):
            points = [make_image(n * 100 + i) for i in range(100)]
            store.upsert(name, [Point(p.id, {"visual": vectors(1, 8, seed=n)}, p.payload) for p in points])
        filled.set()

    thread = threading.Thread(target=fill)
    thread.start()
    answered = 0
    while not filled.is_set():
        for n in range(10):
            point = make_image(n)
            query = VectorQuery(images.fields[0].space, point.vectors["visual"], 1, with_payload=True)
            assert store.query("images", [query])[0][0].id == point.id
            assert store.count("images", Filter()) == 10
            answered += 1
    thread.join()
    assert answered > 10
    assert store.count(name) == 3000
    assert store.collections()["images"].points == 10
    store.promote(name)
    assert store.count("images") == 3000
    store.close()


def test_a_listing_that_is_going_on_finishes_with_what_it_began(home, ten, images, better):
    store = EdgeStore(home)
    listing = store.scroll("images", page=3)
    seen = [next(listing).id]
    store.promote(store.begin_generation(better))
    seen += [point.id for point in listing]
    assert len(seen) == 10
    store.close()


def test_a_dropped_generation_is_gone_from_disk_and_refuses_whoever_still_reads_it(home, ten, better):
    store = EdgeStore(home)
    listing = store.scroll("images", page=3)
    next(listing)
    store.promote(store.begin_generation(better))
    store.drop_generation("images.1")
    with pytest.raises(StoreError, match="closed"):
        list(listing)
    with pytest.raises(NotFoundError):
        store.count("images.1")
    assert folders(home) == ["generations.json", "images.2"]
    store.close()


def test_promotion_on_a_full_disk_changes_nothing(home, ten, images, better, monkeypatch):
    store = EdgeStore(home)
    name = store.begin_generation(better)

    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("search.store.edge.collections.write_json", full)
    with pytest.raises(DiskFullError):
        store.promote(name)
    assert store.schema("images") == images
    store.close()


def test_a_damaged_note_of_what_is_current_is_not_guessed_around(home, ten):
    (home / "collections" / "generations.json").write_text('{"images": ')
    with pytest.raises(StoreError):
        EdgeStore(home)
    (home / "collections" / "generations.json").write_text(json.dumps({"images": 1}))
    EdgeStore(home).close()


class TestAddingASpace:
    @pytest.fixture
    def wider(self, images, videos):
        return CollectionSchema(images.kind, (*images.fields, videos.by_name["sound"], videos.by_name["sound_raw"]))

    def test_it_is_there_after_reopening(self, home, ten, wider, make_image, vectors):
        store = EdgeStore(home)
        store.ensure(wider)
        store.update_vectors("images", {make_image(1).id: {"sound": vectors(1, 8)}})
        store.close()
        store = EdgeStore(home)
        assert store.schema("images") == wider
        assert store.count("images", Filter(has_space="sound")) == 1
        store.close()

    def test_killed_on_the_way_it_is_added_again(self, home, ten, images, wider, make_image, vectors):
        """The engine has the vectors already, the metadata does not know them."""
        store = EdgeStore(home)
        with pytest.MonkeyPatch.context() as patched:

            def die(*_):
                raise OSError("killed")

            patched.setattr(shard.LiveShard, "_commit", die)
            with pytest.raises(StoreError, match="killed"):
                store.ensure(wider)
        store._lock.release()  # as the kernel does for a killed process
        del store
        store = EdgeStore(home)
        assert store.schema("images") == images
        assert store.count("images") == 10
        store.ensure(wider)
        store.update_vectors("images", {make_image(1).id: {"sound_raw": vectors(1, 8)}})
        assert store.count("images", Filter(has_space="sound_raw")) == 1
        store.close()

    def test_an_optimiser_at_work_gives_way_and_then_indexes_the_new_space_too(
        self, home, images, wider, make_image, vectors, monkeypatch
    ):
        monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
        store = EdgeStore(home)
        store.ensure(images)
        points = [make_image(n) for n in range(700)]
        store.upsert("images", points)
        copied, added = threading.Event(), threading.Event()
        run_child = shard.LiveShard._run_child

        def slowly(self, target):
            copied.set()
            while not self._stopping:
                assert not added.wait(0.01), "the space was added beside an optimiser at work"
            return run_child(self, target)

        monkeypatch.setattr(shard.LiveShard, "_run_child", slowly)
        results = []
        thread = threading.Thread(target=lambda: results.append(store.optimise("images")))
        thread.start()
        assert copied.wait(60)
        store.ensure(wider)
        added.set()
        thread.join()
        assert results == [False]
        monkeypatch.setattr(shard.LiveShard, "_run_child", run_child)
        store.update_vectors("images", {p.id: {"sound": vectors(1, 8), "sound_raw": vectors(1, 8)} for p in points})
        assert store.optimise("images") is True
        assert store.collections()["images"].indexed >= 1400
        assert store.count("images", Filter(has_space="sound")) == 700
        config = json.loads(next((home / "collections" / "images").glob("shard-*/edge_config.json")).read_text())
        assert config["vectors"]["sound_raw"]["hnsw_config"]["m"] == 0
        assert "hnsw_config" not in config["vectors"]["sound"]
        store.close()


def test_files_of_version_0_1_name_no_layout_and_those_of_a_later_version_are_refused(home, images, make_image):
    with closing(EdgeStore(home)) as store:
        store.ensure(images)
        store.promote(store.begin_generation(images))
        store.upsert("images", [make_image(1)])
    names = ("generations.json", "images/metadata.json", "images.2/metadata.json")
    paths = [home / "collections" / name for name in names]
    for path in paths:
        kept = json.loads(path.read_text())
        assert kept.pop("layout") == 1
        path.write_text(json.dumps(kept))
    with closing(EdgeStore(home)) as store:
        assert store.count("images") == 1
    for path in paths:
        kept = path.read_text()
        path.write_text(json.dumps(json.loads(kept) | {"layout": 2}))
        with pytest.raises(StoreError, match="has layout 2"):
            EdgeStore(home)
        path.write_text(kept)
