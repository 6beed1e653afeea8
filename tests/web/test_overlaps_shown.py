"""Reused film and sound on the API, the terminal, the page of duplicates, and in answers of what is similar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from ingest.ledger.database import Ledger
from ingest.ledger.overlaps import forget_overlaps, store_overlaps
from search.similar.reuse.overlaps import Overlap


@pytest.fixture
def videos(library: Any, ledger: Ledger) -> Iterator[list[str]]:
    """Two videos that share a span; a third has been deleted."""
    ids = [point.id for point in library.store.scroll("videos", payload=False)][:2]
    gone = "00000000-0000-5000-8000-000000000000"
    found = [Overlap(ids[0], ids[1], 12.0, 62.0, 22.0, flipped=True), Overlap(ids[0], gone, 1.0, 1.0, 3.0)]
    with ledger.write() as connection:
        store_overlaps(connection, found, {})
    yield ids
    with ledger.write() as connection:
        forget_overlaps(connection, ids)


def test_the_api_lists_spans_and_starts_the_job(client: FlaskClient, videos: list[str]) -> None:
    answer = client.get("/api/v1/overlaps?limit=1").get_json()
    (span,) = answer["overlaps"]
    assert (span["one"]["id"], span["one"]["start"], span["one"]["end"]) == (videos[0], 12.0, 34.0)
    assert (span["other"]["id"], span["other"]["start"], span["other"]["end"]) == (videos[1], 62.0, 84.0)
    assert (span["flipped"], answer["total"]) == (True, 2)
    assert "not compared yet" in answer["notes"][0]
    rest = client.get("/api/v1/overlaps", query_string={"after": answer["after"]}).get_json()
    assert (rest["overlaps"], rest["after"]) == ([], None)
    assert client.get("/api/v1/overlaps?after=nonsense").status_code == 400


def test_an_answer_tells_the_span_from_the_examples_side(client: FlaskClient, videos: list[str]) -> None:
    hits = client.post("/api/v1/similar", json={"like": [videos[1]], "limit": 50}).get_json()["hits"]
    (hit,) = [hit for hit in hits if hit["id"] == videos[0]]
    assert hit["overlap"] == {
        "one": videos[1],
        "other": videos[0],
        "start": 62.0,
        "other_start": 12.0,
        "seconds": 22.0,
        "flipped": True,
        "heard": False,
    }
    assert all(hit["overlap"] is None for hit in hits if hit["id"] != videos[0])


def test_the_page_says_which_part_is_which(client: FlaskClient, videos: list[str]) -> None:
    page = client.get("/duplicates").get_data(as_text=True)
    assert f'<a href="/item/{videos[0]}?t=12.0&amp;until=34.0">12.0 s to 34.0 s</a> of' in page
    assert f'<a href="/item/{videos[1]}?t=62.0&amp;until=84.0">1:02 to 1:24</a> of' in page
    assert "mirrored" in page


def save_film(path: Path, pictures: Iterable[np.ndarray]) -> None:
    """Eight pictures a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())


def test_a_part_of_a_film_in_another_is_found_from_the_files_on(cli: Callable[..., Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    texture = np.kron(rng.integers(0, 256, (60, 80, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    scenes = [
        [texture[4 * at : 4 * at + 96, 5 * at + side : 5 * at + side + 160] for at in range(48)] for side in (0, 200)
    ]
    folder = tmp_path / "films"
    folder.mkdir()
    save_film(folder / "whole.mp4", scenes[0])
    save_film(folder / "mix.mp4", [*scenes[1][:16], *(picture // 2 + 40 for picture in scenes[0][16:48])])
    assert cli("ingest", folder).exit_code == 0
    found = cli.json("overlaps")  # type: ignore[attr-defined]
    (span,) = found["overlaps"]
    names = {Path(span[side]["paths"][0]).stem: span[side] for side in ("one", "other")}
    assert names["whole"]["start"] - names["mix"]["start"] == 0
    assert span["one"]["end"] - span["one"]["start"] >= 3
    assert found["notes"] == []
    said = cli("duplicates").output
    assert "whole.mp4" in said
    assert " is " in said
    picture = tmp_path / "still.png"
    Image.fromarray(scenes[0][26]).resize((320, 192)).save(picture)
    answers = {example: cli.json("similar", example) for example in (picture, folder / "mix.mp4")}  # type: ignore[attr-defined]
    told = {
        example: {Path(hit["paths"][0]).stem: hit["overlap"] for hit in answer["hits"]}
        for example, answer in answers.items()
    }
    still = told[picture]["whole"]
    assert (still["other_start"], still["seconds"]) == (pytest.approx(3.25, abs=0.26), 0)
    assert told[folder / "mix.mp4"]["whole"]["seconds"] >= 3
