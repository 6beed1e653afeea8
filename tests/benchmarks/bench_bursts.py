"""Whether shots of one burst are told from edits of one picture, on frames of films and edits made here.

    python tests/benchmarks/bench_bursts.py DATA

DATA is the folder with ``video_scenes``, ``images_neardup`` and ``images_caltech101``. Pairs of frames .2, .4 and .6 s
apart are written as JPEGs with capture times of several kinds, each kind is ingested into a library of its own, and
``/duplicates`` and ``/media/ID/similar`` are asked. Prints for each kind of time, and apart for the scenes on which the
thresholds of ``workers.alignment`` were chosen and for the others,

* how many pairs look alike after an edit at all (fingerprint and vector), and what these are called;
* how many are proposed for removal, which must be none that moved;

then the same for edits of pictures, of which all should be called edits.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import av
from PIL import ExifTags, Image, ImageEnhance, ImageFilter, ImageOps

from search.records.lookup import find_record
from search.settings import load_settings
from search.similar.near import MIN_COSINE, PICTURE_BITS, fingerprint_distance
from web.client import connect_inside
from web.commands.library.ingest import take_in

CHOSEN_ON = ("asl_signer", "bikes_street", "car_traffic", "cockatoo")
CLIPS, GAPS = 5, (0.0, 0.2, 0.4, 0.6)
CAMERA = ("Acme", "A1")
KINDS: dict[str, Callable[[int, int], tuple[str, str] | None]] = {
    "without EXIF": lambda clip, at: None,
    "with times one second apart": lambda clip, at: (f"2024:05:06 10:{clip:02}:3{at}", ""),
    "with one time, in whole seconds": lambda clip, at: (f"2024:05:06 10:{clip:02}:30", ""),
    "with true fractions of a second": lambda clip, at: (f"2024:05:06 10:{clip:02}:30", f"{10 + 20 * at}"),
}
"""How the capture time of a frame of a clip is written: text and fraction of a second."""


def frames(clip: Path) -> list[Image.Image]:
    """Frames from the middle of a clip on, at :data:`GAPS`."""
    with av.open(str(clip)) as container:
        shown = [
            (float(frame.time or 0), Image.fromarray(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]
    middle = (shown[0][0] + shown[-1][0]) / 2
    return [min(shown, key=lambda one: abs(one[0] - middle - gap))[1] for gap in GAPS]


def save(picture: Image.Image, path: Path, time: tuple[str, str] | None) -> None:
    exif = Image.Exif()
    if time is not None:
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = CAMERA
        shot = exif.get_ifd(ExifTags.IFD.Exif)
        shot[ExifTags.Base.DateTimeOriginal] = time[0]
        if time[1]:
            shot[ExifTags.Base.SubsecTimeOriginal] = time[1]
    picture.convert("RGB").save(path, quality=92, exif=exif)


def edits(picture: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    picture = picture.convert("RGB")
    width, height = picture.size

    def coded(quality: int) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        return Image.open(io.BytesIO(buffer.getvalue()))

    yield "quality 15", coded(15)
    yield "half", picture.resize((width // 2, height // 2))
    yield "darker", picture.point([int(255 * (level / 255) ** 1.8) for level in range(256)] * 3)
    yield "lighter", picture.point([int(255 * (level / 255) ** 0.5) for level in range(256)] * 3)
    yield "gray", picture.convert("L")
    yield "blurred", picture.filter(ImageFilter.GaussianBlur(max(width, height) / 240))
    yield "sharper", picture.filter(ImageFilter.UnsharpMask(2, 120, 2))
    yield "contrast", ImageEnhance.Contrast(picture).enhance(1.5)
    yield "cropped", picture.crop((int(width * 0.03), int(height * 0.02), int(width * 0.98), int(height * 0.97)))
    yield "turned 1°", picture.rotate(1.0, Image.Resampling.BICUBIC).crop((12, 12, width - 12, height - 12))
    yield "framed", ImageOps.expand(picture, border=width // 40, fill="black")
    marked = picture.copy()
    marked.paste("white", (int(width * 0.78), int(height * 0.85), int(width * 0.97), int(height * 0.95)))
    yield "marked", marked


@dataclass(frozen=True)
class Asked:
    """What a library says of pairs of its files.

    Attributes:
        grouped: relation by pair of paths.
        removable: paths that are proposed for removal.
        hits: relation of the second as a hit for the first, by pair of paths.
        alike: pairs that look alike after an edit.
    """

    grouped: dict[frozenset[str], str]
    removable: frozenset[str]
    hits: dict[tuple[str, str], str]
    alike: frozenset[tuple[str, str]]


def asked(folder: Path, home: Path, pairs: list[tuple[str, str]]) -> Asked:
    with connect_inside(load_settings({"home": home})) as (client, node):
        take_in(client, (str(folder),))
        records = {path: point.payload for point in node.store.scroll("images") for path in point.payload["paths"]}
        grouped: dict[frozenset[str], str] = {}
        removable = set()
        for group in client.get("/duplicates", {"limit": 500})["groups"]:
            members = [member["paths"][0] for member in group["members"]]
            removable |= {member["paths"][0] for member in group["members"] if member["removable"]}
            grouped |= {frozenset(pair): group["relation"] for pair in combinations(members, 2)}
        hits, alike = {}, set()
        for a, b in pairs:
            if a not in records or b not in records:
                continue
            answer = client.get(f"/media/{records[a]['id']}/similar", {"in": "images", "limit": 50})
            by_path = {hit["paths"][0]: hit for hit in answer["hits"]}
            hits[a, b] = by_path[b]["relation"] if b in by_path else "not found"
            one, other = (find_record(node.store, records[path]["id"]).fingerprints for path in (a, b))
            near = one and other and fingerprint_distance(one[0], other[0]) <= PICTURE_BITS
            if near and b in by_path and by_path[b]["score"] >= MIN_COSINE:
                alike.add((a, b))
    return Asked(grouped, frozenset(removable), hits, frozenset(alike))


def told(title: str, pairs: list[tuple[str, str]], found: Asked) -> None:
    alike = [pair for pair in pairs if pair in found.alike]
    groups = Counter(found.grouped.get(frozenset(pair), "no group") for pair in pairs)
    hits = Counter(found.hits.get(pair, "not found") for pair in pairs)
    removed = sum(bool(found.removable.intersection(pair)) for pair in pairs)
    print(
        f"  {title}: {len(pairs)} pairs, {len(alike)} look alike; groups {dict(groups)}, hits {dict(hits)}, "
        f"proposed for removal {removed}"
    )


def bursts(data: Path, scratch: Path) -> None:
    clips = [
        (scene.name, clip)
        for scene in sorted(path for path in (data / "video_scenes").iterdir() if path.is_dir())
        for clip in sorted(scene.iterdir())[:CLIPS]
    ]
    shown = {(scene, clip.stem): frames(clip) for scene, clip in clips}
    for at, (kind, time_of) in enumerate(KINDS.items()):
        folder = scratch / f"frames{at}"
        folder.mkdir()
        pairs: dict[str, list[tuple[str, str]]] = {}
        for minute, ((scene, clip), pictures) in enumerate(shown.items()):
            paths = [str(folder / f"{scene}_{clip}_{number}.jpg") for number in range(len(pictures))]
            for number, frame in enumerate(pictures):
                save(frame, Path(paths[number]), time_of(minute, number))
            pairs.setdefault(scene, []).extend((paths[0], path) for path in paths[1:])
        found = asked(folder, scratch / f"home{at}", [pair for some in pairs.values() for pair in some])
        print(f"frames {kind}")
        chosen = [pair for scene, some in pairs.items() if scene in CHOSEN_ON for pair in some]
        others = [pair for scene, some in pairs.items() if scene not in CHOSEN_ON for pair in some]
        told("scenes that thresholds were chosen on", chosen, found)
        told("other scenes", others, found)
        for scene, some in pairs.items():
            if any(found.grouped.get(frozenset(pair)) == "edited_copy" for pair in some):
                told(scene, some, found)


def edited(data: Path, scratch: Path) -> None:
    folder = scratch / "edits"
    folder.mkdir()
    sources = sorted((data / "images_caltech101").glob("*/*.jpg"))[10::40]  # none that thresholds were chosen on
    pairs: dict[str, list[tuple[str, str]]] = {}
    for at, source in enumerate(sources):
        with Image.open(source) as picture:
            original = folder / f"{at}.jpg"
            save(picture, original, None)
            for name, edit in edits(picture):
                path = folder / f"{at}_{name.replace(' ', '_')}.jpg"
                save(edit, path, None)
                pairs.setdefault(name, []).append((str(original), str(path)))
    found = asked(folder, scratch / "edits_home", [pair for some in pairs.values() for pair in some])
    print(f"edits of {len(sources)} other pictures of images_caltech101, without EXIF")
    told("all", [pair for some in pairs.values() for pair in some], found)
    for name, some in pairs.items():
        wrong = Counter(found.hits.get(pair, "not found") for pair in some if pair in found.alike)
        print(f"    {name}: of those that look alike {dict(wrong)}")


def labelled(data: Path, scratch: Path) -> None:
    bridge = sorted(str(path) for path in (data / "images_neardup" / "bridge").iterdir())
    original = next(path for path in bridge if "aaa-orig" in path)
    pairs = [(original, path) for path in bridge if path != original]
    print("images_neardup, bridge")
    found = asked(data / "images_neardup", scratch / "neardup_home", pairs)
    told("original and edits", pairs, found)
    alike = [found.hits.get(pair, "not found") for pair in pairs if pair in found.alike]
    print(f"    of those that look alike {dict(Counter(alike))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    data = parser.parse_args().data.resolve()
    with tempfile.TemporaryDirectory(prefix="likewise-bench-") as scratch:
        labelled(data, Path(scratch))
        edited(data, Path(scratch))
        bursts(data, Path(scratch))


if __name__ == "__main__":
    main()
