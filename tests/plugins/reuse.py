"""Fixtures that make what is expensive once, or when it is needed: the sample library, empty shards, decoder children,
compiled pages, addresses of applications, certificates."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pickle
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx._transports.default
import pytest
from flask import Flask
from httpx import create_ssl_context
from jinja2.bccache import Bucket, BytecodeCache
from qdrant_client.embed import type_inspector
from werkzeug.routing import Rule

from ingest.sample import library as sample
from ingest.sample import pictures, videos
from ingest.sample.library import SampleLibrary, make_sample_library
from ingest.sample.paint import Frame
from search.media import Kind
from search.spaces import CollectionSchema
from search.store.durable import copy_sparse
from search.store.edge import layout, shard
from search.store.edge.shard import LiveShard
from workers.decode.decoded import Decoded
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.pool import COMMAND
from workers.decode.sandbox.powers import Confinement
from workers.decode.sandbox.process import DecoderProcess


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], Any]], Any]:
    """``once(name, make)`` gives what ``make(folder)`` returns, which is called once for all processes of a run.

    What it returns is pickled, so it must not be an object of a test module's own class. What changes the folder works
    on a copy.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def find(name: str, make: Callable[[Path], Any]) -> Any:
        made = root / f"{name}.pickle"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                (root / name).mkdir(exist_ok=True)
                made.write_bytes(pickle.dumps(make(root / name)))
        return pickle.loads(made.read_bytes())

    return find


@pytest.fixture
def fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample library of this test has all sounds, a film of each motion, every fifth picture, each format, and what
    its copies are made of; pictures and films are smaller."""
    _leave_out_samples(monkeypatch)


def _leave_out_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = {one: Frame(one.frame.width // 2, one.frame.height // 2) for one in pictures.PHOTOGRAPHERS}
    smaller = tuple(replace(one, frame=frame) for one, frame in frames.items())
    monkeypatch.setattr(pictures, "PHOTOGRAPHERS", smaller)
    # x264 reads beyond rows of other widths, and then makes other bytes of the same frames.
    monkeypatch.setattr(videos, "FRAME", Frame(384, 216))
    films, photos = sample.video_items(), sample.picture_items()
    wanted = {item.file.copy_of or item.file.edit_of for item in sample.copy_items()}
    for some in (films, photos):
        wanted.update({Path(item.file.path).suffix: item.file.path for item in reversed(some)}.values())
    for film in films:
        if film.file.motion not in {other.file.motion for other in films if other.file.path in wanted}:
            wanted.add(film.file.path)
    wanted.update(item.file.path for item in photos[::5])
    for group, items in (("video_items", films), ("picture_items", photos)):
        kept = [item for item in items if item.file.path in wanted]
        monkeypatch.setattr(sample, group, partial(list, kept))


@pytest.fixture(scope="session")
def sample_library(once: Callable[[str, Callable[[Path], Any]], Any]) -> SampleLibrary:
    """A sample library of ``fewer_samples``, made once for all processes of a run; what changes it works on a copy."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _leave_out_samples(monkeypatch)
        made: SampleLibrary = once("sample", make_sample_library)
    return made


