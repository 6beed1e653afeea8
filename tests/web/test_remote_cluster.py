"""Workers of a cluster over a bucket: only addresses travel, and previews and uploads pass through the shared place."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from ingest.node import Node
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from web.app import create_app

CHOICE = ModelChoice("quick", "frames_quick", "quick", notes=("Workers embed with quick models.",))


@pytest.fixture
def quick_choice(monkeypatch: pytest.MonkeyPatch, quick_models: Any) -> None:
    """Nodes of this process take workers' quick models for granted."""
    monkeypatch.setattr("workers.engines.cluster.choose_models_remotely", lambda settings, app, store: CHOICE)
    monkeypatch.setattr("workers.cluster.remote_encoder.choose_models_remotely", lambda settings, app, store: CHOICE)


def picture(colour: str, number: int = 0) -> bytes:
    made = Image.new("RGB", (64, 48), colour)
    made.putpixel((number, 0), (255, 255, 255))
    target = io.BytesIO()
    made.save(target, "png")
    return target.getvalue()


@pytest.mark.models
@pytest.mark.usefixtures("quick_choice")
def test_a_worker_reads_the_bucket_by_itself(
    make_settings: Callable[..., Settings], broker: Any, bucket: Any, start_worker: Callable[..., Any]
) -> None:
    for colour in ("red", "green", "blue"):
        for number in range(3):
            bucket.put(f"lib/{colour}/{number}.png", picture(colour, number))
    bucket.put("lib/broken.png", picture("red")[:60])
    settings = make_settings(broker_url=broker.url, shared=f"{bucket.root}/likewise")
    start_worker(settings)
    with Node.open(settings) as node:
        job = node.start_ingest(["s3://media/lib"])
        node.wait_until_idle()
        progress = node.ingest.progress(job)
        assert (progress.embedded, progress.failed) == (9, 1)
        assert [(failure.path, failure.code) for failure in node.ingest.failures()] == [
            ("s3://media/lib/broken.png", "corrupt")
        ]
        assert len(bucket.keys("likewise/previews/")) == 9

        client = create_app(node).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.token}"
        asked = {"file": (io.BytesIO(picture("blue", 40)), "mine.png")}
        answer = client.post("/api/v1/similar", data=asked, content_type="multipart/form-data").get_json()
        assert answer["hits"][0]["paths"][0].startswith("s3://media/lib/blue/")
        assert client.get(f"/media/{answer['hits'][0]['id']}/preview").mimetype == "image/webp"
        assert bucket.keys("likewise/uploads/") == []

        again = node.start_ingest(["s3://media/lib"])
        node.wait_until_idle()
        assert node.ingest.progress(again).unchanged == 10
