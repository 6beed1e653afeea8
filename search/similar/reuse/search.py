"""Compares the fingerprints over time of some contents with those of all others.

All others are read in parts of bounded size, each of which is indexed in memory, so that memory does not grow with the
library. Time does, with the number of new hours times that of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from search.similar.reuse.films import shared_runs
from search.similar.reuse.footprints import FRAMES_A_SECOND, Footprints, flipped
from search.similar.reuse.landmarks import shared_sounds
from search.similar.reuse.overlaps import Overlap
from search.similar.reuse.rows_index import FramesIndex, LandmarksIndex

PART_FRAMES = 1_500_000
"""Frames, and landmarks, in a part: of about 100 hours of film, or 20 hours of sound. Their indexes take 250 MB."""

Load = Callable[[str], Footprints | None]
"""Reads the fingerprints of a content by its id; None where there are none."""


def find_overlaps(
    wanted: Sequence[str],
    everything: Sequence[str],
    load: Load,
    *,
    each: Callable[[str], bool] = lambda media_id: True,
) -> Iterator[Overlap]:
    """Spans that the wanted contents share with any content, each pair once.

    Args:
        wanted, everything: ids; the wanted are among all.
        each: called when a content has been compared with a part; when it returns False, nothing more is compared.
    """
    numbers = {media_id: number for number, media_id in enumerate(wanted)}
    for ids, prints in _parts(everything, load):
        frames = FramesIndex([one.frames for one in prints])
        landmarks = LandmarksIndex([one.landmarks for one in prints])
        for number, media_id in enumerate(wanted):
            asked = load(media_id)
            if asked is not None:
                # Two wanted contents meet twice: the later of them asks.
                skipped = {at for at, other in enumerate(ids) if numbers.get(other, -1) >= number}
                yield from _with_part(media_id, asked, ids, prints, frames, landmarks, skipped)
            if not each(media_id):
                return


def overlaps_of(one: str, prints: Footprints, other: str, others: Footprints) -> list[Overlap]:
    """Spans that two contents share."""
    frames, landmarks = FramesIndex([others.frames]), LandmarksIndex([others.landmarks])
    return [*_with_part(one, prints, [other], [others], frames, landmarks, set())]


def _parts(ids: Sequence[str], load: Load) -> Iterator[tuple[list[str], list[Footprints]]]:
    held: list[str] = []
    prints: list[Footprints] = []
    size = 0
    for media_id in ids:
        one = load(media_id)
        if one is None or one.is_empty:
            continue
        held.append(media_id)
        prints.append(one)
        size += max(len(one.frames), one.landmarks.shape[1])
        if size >= PART_FRAMES:
            yield held, prints
            held, prints, size = [], [], 0
    if held:
        yield held, prints


def _with_part(
    one: str,
    asked: Footprints,
    ids: Sequence[str],
    prints: Sequence[Footprints],
    frames: FramesIndex,
    landmarks: LandmarksIndex,
    skipped: set[int],
) -> Iterator[Overlap]:
    for is_flipped, rows in ((False, asked.frames), (True, flipped(asked.frames))):
        for at, offsets in frames.candidates(rows).items():
            if at in skipped or ids[at] == one:
                continue
            for run in shared_runs(rows, prints[at].frames, offsets):
                start, other_start, seconds = (
                    number / FRAMES_A_SECOND for number in (run.start, run.other_start, run.frames)
                )
                yield Overlap(one, ids[at], start, other_start, seconds, flipped=is_flipped)
    for at in landmarks.candidates(asked.landmarks):
        if at in skipped or ids[at] == one:
            continue
        for span in shared_sounds(asked.landmarks, prints[at].landmarks):
            yield Overlap(one, ids[at], span.start, span.other_start, span.seconds, heard=True)
