"""Caches of vectors are read as joblib and numpy write them; what could run a program is refused unread."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from search.errors import CorruptMediaError, UnsupportedMediaError
from search.settings import load_settings
from workers.decode.cached_vectors import read_vector_cache
from workers.decode.vector_cache import checked, read_cache

ROWS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
NAMES = ["a.jpg", "sub/b.jpg", "ü.jpg", "", "<e>.jpg"]
MOST = 1 << 20


def read(path: Path) -> tuple[Any, tuple[str, ...]]:
    with path.open("rb") as file:
        return checked(read_cache(file, MOST), path.name)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3)])
@pytest.mark.parametrize("rows", [ROWS, np.asfortranarray(ROWS.astype(">f8")), ROWS[:, ::-1]])
@pytest.mark.parametrize("names", [NAMES, np.array(NAMES), tuple(NAMES)])
def test_joblib_files_are_read_as_they_were_written(tmp_path: Path, compress: Any, rows: Any, names: Any) -> None:
    path = tmp_path / "cache.joblib"
    joblib.dump({"embeddings": rows, "filenames": names, "model": "resnet18"}, path, compress=compress)
    vectors, found = read(path)
    np.testing.assert_allclose(vectors, rows, rtol=1e-6)
    assert vectors.dtype == np.float32
    assert found == tuple(NAMES)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_since_2_is_read(tmp_path: Path, protocol: int) -> None:
    joblib.dump({"embeddings": ROWS, "filenames": NAMES}, tmp_path / "cache.pkl", protocol=protocol)
    np.testing.assert_array_equal(read(tmp_path / "cache.pkl")[0], ROWS)


class Attack:
    def __reduce__(self) -> Any:
        return os.mkdir, ("attacked",)


@pytest.mark.parametrize(
    "hostile",
    [
        Attack(),
        {"embeddings": ROWS, "filenames": [*NAMES[:4], Attack()]},
        {"embeddings": np.array([Attack()] * 5, object), "filenames": NAMES},
        {"embeddings": ROWS, "filenames": np.array([Path(name) for name in NAMES], object)},
    ],
)
def test_whatever_is_no_array_list_or_text_is_refused_and_not_called(
    tmp_path: Path, hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    joblib.dump(hostile, tmp_path / "cache.joblib")
    np.savez(tmp_path / "cache.npz", embeddings=np.array([hostile], object), filenames=np.array(["a"]))
    with pytest.raises(UnsupportedMediaError, match="only"):
        read(tmp_path / "cache.joblib")
    with pytest.raises(ValueError, match="allow_pickle"):
        read(tmp_path / "cache.npz")
    (tmp_path / "plain.pkl").write_bytes(b"\x80\x04cposix\nsystem\n\x8c\x0etouch attacked\x85R.")
    with pytest.raises(UnsupportedMediaError, match=r"posix\.system"):
        read(tmp_path / "plain.pkl")
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([1, 2], "no table of numbers"),
        ({"embeddings": ROWS[0], "filenames": NAMES}, "no table of numbers"),
        ({"embeddings": ROWS, "filenames": [1, 2, 3, 4, 5]}, "no list of texts"),
        ({"embeddings": ROWS, "filenames": NAMES[:4]}, "5 vectors and 4 names"),
    ],
)
def test_what_is_no_cache_is_told_in_words(tmp_path: Path, held: Any, words: str) -> None:
    (tmp_path / "cache.pkl").write_bytes(pickle.dumps(held)) if isinstance(held, list) else joblib.dump(
        held, tmp_path / "cache.pkl"
    )
    with pytest.raises(CorruptMediaError, match=words):
        read(tmp_path / "cache.pkl")


def test_a_child_reads_them_and_refuses_the_rest(tmp_path: Path) -> None:
    settings = load_settings({"home": str(tmp_path / "home"), "decode_workers": 1})
    good, packed, bad = (tmp_path / name for name in ("good.joblib", "good.npz", "bad.joblib"))
    joblib.dump({"embeddings": ROWS, "filenames": NAMES}, good, compress=3)
    np.savez(packed, embeddings=ROWS, filenames=np.array(NAMES))
    joblib.dump({"embeddings": ROWS, "filenames": [Attack()]}, bad)
    for path in (good, packed):
        found = read_vector_cache(settings, str(path))
        np.testing.assert_array_equal(found.vectors, ROWS)
        assert found.names == tuple(NAMES)
    with pytest.raises(UnsupportedMediaError, match="mkdir"):
        read_vector_cache(settings, str(bad))
    good.write_bytes(good.read_bytes()[:60])
    with pytest.raises(CorruptMediaError):
        read_vector_cache(settings, str(good))
