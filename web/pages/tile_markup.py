"""Tiles as HTML. A page has hundreds, and a template takes four times as long for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from urllib.parse import quote_plus

from flask import Flask
from markupsafe import Markup

from search.media import Kind
from search.similar.questions import Relation, SimilarHit
from web.pages.address import EXAMPLES, Address
from web.pages.formats import clock
from web.pages.tiles import Tile
from web.wording import COPIES, called, explained, likely, likeness, moment, percent, place

Icons = Callable[[str], str]
"""An icon as HTML, by its name."""

FIRST_TOLD = 0.05
"""Seconds from which on a tile tells the moment; of what matches from its start it tells the length."""


def install_tiles(app: Flask) -> None:
    """Give templates ``tiles(items, address)``: the tiles of a list, one after another. ``address`` is the present
    question, of which their links ask a variation."""
    kept: dict[str, str] = {}

    def icon(name: str) -> str:
        if name not in kept:
            kept[name] = str(app.jinja_env.get_template("_icons.html").module.icon(name))  # type: ignore[attr-defined]
        return kept[name]

    def tiles(items: Iterable[Tile], address: Address) -> Markup:
        return tiles_markup(items, address, icon)

    app.jinja_env.globals["tiles"] = tiles


def tiles_markup(items: Iterable[Tile], address: Address, icon: Icons) -> Markup:
    links = _Links(address, icon)
    return Markup("".join([_tile(item, links, icon) for item in items]))  # noqa: S704  # all texts are escaped there


class _Links:
    """The links below a tile. They differ between tiles in one id, so that what comes before it is written once."""

    def __init__(self, address: Address, icon: Icons) -> None:
        self._address = address
        self._named = {value for name in EXAMPLES for value in address.values(name)}
        self._like, self._also, self._unlike = (
            escape(str(beginning))
            for beginning in (address.like(""), address.also("like", ""), address.also("unlike", ""))
        )
        self._icons = icon("like"), icon("plus"), icon("minus")

    def of(self, media_id: str, name: str) -> str:
        """Args:
        name: of the tile, escaped.
        """
        id_ = quote_plus(media_id)
        also, unlike = self._also + id_, self._unlike + id_
        if media_id in self._named:  # it may already stand in the address, in the other role
            also, unlike = (escape(str(self._address.also(role, media_id))) for role in EXAMPLES)
        like, plus, minus = self._icons
        return (
            '<div class="acts">\n'
            f'    <a href="{self._like}{id_}" data-ask aria-label="More like this: {name}">{like}'
            "<span>More like this</span></a>\n"
            f'    <a href="{also}" data-ask title="Add to search" aria-label="Add to search: {name}">{plus}</a>\n'
            f'    <a href="{unlike}" data-ask title="Less like this" aria-label="Less like this: {name}">{minus}</a>\n'
            "  </div>"
        )


def _tile(item: Tile, links: _Links, icon: Icons) -> str:
    hit, kind = item.hit, item.kind.value
    id_, name, paths = escape(item.id), escape(item.name), escape("\n".join(item.paths))
    why = escape("\n".join((*(explained(hit, item.model) if hit else item.reasons_in_full), *item.paths)))
    at = "" if item.moment is None else f"?t={round(item.moment, 2)}"
    if hit is not None and hit.overlap is not None:
        at = f"?t={round(hit.overlap.other_start, 2)}&amp;until={round(hit.overlap.other_end, 2)}"
    elif hit is not None and hit.span is not None:
        at += f"&amp;until={round(hit.span[1], 2)}"
    if item.thumbnail:
        shown = f'<img src="{escape(item.thumbnail)}" alt="{name}" loading="lazy" decoding="async">'
    else:
        shown = f'<span class="blank">{icon(kind)}</span>'
    return (
        f'<article class="tile r{item.ratio}" data-id="{id_}" data-kind="{kind}" data-name="{name}"'
        f' data-mime="{escape(item.mime)}" data-src="/media/{id_}/file" data-path="{paths}"{_data(item)}>\n'
        f'  <a class="frame {kind}" href="/item/{id_}{at}" title="{why}">\n'
        f"    {shown}{_kind_badge(item, icon)}{_band_badge(hit)}\n"
        "  </a>\n"
        f'  <div class="caption"><span class="name" title="{paths}">{name}</span>{_figure(hit, why)}</div>\n'
        f"{_under(item)}  {links.of(item.id, name)}\n"
        "</article>\n"
    )


def _data(item: Tile) -> str:
    """Attributes for scripts that not every tile has."""
    told = " data-playable" if item.playable else ""
    if item.moment is not None:
        span = None if item.hit is None else item.hit.span
        told += f' data-moment="{item.moment:.2f}" data-at="{place(item.moment, span)}"'
        if span is not None:
            told += f' data-until="{span[1]:.2f}"'
    if item.reasons:
        told += f' data-reasons="{escape(", ".join(item.reasons_in_full))}"'
    if (hit := item.hit) is None:
        return told
    parts = _parts(hit)
    band = "" if parts else _band_words(hit)
    says = "" if parts else " ".join(likely(hit))
    return (
        f'{told} data-band="{band}" data-likely="{says}" data-rare="{percent(hit.match)}" data-parts="{parts}"'
        f' data-score="{hit.score:.3f}" data-space="{escape(hit.space)}" data-model="{escape(item.model)}"'
        f' data-through="{escape(item.through)}"'
    )


def _kind_badge(item: Tile, icon: Icons) -> str:
    if item.kind is Kind.IMAGE:
        return ""
    time = ""
    if item.moment is not None and (item.moment >= FIRST_TOLD or not item.duration):
        time = f"<span>at {moment(item.moment)}</span>"
    elif item.duration:
        time = f"<span>{clock(item.duration)}</span>"
    kind = item.kind.value
    return f'<span class="badge kind">{icon(kind)}{time}<span class="hidden">{kind}</span></span>'


def _band_badge(hit: SimilarHit | None) -> str:
    """That it is the example itself or an edit of it, or another shot of a burst with it."""
    if hit is None:
        return ""
    if hit.band in COPIES:
        return f'<span class="badge {hit.band.value.replace(" ", "-")}">{_band_words(hit)}</span>'
    return '<span class="badge burst">Burst</span>' if hit.relation is Relation.BURST else ""


def _figure(hit: SimilarHit | None, why: str) -> str:
    """The one number beside the name: the likeness, or the combined match where subject and style are weighed; none for
    copies, which say so in words."""
    if hit is None or (hit.band in COPIES and hit.parts is None):
        return ""
    figure = likeness(hit.likeness) if hit.parts is None else percent(hit.match)
    return f'<span class="figure" title="{why}">{figure}</span>'


def _under(item: Tile) -> str:
    """Lines below the caption: matches of subject and style, reasons why words found it, the video it was reached
    through."""
    lines, hit = "", item.hit
    if hit is not None and (parts := _parts(hit)):
        lines += f'  <p class="under">{parts}</p>\n'
    if item.reasons:
        in_full = escape("\n".join(item.reasons_in_full))
        lines += f'  <p class="under" title="{in_full}">{escape(", ".join(item.reasons))}</p>\n'
    if hit is not None and hit.via is not None:
        at = "" if hit.via.moment is None else f"?t={hit.via.moment:.2f}"
        through = escape(item.through)
        link = f'<a href="/item/{escape(hit.via.id)}{at}">{through or "a video"}</a>'
        lines += f'  <p class="under" title="{through}">through {link}</p>\n'
    return lines


def _parts(hit: SimilarHit) -> str:
    """The match in subject and in style, where the two were weighed against each other."""
    if hit.parts is None:
        return ""
    return f"subject {percent(hit.parts['visual'])}, style {percent(hit.parts['style'])}"


def _band_words(hit: SimilarHit) -> str:
    return called(hit).capitalize()
