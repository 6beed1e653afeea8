"""Make the fixture of this folder: a small library with its ledger, a backup and trained models.

    git worktree add ../before COMMIT && cp tests/version_before/make.py ../before/ && cd ../before
    python make.py OUT

writes ``OUT/library.tar.xz`` and ``OUT/answers.json``. Run it with the code of the version before, when the format of
something stored is about to change; the tests here then open what it left.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ingest.sample.sounds import sound_items
from ingest.sample.videos import video_items
from search.settings import Settings
from web.client import Client, connect_inside

FOLDER = Path("/tmp/likewise-version-before")
PHOTOGRAPHERS = {"Ada": (40, 20, 0), "Bo": (0, 10, 50), "Cleo": (10, 40, 10)}
PHOTOS = 6
RUNNING = ("queued", "scanning", "running", "paused")


def main(out: Path) -> None:
    media, home = FOLDER / "media", FOLDER / "home"
    paint(media)
    with connect_inside(Settings(home=home, device="cpu")) as (client, _):
        wait(client, client.post("/jobs", {"paths": [str(media)], "library": "before"}))
        wait(client, client.post("/photographers/label", {"from": "folder"}))
        wait(client, client.post("/photographers/train", {"kind": "classifier", "seconds": 0.0}))
        wait(client, client.post("/photographers/train", {"kind": "joint", "seconds": 20.0}))
        for plots in home.glob("models/photographers/joint/*/plots"):
            shutil.rmtree(plots)  # pages of 5 MB each, which no program reads
        wait(client, client.post("/backups", {"to": str(FOLDER / "backup")}))
        listed = [
            record
            for collection in ("images", "videos", "audio")
            for record in client.get("/browse", {"collection": collection, "order": "name", "limit": 100})["records"]
        ]
        answers = {
            "records": {record["id"]: record["paths"][0].removeprefix(str(FOLDER)) for record in listed},
            "similar": {
                record["id"]: [
                    [hit["id"], hit["band"], hit["likeness"]]
                    for hit in client.post("/similar", {"like": [record["id"]]})["hits"]
                ]
                for record in listed[::3]
            },
            "red": [hit["id"] for hit in client.get("/search", {"q": "red"})["hits"]],
            "predictions": {
                record["id"]: client.post("/photographers/predict", {"like": record["id"]})["candidates"]
                for record in listed[:6]
            },
            "map": client.get("/photographers/map"),
            "report": client.get("/photographers/report"),
        }
    (out / "answers.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False), "utf-8")
    subprocess.run(
        ["tar", "--sparse", "--sort=name", "--owner=0", "--group=0", "-cJf", out / "library.tar.xz", "home", "backup"],
        cwd=FOLDER,
        env={"XZ_OPT": "-9e", "PATH": "/usr/bin:/bin"},
        check=True,
    )


def paint(media: Path) -> None:
    """Pictures of random blocks, each photographer's with a tint of their own; a film and a sound."""
    rng = np.random.default_rng(7)
    for name, tint in PHOTOGRAPHERS.items():
        (media / name).mkdir(parents=True)
        for number in range(PHOTOS):
            blocks = rng.integers(0, 200, (6, 8, 3)).astype(np.uint8)
            picture = np.kron(blocks, np.ones((40, 40, 1), np.uint8)) + np.array(tint, np.uint8)
            Image.fromarray(picture).save(media / name / f"{number}.jpg", quality=90)
    Image.new("RGB", (320, 240), "red").save(media / "red.png")
    for item in (video_items()[0], sound_items()[0]):
        target = media / item.file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(item.make(media))


def wait(client: Client, job: dict[str, Any]) -> None:
    while (now := client.get(f"/jobs/{job['id']}"))["state"] in RUNNING:
        time.sleep(0.2)
    print(now["task"], now["state"], now["message"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
