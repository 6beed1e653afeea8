"""A coordinator's end of the broker, without a coordinator: batches are sent one by one and their results awaited."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, states
from PIL import Image

from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.batch.report import Batch, FileRef, Priority
from workers.cluster.app import EMBED_BATCH, EMBED_QUEUE, PRIORITY, make_app
from workers.cluster.orders import publish_order
from workers.cluster.serialization import BatchOrder, order_to_json

QUICK = ModelChoice("quick", "frames_quick", "quick")

DEADLINE = 90.0


@dataclass
class Desk:
    """Orders batches of pictures in named colours; the broker is a real one."""

    settings: Settings
    folder: Path
    models: ModelChoice = QUICK
    app: Celery = field(init=False)

    def __post_init__(self) -> None:
        self.app = make_app(self.settings)

    def picture(self, colour: str) -> FileRef:
        """A picture with bytes of its own."""
        number = len(list(self.folder.iterdir())) if self.folder.is_dir() else 0
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{number}-{colour}.png"
        picture = Image.new("RGB", (64, 48), colour)
        picture.putpixel((number % 64, number // 64), (255, 255, 255))
        picture.save(path)
        return self.reference(path)

    def reference(self, path: Path) -> FileRef:
        facts = path.stat()
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return FileRef(str(path), "lib", facts.st_size, facts.st_mtime, sha256, root=str(path.parent))

    def order(
        self,
        id_: str,
        *colours: str,
        kind: Kind = Kind.IMAGE,
        priority: Priority = Priority.NORMAL,
        deliver: str = "report",
    ) -> str:
        """Send a batch of such pictures; the id of its task."""
        batch = Batch(id_, "job", kind, tuple(self.picture(colour) for colour in colours), priority)
        order = order_to_json(BatchOrder(batch, self.models, "store" if deliver == "store" else "report"))
        publish_order(self.app, EMBED_BATCH, id_, order, queue=EMBED_QUEUE[kind], priority=PRIORITY[priority])
        return id_

    def meta(self, task: str) -> Mapping[str, Any]:
        """What the broker holds of a task."""
        found: Mapping[str, Any] = self.app.backend.get_task_meta(task, cache=False)
        return found

    def wait(self, task: str, *wanted: str) -> Mapping[str, Any]:
        """What the broker holds of a task once it has ended, or come to one of these states."""
        until(lambda: self.meta(task)["status"] in (wanted or states.READY_STATES))
        return self.meta(task)

    def queued(self) -> int:
        """Batches that wait in the queues."""
        with self.app.connection_for_read() as connection:
            client = connection.default_channel.client
            return sum(client.llen(name) for name in client.keys("embed*"))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something happens, which it does some time."""
    return until


@pytest.fixture
def make_desk(broker: Any, make_settings: Callable[..., Settings], tmp_path: Path) -> Callable[..., Desk]:
    """A desk whose settings, keywords override, are for its workers too."""
    return lambda **overrides: Desk(make_settings(broker_url=broker.url, **overrides), tmp_path / "pictures")
