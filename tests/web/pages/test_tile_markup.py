"""Tiles as HTML: texts of files stay texts, links vary the present question."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

from search.likeness.curve import Band
from search.media import Kind
from search.similar.questions import Relation, SimilarHit, Via
from web.pages.address import Address
from web.pages.tile_markup import tiles_markup
from web.pages.tiles import Tile

HOSTILE = "\"><b>&'\0 x"
TILE = Tile(
    "11111111-aaaa", Kind.IMAGE, "a.jpg", ("/p/a.jpg", "/q/a.jpg"), "/media/1/preview", 15, None, playable=False
)
HIT = SimilarHit(TILE.id, Kind.IMAGE, TILE.paths, 0.5, 0.8, Band.SIMILAR, 97.0, "visual", Relation.SIMILAR)


KNOWN = {"class", "href", "title", "src", "alt", "loading", "decoding", "aria-label"}


class Told(HTMLParser):
    """What a browser reads: names of tags and attributes, the last value of each attribute, and the text."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.values: dict[str, str | None] = {}
        self.text = ""
        self.feed(written)
        self.names = set(self.values)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.values |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def markup(tile: Tile, address: Address = Address()) -> str:  # noqa: B008  # it is frozen
    return str(tiles_markup([tile], address, lambda name: f"<svg>{name}</svg>"))


def links(tile: Tile, address: Address) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]*)" data-ask', markup(tile, address))]


def test_no_text_of_a_file_becomes_markup() -> None:
    hit = replace(HIT, space=HOSTILE, via=Via(HOSTILE))
    said = {"name": HOSTILE, "paths": (HOSTILE,), "mime": HOSTILE, "model": HOSTILE, "through": HOSTILE}
    words = {"reasons": (HOSTILE,), "reasons_in_full": (HOSTILE,), "thumbnail": HOSTILE}
    for tile in (replace(TILE, id=HOSTILE, hit=hit, **said, **words), replace(TILE, id=HOSTILE, **said, **words)):
        told = Told(markup(tile, Address((("q", HOSTILE),))))
        assert told.tags <= {"article", "a", "img", "div", "span", "p", "svg"}
        assert told.names <= {*KNOWN, *(name for name in told.names if re.fullmatch("data-[a-z]+", name))}
        assert {told.values[name] for name in ("data-name", "data-path", "data-mime", "src", "alt")} == {HOSTILE}
        assert HOSTILE in told.text


def test_what_scripts_read() -> None:
    plain = markup(TILE)
    assert 'data-path="/p/a.jpg\n/q/a.jpg"' in plain
    assert "data-band" not in plain
    told = markup(replace(TILE, hit=HIT, model="m"))
    assert 'data-band="Similar"' in told
    assert 'data-rare="97 %"' in told
    assert 'data-score="0.500" data-space="visual" data-model="m" data-through=""' in told
    assert 'class="figure"' in told
    copy = markup(replace(TILE, hit=replace(HIT, band=Band.EDITED_COPY, relation=Relation.EDITED_COPY)))
    assert '<span class="badge edited-copy">Edited copy</span>' in copy
    assert 'class="figure"' not in copy
    assert '<span class="badge burst">Burst</span>' in markup(replace(TILE, hit=replace(HIT, relation=Relation.BURST)))
    weighed = markup(replace(TILE, hit=replace(HIT, parts={"visual": 12.0, "style": 99.5})))
    assert '<p class="under">subject 12 %, style 99.5 %</p>' in weighed


def test_moments_and_sounds() -> None:
    video = replace(TILE, kind=Kind.VIDEO, duration=20.0, moment=7.256, playable=True)
    assert f'href="/item/{TILE.id}?t=7.26"' in markup(video)
    assert "<span>at 7.3 s</span>" in markup(video)
    assert ' data-playable data-moment="7.26" data-at="7.3 s"' in markup(video)
    halves = markup(replace(video, moment=2.25))  # the viewer rounded by itself, to 2.3
    assert ' data-at="2.3 s"' in halves
    assert "<span>at 2.3 s</span>" in halves
    assert "<span>at 7.3 s</span>" in markup(replace(video, duration=60.0)), "one moment is told in one way"
    heard = markup(replace(video, moment=65.0, hit=replace(HIT, space="sound", moment=65.0, span=(65.0, 83.576))))
    assert f'href="/item/{TILE.id}?t=65.0&amp;until=83.58"' in heard
    assert ' data-moment="65.00" data-at="1:05 to 1:23" data-until="83.58"' in heard
    sound = replace(
        TILE, kind=Kind.AUDIO, thumbnail=None, duration=75.0, through="", hit=replace(HIT, via=Via("v", 3.5))
    )
    assert '<span class="blank"><svg>audio</svg></span>' in markup(sound)
    assert "<span>1:15</span>" in markup(sound)
    assert 'through <a href="/item/v?t=3.50">a video</a>' in markup(sound)


def test_links_are_those_of_the_address() -> None:
    plain = (("q", "red & blue"), ("in", "images"), ("limit", "80"), ("offset", "40"))
    named = (("unlike", TILE.id), ("like", "other"))
    for pairs in ((), plain, (*plain, ("like", "other")), (("like", TILE.id),), named):
        address = Address(pairs)
        also = [str(address.also(role, TILE.id)) for role in ("like", "unlike")]
        assert links(TILE, address) == [str(address.like(TILE.id)), *also]
