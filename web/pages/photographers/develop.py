"""Page that develops a photo like a photographer: before and after, settings, files to download, settings over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from flask import Response, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from pydantic import Field
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from search.errors import LikewiseError, SpaceMismatchError
from search.photographers.answers import PhotographerListed
from search.photographers.develop.developing import Development, SettingsCourse
from search.photographers.develop.lut import cube
from search.photographers.develop.settings import MOST_STRENGTH, Preset
from search.photographers.develop.words import WORDS, sentence
from search.photographers.develop.xmp import xmp
from search.records.lookup import find_record, probe_of
from search.similar.questions import Probe
from web.api.media import offered_name
from web.api.operation import current_node
from web.api.params import read_query
from web.api.photographers import Developing, developed_like, developed_preview, development_name
from web.api.ports import NodePort
from web.api.questions import check_id
from web.bodies import takes_file
from web.charts.lines import over_time
from web.errors import STATUS_OF
from web.pages.forms import read_address
from web.pages.photographers.shared import blueprint
from web.pages.recent_uploads import PREFIX, recent_uploads, remember_upload
from web.pages.tiles import Tile, record_tile, upload_tile


@dataclass(frozen=True, slots=True)
class DevelopQuery:
    """Parameters of the page and of its files, as in :class:`web.api.photographers.Developing`; all may be absent."""

    like: str = ""
    photographer: str = ""
    style: Annotated[int, Field(ge=1, le=1000)] | None = None
    taken_from: str = ""
    taken_to: str = ""
    strength: Annotated[float, Field(ge=0, le=MOST_STRENGTH)] = 1.0
    developed: bool = True

    @property
    def asked(self) -> Developing:
        return Developing(
            self.photographer, "", self.style, self.taken_from, self.taken_to, self.strength, self.developed
        )

    @property
    def parameters(self) -> dict[str, str]:
        """For the address of the same question."""
        texts = {
            "like": self.like,
            "photographer": self.photographer,
            "style": str(self.style or ""),
            "taken_from": self.taken_from,
            "taken_to": self.taken_to,
            "strength": f"{self.strength:g}",
            "developed": str(self.developed).lower(),
        }
        return {name: text for name, text in texts.items() if text}


@dataclass(frozen=True, slots=True)
class CourseShown:
    """Settings over time; ``charts`` are of those with at least two periods."""

    title: str
    photos: int
    settings: tuple[tuple[str, str, float], ...]
    charts: tuple[Markup, ...]


@blueprint.get("/develop")
def develop() -> Response:
    node = current_node()
    query, example, development, shown, problem = DevelopQuery(), None, None, [], None
    try:
        query = _query()
        example = _tile(node, query.like) if query.like else None
        if query.photographer:
            shown = _courses(node, query.photographer)
        if query.like and query.photographer:
            _, development = _developed(node, query)
    except LikewiseError as error:
        problem = error
    people = node.photographers.list()
    body = render_template(
        "photographers/develop.html",
        query=query,
        people=people,
        chosen=_chosen(people, query.photographer),
        example=example,
        development=development,
        said=sentence(development.words) if development else "",
        courses=shown,
        most_strength=MOST_STRENGTH,
        problem=problem,
    )
    return make_response(body, STATUS_OF.get(problem.code, 500) if problem else 200)


@blueprint.post("/develop")
@takes_file
def upload_to_develop() -> AnyResponse:
    """Store an upload for a while and redirect to the address of the question about it."""
    uploaded = remember_upload()
    query = read_query(_filled(request.form), (DevelopQuery,))[0]
    named: dict[str, str] = replace(query, like=uploaded).parameters
    return redirect(url_for("photographers.develop", **named), 303)  # type: ignore[arg-type]


@blueprint.get("/develop/<any(preview, cube, xmp):what>")
def developed_file(what: str) -> Response:
    """The developed preview (as it was, with a strength of 0), or the settings as a LUT or a Lightroom preset."""
    node, query = current_node(), _query()
    if what == "preview" and query.strength == 0:
        probe = _upload(query) or probe_of(node.store, check_id(query.like))
        return _picture(developed_preview(node, probe, Preset()))
    probe, development = _developed(node, query)
    if what == "preview":
        return _picture(developed_preview(node, probe, development.change))
    name = development_name(development)
    text = cube(development.change, name) if what == "cube" else xmp(development.change, name)
    response = Response(text, mimetype="text/plain" if what == "cube" else "application/rdf+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{offered_name(name)}.{what}")
    return response


def _query() -> DevelopQuery:
    query: DevelopQuery = read_address((DevelopQuery,))[0]
    return query


def _filled(given: MultiDict[str, str]) -> MultiDict[str, str]:
    """Without fields that were left empty, and those of every form."""
    return MultiDict((name, text) for name, text in given.items(multi=True) if text.strip() and name != "form_token")


def _upload(query: DevelopQuery) -> Probe | None:
    return recent_uploads().get(query.like) if query.like.startswith(PREFIX) else None


def _developed(node: NodePort, query: DevelopQuery) -> tuple[Probe, Development]:
    upload = _upload(query)
    asked = query.asked if upload else replace(query.asked, like=query.like)
    return developed_like(node, asked, upload)


def _tile(node: NodePort, like: str) -> Tile:
    if like.startswith(PREFIX):
        return upload_tile(like, recent_uploads().get(like))
    return record_tile(find_record(node.store, check_id(like)))


def _chosen(people: Sequence[PhotographerListed], who: str) -> str:
    """Id of the chosen photographer; empty without one."""
    return next((one.id for one in people if who in (one.id, one.name)), "")


def _courses(node: NodePort, who: str) -> list[CourseShown]:
    try:
        found = node.photographers.development(who)
    except SpaceMismatchError:
        return []  # said where the photo is developed
    return [_course(course) for course in found]


def _course(course: SettingsCourse) -> CourseShown:
    settings = tuple((words.label, words.unit, course.settings[name]) for name, words in WORDS.items())
    told = [period for period in course.periods if period.settings]
    labels = [period.label for period in course.periods]
    charts = tuple(
        over_time(words.label, words.unit, labels, [period.settings.get(name) for period in course.periods])
        for name, words in WORDS.items()
        if len(told) > 1
    )
    title = "All photos" if course.style is None else f"Style {course.style}"
    return CourseShown(title, course.photos, settings, charts)


def _picture(jpeg: bytes) -> Response:
    response = Response(jpeg, mimetype="image/jpeg")
    response.cache_control.private, response.cache_control.max_age = True, 600
    return response
