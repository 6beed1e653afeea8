"""The library of ``bench_readers.py``: drawn pictures, of which some are ingested and the others stored as mixtures.

``make_library`` runs this file in a process of its own, ``python readers_library.py LIBRARY ITEMS``, by the version of
Likewise that is to read the library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sqlalchemy import select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import files
from search.media import MediaRecord, media_id
from search.settings import load_settings
from search.store import open_store
from search.store.base import Point
from workers.storage.previews import Previews

TOKEN = "a token that is long enough"
MODELS = {"LIKEWISE_IMAGE_MODEL": "efficientnet_lite0", "LIKEWISE_VIDEO_MODEL": "frames", "LIKEWISE_DEVICE": "cpu"}
INGESTED = 64
IMPORTED = 3000
NAMES = ("red", "blue", "harbour", "forest", "night", "beach", "tower", "flower")


def make_library(library: Path, checkout: Path, items: int) -> None:
    """Draw and store, unless it has been done."""
    if (library / "ids.json").is_file():
        return
    shutil.rmtree(library, ignore_errors=True)  # begun by a run that was ended
    pictures = library / "pictures"
    draw(pictures, range(INGESTED))
    environment = environ(library / "home", checkout)
    for command in (
        [sys.executable, "-P", "-m", "web.cli", "ingest", str(pictures), "--json"],
        [sys.executable, __file__, str(library), str(items)],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        draw(pictures, range(items))
    draw(pictures / "new", range(items, items + IMPORTED))


def picture_of(folder: Path, n: int) -> Path:
    return folder / f"{NAMES[n % len(NAMES)]} {n:05}.jpg"


def draw(folder: Path, numbers: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        path = picture_of(folder, n)
        if not path.exists():
            rng = np.random.default_rng(n)
            ground = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
            picture = ground.resize((240, 180), Image.Resampling.BILINEAR)
            x, y, size = (int(one) for one in rng.integers(20, 100, 3))
            ImageDraw.Draw(picture).ellipse((x, y, x + size, y + size), fill=tuple(rng.integers(0, 255, 3).tolist()))
            picture.save(path, quality=80)


def fill(library: Path, items: int) -> None:
    """Store the pictures that were not ingested; runs in a process of its own, by the version that is to read it."""
    settings = load_settings()
    store, ledger, previews = open_store(settings), Ledger(settings.ledger_url), Previews(settings)
    schema = store.schema("images")
    names = [field.space.name for field in schema.fields]
    real = list(store.scroll("images", vectors=names))
    with ledger.read() as connection:
        rows = {
            row["media_id"]: row for row in map(dict, connection.execute(select(files)).mappings()) if row["media_id"]
        }
    rng = np.random.default_rng(0)
    noises = [rng.normal(size=point.vectors["visual"].shape).astype(np.float32) for point in real]
    ids, points, new_rows = [point.id for point in real], [], []
    for n in range(INGESTED, items):
        path = picture_of(library / "pictures", n)
        content, old, other = path.read_bytes(), real[n % len(real)], real[int(rng.integers(len(real)))]
        digest = sha256(content).hexdigest()
        id_, status = media_id(digest), path.stat()
        thumbnail = f"{id_[:2]}/{id_}.webp"
        preview = previews.path(thumbnail)
        assert preview is not None
        preview.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(preview, "WEBP", method=0)
        record = replace(
            MediaRecord.from_payload(old.payload),
            id=id_,
            paths=(str(path),),
            size=len(content),
            mtime=status.st_mtime,
            fingerprints=(rng.bytes(32).hex(),),
            pixel_hash=digest,
            thumbnail=thumbnail,
        )
        mixed = old.vectors["visual"] + rng.uniform(0.2, 0.8) * other.vectors["visual"]
        mixed = np.maximum(mixed + noises[int(rng.integers(len(noises)))] * 0.3 / np.sqrt(mixed.size), 0)
        vectors = dict(old.vectors) | {"visual": (mixed / np.linalg.norm(mixed)).astype(np.float32)}
        points.append(Point(id_, vectors, record.to_payload()))
        row = rows[old.id] | {"path": str(path), "folder": str(path.parent), "size": len(content), "media_id": id_}
        new_rows.append(row | {"sha256": digest, "mtime_ns": status.st_mtime_ns, "ctime_ns": status.st_ctime_ns})
        ids.append(id_)
    for start in range(0, len(points), 500):
        store.upsert("images", points[start : start + 500])
    with ledger.write() as connection:
        connection.execute(files.insert(), new_rows)
    store.optimise("images")
    store.close()
    ledger.close()
    (library / "ids.json").write_text(json.dumps(ids))


def environ(home: Path, checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
    own = {"LIKEWISE_HOME": str(home), "LIKEWISE_TOKEN": TOKEN, "PYTHONPATH": str(checkout)}
    return kept | MODELS | own


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
