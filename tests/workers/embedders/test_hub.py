"""Weights from a hub: a double of it on this machine, its cache, and nobody listening."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import save

from search.errors import ModelError
from search.model_descriptions.text import OPEN_CLIP, TextModel
from workers.embedders import hub
from workers.embedders.image.openclip import openclip_image_network, openclip_text_network


@dataclass
class Hub:
    """What the hub's file service answers with: every header that its client asks for.

    Attributes:
        model: whose repository it holds.
        files: path to bytes.
        asked: method and path of each request.
    """

    model: TextModel
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def holds(self, name: str, data: bytes) -> None:
        self.files[f"/{hub.source_of(self.model).repository}/resolve/{hub.source_of(self.model).commit}/{name}"] = data


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of the hub's client, which may ask the network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return tmp_path / "hub"


@pytest.fixture
def served(tiny_clip: ModuleType, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    double = Hub(tiny_clip.MODEL)

    class Handler(BaseHTTPRequestHandler):
        def answer(self, *, whole: bool) -> None:
            double.asked.append((self.command, self.path))
            data = double.files.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.send_header("X-Repo-Commit", hub.source_of(tiny_clip.MODEL).commit)
            if data is None:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("ETag", f'"{hashlib.sha256(data or b"").hexdigest()}"')
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if whole and data:
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.answer(whole=False)

        def do_GET(self) -> None:
            self.answer(whole=True)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    reach(monkeypatch, server.server_port)
    yield double
    server.shutdown()
    server.server_close()
    thread.join()


def reach(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )


def test_weights_are_downloaded_once_and_then_found(tiny_clip: ModuleType, served: Hub) -> None:
    served.holds("open_clip_model.safetensors", save(tiny_clip.state()))
    assert hub.cached_path(tiny_clip.MODEL) is None
    assert hub.is_reachable(tiny_clip.MODEL)

    found = hub.weights_of(tiny_clip.MODEL)

    assert found.keys() == tiny_clip.state().keys()
    for name, tensor in tiny_clip.state().items():
        assert torch.equal(found[name], tensor)
    path = hub.cached_path(tiny_clip.MODEL)
    assert path is not None
    assert hub.cache_folder(tiny_clip.MODEL) in path.parents
    served.asked.clear()
    assert openclip_image_network(model=tiny_clip.MODEL) is not None
    assert openclip_text_network(model=tiny_clip.MODEL) is not None
    assert not served.asked, "what is in the cache is used without asking anyone"


def test_weights_saved_by_torch_serve_where_no_others_are(tiny_clip: ModuleType, served: Hub, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    torch.save({f"module.{name}": tensor for name, tensor in tiny_clip.state().items()}, saved)
    served.holds("open_clip_pytorch_model.bin", saved.read_bytes())
    found = hub.weights_of(tiny_clip.MODEL)
    assert found.keys() == tiny_clip.state().keys()
    assert hub.require(tiny_clip.MODEL).name == "open_clip_pytorch_model.bin"


def test_nobody_listening_is_said_within_seconds(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reach(monkeypatch, 9)
    assert not hub.is_reachable(OPEN_CLIP)
    with pytest.raises(ModelError, match="not in the cache and the hub cannot be reached") as caught:
        hub.require(OPEN_CLIP)
    assert f"--revision {hub.source_of(OPEN_CLIP).commit}" in caught.value.hint
    assert str(cache / "models--laion--CLIP-ViT-B-32-DataComp.XL-s13B-b90K") in caught.value.hint


def test_a_hub_that_never_answers_is_not_waited_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silence = threading.Event()
    asked = threading.Event()

    def wait_for_ever(*_: object, **__: object) -> None:
        asked.set()
        silence.wait()
        raise OSError

    monkeypatch.setattr("urllib.request.urlopen", wait_for_ever)
    monkeypatch.setattr("workers.embedders.network_probe.PROBE_SECONDS", 0.05)
    with pytest.raises(ModelError, match="cannot be reached"):
        hub.require(OPEN_CLIP)
    assert asked.is_set()
    silence.set()


def test_offline_asks_nobody(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked the network"))
    with pytest.raises(ModelError, match="cannot be reached"):
        hub.require(OPEN_CLIP)


def test_a_hub_that_goes_away_between_is_an_error_in_words(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("An error happened while trying to locate the file.")

    monkeypatch.setattr(hub, "is_reachable", lambda model: True)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", gone)
    with pytest.raises(ModelError, match=r"open_clip could not be had: An error happened.*file\. Try again"):
        hub.require(OPEN_CLIP)


def test_a_repository_without_any_of_its_files_is_said(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "is_reachable", lambda model: True)
    with pytest.raises(ModelError, match=r"has none of open_clip_model\.safetensors, open_clip_pytorch_model\.bin"):
        hub.require(OPEN_CLIP)


class Code:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.mark,)


def test_a_weight_file_is_data_and_never_code(tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "weights.bin"
    torch.save({"weight": Code(mark)}, path)
    with pytest.raises(ModelError, match=r"weights\.bin holds something else than weights.*Delete it"):
        hub.read_weights(path)
    path.write_bytes(pickle.dumps(Code(mark), protocol=2))
    with pytest.raises(ModelError, match="holds something else than weights"):
        hub.read_weights(path)
    assert not mark.exists()


def test_what_is_to_be_deleted_is_the_file_and_not_the_link_to_it(tiny_clip: ModuleType, tmp_path: Path) -> None:
    """The hub's cache names files by links; without one the same file would be linked anew."""
    blob, link = tmp_path / "blobs" / "0123abcd", tmp_path / "snapshots" / "open_clip_model.safetensors"
    for path in (blob, link):
        path.parent.mkdir()
    link.symlink_to(blob)
    for data in (save(tiny_clip.state())[:2000], save({})):
        blob.write_bytes(data)
        with pytest.raises(ModelError) as caught:
            hub.read_weights(link)
        assert str(blob) in caught.value.message
        assert str(link) not in caught.value.message
    blob.write_bytes(save(tiny_clip.state()))
    assert hub.read_weights(link).keys() == tiny_clip.state().keys()


def test_damaged_files_are_refused(tiny_clip: ModuleType, tmp_path: Path) -> None:
    cut = tmp_path / "open_clip_model.safetensors"
    cut.write_bytes(save(tiny_clip.state())[:2000])
    with pytest.raises(ModelError, match=r"open_clip_model\.safetensors cannot be read as weights"):
        hub.read_weights(cut)
    other = tmp_path / "other.bin"
    for held in ([1, 2], {"steps": 3}, {}):
        torch.save(held, other)
        with pytest.raises(ModelError, match="weights"):
            hub.read_weights(other)