def _let_files_grow_less(shard: Path) -> None:
    """Let the files of an empty shard grow by less at a time: pages of payload indexes by a 32nd, chunks of vectors by
    an eighth. In memory they are allocated whole, 200 MB of zeros and more for each collection, which is most of what
    writing to a new one takes."""
    for described in shard.rglob("payload_index/*/config.json"):
        index, config = described.parent, json.loads(described.read_text())
        region = config["block_size_bytes"] * config["region_size_blocks"]
        regions = config["page_size_bytes"] // region
        for name in ("page_0.dat", "bitmask.dat", "gaps.dat"):
            os.truncate(index / name, (index / name).stat().st_size // regions)
        os.truncate(index / "tracker.dat", 2**16)
        described.write_text(json.dumps(config | {"page_size_bytes": region}))
    for flags in shard.rglob("payload_index/*/*/flags_a.dat"):
        os.truncate(flags, 2**12)
    for described in shard.rglob("vector_storage-*/*/config.json"):
        config = json.loads(described.read_text())
        if "chunk_size_vectors" in config:  # sparse vectors lie in pages, which are not allocated whole
            vectors = config["chunk_size_vectors"] // 8
            size = config["chunk_size_bytes"] // config["chunk_size_vectors"] * vectors
            described.write_text(json.dumps(config | {"chunk_size_bytes": size, "chunk_size_vectors": vectors}))


@pytest.fixture(scope="session")
def _empty_shards(once: Callable[[str, Callable[[Path], Any]], Any]) -> Callable[[CollectionSchema], Path]:
    """The folder of an empty collection with that schema, made by the store itself, once for all processes of a run."""
    create = LiveShard.create

    def find(schema: CollectionSchema) -> Path:
        def make(folder: Path) -> Path:
            create(folder / "new", schema).close()
            _let_files_grow_less(folder / "new")
            # The engine's files are mostly zeros; as holes they take no room and no time to copy.
            subprocess.run(["cp", "--recursive", "--sparse=always", folder / "new", folder / "sparse"], check=True)
            subprocess.run(["rm", "-r", folder / "new"], check=True)
            return folder / "sparse"

        # Some tests set another threshold, or the payload indexes of another version.
        made_for = json.dumps([schema.to_json(), layout.INDEXING_THRESHOLD_KB, sorted(layout.PAYLOAD_INDEXES)])
        made: Path = once(f"shard-{hashlib.sha256(made_for.encode()).hexdigest()[:16]}", make)
        return made

    return find


@pytest.fixture(scope="session", autouse=True)
def empty_shards_are_copied(_empty_shards: Callable[[CollectionSchema], Path]) -> Iterator[None]:
    """New collections of the embedded store are copies of one that the store has made."""
    original = LiveShard.create

    def create(folder: Path, schema: CollectionSchema, values: Mapping[str, Any] | None = None) -> LiveShard:
        if folder.exists():
            return original(folder, schema, values)
        source = _empty_shards(schema)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shard.check_space(folder.parent)
        copy_sparse(source, folder)
        made = LiveShard(folder)
        if values:
            made.set_values(values)
        return made

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(LiveShard, "create", create)
        yield


class KeptDecoders:
    """Decoder children that wait for the next pool of this process."""

    def __init__(self) -> None:
        self._idle: dict[str, list[DecoderProcess]] = defaultdict(list)
        self._starter = ThreadPoolExecutor(1)  # a child ends with the thread that started it

    def take(self, options: DecodeOptions, folder: Callable[[], str]) -> DecoderProcess:
        idle = self._idle[options.to_json()]
        while idle:
            if (process := idle.pop()).usable:
                process._folder = folder
                return process
            process.close(at_once=True)
        return self._starter.submit(DecoderProcess, COMMAND, options, folder).result()

    def give_back(self, process: DecoderProcess, options: DecodeOptions) -> None:
        self._idle[options.to_json()].append(process)

    def close(self) -> None:
        for processes in self._idle.values():
            for process in processes:
                process.close(at_once=True)
        self._starter.shutdown()


class KeptDecoder:
    """A :class:`DecoderProcess` that is kept when its pool lets go of it, unless it is in the middle of a file."""

    def __init__(self, kept: KeptDecoders, options: DecodeOptions, folder: Callable[[], str]) -> None:
        self._kept, self._options = kept, options
        self._process = kept.take(options, folder)
        self._busy = self._closed = False

    @property
    def usable(self) -> bool:
        return self._process.usable

    def decode(self, media: OpenedMedia, kind: Kind | None, seconds: float) -> Decoded:
        self._busy = True
        try:
            return self._process.decode(media, kind, seconds)
        finally:
            self._busy = False

    def confinement(self) -> Confinement:
        return self._process.confinement()

    def kill(self) -> None:
        if self._busy:
            self._process.kill()

    def close(self, *, at_once: bool = False) -> int:
        if self._closed:
            return 0
        self._closed = True
        if self._process.usable:
            self._kept.give_back(self._process, self._options)
            return 0
        return self._process.close(at_once=at_once)


@pytest.fixture(scope="session")
def _kept_decoders() -> Iterator[KeptDecoders]:
    kept = KeptDecoders()
    yield kept
    kept.close()


@pytest.fixture(scope="session", autouse=True)
def decoders_are_kept(_kept_decoders: KeptDecoders) -> Iterator[None]:
    """Pools of this process use real decoder children of pools before, which take a second each to start."""

    def start(command: Sequence[str], options: DecodeOptions, folder: Callable[[], str]) -> Any:
        if tuple(command) == COMMAND:
            return KeptDecoder(_kept_decoders, options, folder)
        return DecoderProcess(command, options, folder)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("workers.decode.sandbox.pool.DecoderProcess", start)
        yield


class KeptTemplates(BytecodeCache):
    """Pages as Jinja has compiled them, for every application of this process; it compares their source."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def templates_are_kept() -> Iterator[None]:
    """An application of a test compiles no page that one before has compiled."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Flask, "jinja_options", {**Flask.jinja_options, "bytecode_cache": KeptTemplates()})
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """HTTP clients that ask for the same certificates share them; each reads all authorities anew otherwise, some 30
    ms of processor time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(httpx._transports.default, "create_ssl_context", cache(create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def addresses_are_compiled_when_built() -> Iterator[None]:
    """A rule of an application compiles the code that builds its address when it is asked for one, and not at once: an
    application has some 150, and takes 150 ms of processor time for them."""
    compile_builder = Rule._compile_builder

    def compile_later(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(itself: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_builder(rule, append_unknown))
            return compiled[0](itself, **values)

        return build

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Rule, "_compile_builder", compile_later)
        yield


@pytest.fixture(scope="session", autouse=True)
def clients_share_what_they_know_of_models() -> Iterator[None]:
    """Clients of Qdrant share the table of where their requests may hold media to be embedded, which each copies
    otherwise."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(type_inspector, "ModelSchemaParser", cache(type_inspector.ModelSchemaParser))
        yield
