"""How soon the pages about photographers answer in a large library, and what memory they take.

    .venv/bin/python tests/benchmarks/bench_dashboard.py [--people N] [--each N] [--folder DIR] [--screenshots DIR]

500 photographers with 40 photos each, in sessions of ten: vectors, features and records are drawn and written as an
ingest writes them, previews are drawn. Then `likewise up` is started twice on this library, and pages are asked for one
after the other, once and again; after the first start the list of photographers is kept. Times are seconds of a clock,
beside those of a processor that the process used meanwhile, which other programs on the machine hardly change.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from readers_library import TOKEN, environ

from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.model_descriptions.registry import EFFICIENTNET_LITE0
from search.photographers.photos.features import FEATURES, UNMEASURED
from search.photographers.photos.names import photographer_id
from search.settings import Settings
from search.store import open_store
from search.store.base import Point
from workers.storage.previews import Previews, preview_key

PREVIEWS = 64
SESSION = 10
AT_ONCE = 500
MIB = 2**20
Floats = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--people", type=int, default=500, help="photographers (500)")
    parser.add_argument("--each", type=int, default=40, help="photos of each (40)")
    parser.add_argument("--folder", type=Path, help="keep the library here, and use it again")
    parser.add_argument("--screenshots", type=Path, help="also look at the pages in Chromium, wide and narrow")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = chosen.folder or Path(place) / "library"
        if not (folder / "made").is_file():
            make_library(folder, chosen.people, chosen.each)
        print(f"{chosen.people} photographers, {chosen.each} photos each")
        for start in ("first start: nothing is kept yet", "second start"):
            print(f"\n{start}")
            visit(folder, chosen.people, chosen.screenshots if start == "second start" else None)


def name_of(number: int) -> str:
    return f"Photographer {number:03}"


def make_library(folder: Path, people: int, each: int) -> None:
    settings = Settings(home=folder / "home")
    settings.home.mkdir(parents=True)
    (images,) = (
        schema
        for schema in schemas_of(ModelChoice(EFFICIENTNET_LITE0.name, f"frames_{EFFICIENTNET_LITE0.name}"))
        if schema.kind is Kind.IMAGE
    )
    store, previews = open_store(settings), Previews(settings)
    store.ensure(images)
    rng = np.random.default_rng(0)
    pictures = [drawn(rng) for _ in range(PREVIEWS)]
    dims = {field.space.name: field.space.dim for field in images.fields if field.space.name in {"visual", "style"}}
    points: list[Point] = []
    shown: dict[str, bytes] = {}
    for person in range(people):
        own = {name: rng.normal(size=dim) for name, dim in dims.items()}
        looks = rng.uniform(0.2, 0.8, len(FEATURES))
        for number in range(each):
            if number % SESSION == 0:
                scene = {name: rng.normal(size=dim) for name, dim in dims.items()}
                day = datetime(2000 + int(rng.integers(20)), int(rng.integers(1, 13)), 1, 9, tzinfo=UTC)
            digest = sha256(f"{person} {number}".encode()).hexdigest()
            id_ = media_id(digest)
            vectors = {name: unit(own[name] + scene[name] + rng.normal(size=dim))[None] for name, dim in dims.items()}
            shown[id_] = pictures[int(rng.integers(PREVIEWS))]
            record = MediaRecord(
                id_,
                Kind.IMAGE,
                (f"/archive/{name_of(person)}/{day:%Y-%m}/IMG_{number:04}.jpg",),
                photographer=name_of(person),
                credit="folder",
                taken_at=(day + timedelta(minutes=number)).isoformat(),
                camera=("Canon EOS 5D", "Leica M6", "Nikon D700")[person % 3],
                fingerprints=(rng.bytes(32).hex(),),
                thumbnail=preview_key(id_),
                features=features(looks, rng),
            )
            points.append(Point(id_, vectors, record.to_payload()))
        if len(points) >= AT_ONCE or person == people - 1:
            store.upsert(images.kind.collection, points)
            previews.save(shown)
            points.clear()
            shown.clear()
    store.optimise(images.kind.collection)
    store.close()
    (folder / "made").touch()


def unit(vector: Floats) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def features(looks: Floats, rng: np.random.Generator) -> tuple[float | None, ...]:
    """Values inside each feature's bounds, where those are narrow, about the photographer's own."""
    drawn = np.clip(looks + rng.normal(0, 0.1, len(looks)), 0, 1)
    return tuple(
        None if at in UNMEASURED else float(feature.low + share * min(feature.high - feature.low, 255))
        for at, (feature, share) in enumerate(zip(FEATURES, drawn, strict=True))
    )


def drawn(rng: np.random.Generator) -> bytes:
    ground = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    file = io.BytesIO()
    ground.resize((256, 192), Image.Resampling.BICUBIC).save(file, "WEBP", quality=70)
    return file.getvalue()


def visit(folder: Path, people: int, screenshots: Path | None) -> None:
    """Start, ask for each page twice, and end."""
    environment = environ(folder / "home", Path(__file__).resolve().parents[2])
    began = time.monotonic()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "web.cli", "up", "--port", "0", "--json"],
            stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=folder,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        url = json.loads(line)["url"]
        print(f"{'up after':44} {time.monotonic() - began:6.2f} s")
        one = photographer_id(name_of(people // 2))
        for path in ("", "?page=2&sort=name", f"/{one}", "/map", "/map?by=style", "/predict", "/report"):
            for time_ in ("first", "again"):
                cpu = used(process.pid)
                asked = time.monotonic()
                status, size = ask(url, f"/photographers{path}")
                told = f"/photographers{path}, {time_}"
                print(f"{told:44} {time.monotonic() - asked:6.2f} s, {used(process.pid) - cpu:6.2f} s of a processor, "
                      f"{size / 1024:7.1f} KiB, status {status}, {memory(process.pid):6.0f} MiB in memory")  # fmt: skip
        if screenshots is not None:
            look(url, screenshots, ("", f"/{one}", "/map", "/predict", "/report"))
    finally:
        process.terminate()
        process.wait(60)


def ask(url: str, path: str) -> tuple[int, int]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=600)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"})
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return answer.status, size


def used(pid: int) -> float:
    return sum(psutil.Process(pid).cpu_times()[:2])


def memory(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / MIB


def look(url: str, folder: Path, paths: tuple[str, ...]) -> None:
    """Screenshots of the pages, 1280 and 390 px wide, and whether any is wider than its window."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in (1280, 390):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, extra_http_headers={"Authorization": f"Bearer {TOKEN}"}
            )
            page = context.new_page()
            page.set_default_timeout(120_000)
            for path in paths:
                asked = time.monotonic()
                page.goto(f"{url}/photographers{path}", wait_until="load")
                wide = page.evaluate("document.documentElement.scrollWidth")
                told = f"Chromium, {width} px, /photographers{path}"
                print(f"{told:60} {time.monotonic() - asked:6.2f} s{'' if wide <= width else f', {wide} px wide'}")
                page.screenshot(path=folder / f"{width}{path.replace('/', '-') or '-everyone'}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
