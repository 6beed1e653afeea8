"""Shared parts of the dashboard's pages: blueprint, jobs in work, labels and template filters."""

from __future__ import annotations

from flask import Blueprint, g
from flask.blueprints import BlueprintSetupState

from ingest.jobs.kinds import JobKind, job_label
from ingest.jobs.progress import JobProgress
from search import addresses
from search.media import Credit
from search.photographers.answers import Photo, PhotographerListed, PhotographerShown
from search.photographers.display import display_name
from search.photographers.photos.features import FEATURES, INDEX
from search.photographers.photos.names import photographer_id
from web.api.operation import current_node
from web.api.ports import NodePort
from web.charts.svg import shown

blueprint = Blueprint("photographers", __name__, url_prefix="/photographers")

JOBS_WATCHED = 30
JOB_KINDS = frozenset(kind for kind in JobKind if kind.description.photographers)
CREDIT_WORDS = {
    Credit.PERSON: "by hand",
    Credit.CSV: "from a CSV",
    Credit.FOLDER: "from folders",
    Credit.EXIF: "from metadata",
    Credit.KMEANS: "auto-grouped",
}
VECTORS = {
    "visual": "what it shows, as a whole",
    "style": "how it is developed, as a whole",
    "appearance": "how it looks, as a whole",
}
"""Labels of reasons that stand for a whole vector."""


def active_jobs(node: NodePort) -> list[JobProgress]:
    """Jobs of the dashboard that have not ended, in order of creation."""
    jobs = [job for job in node.ingest.jobs(JOBS_WATCHED) if job.task in JOB_KINDS and not job.finished]
    return sorted(jobs, key=lambda job: job.created)


def label_of(feature: str) -> str:
    """Label of a feature or a vector."""
    if feature in INDEX:
        return FEATURES[INDEX[feature]].label
    return VECTORS.get(feature, feature.replace("_", " "))


def unit_of(feature: str) -> str:
    """Unit of a feature, empty where it has none."""
    return FEATURES[INDEX[feature]].unit if feature in INDEX else ""


def day(time: str | None) -> str:
    """The day of an ISO 8601 time; empty where it is unknown."""
    return (time or "")[:10]


def span_of_years(one: PhotographerListed | PhotographerShown) -> str:
    """``1939 to 1943``, or one year, or empty where no time is known."""
    first, last = (one.first or "")[:4], (one.last or "")[:4]
    return f"{first} to {last}" if first != last else first


def caption(photo: Photo) -> str:
    """Title of a photo: its path, and its similarity where it was found by one."""
    if photo.score is None:
        return photo.path
    return f"{photo.path}\nCosine {photo.score:.3f} in {photo.space or 'its space'}"


def shown_name(name: str) -> str:
    """What people read for a photographer. What they have said is read once for each page."""
    if "displayed" not in g:
        g.displayed = current_node().desk.displayed()
    return display_name(name, g.displayed)


FILTERS = {
    "caption": caption,
    "credit_words": lambda credit: CREDIT_WORDS[Credit(credit)],
    "day": day,
    "feature_label": label_of,
    "feature_unit": unit_of,
    "last_part": addresses.name,
    "photographer_id": photographer_id,
    "shown_name": shown_name,
    "span_of_years": span_of_years,
    "task_words": job_label,
    "value": lambda value: "–" if value is None else shown(value),
}


@blueprint.record_once
def _add_filters(state: BlueprintSetupState) -> None:
    """Register filters rather than a context, which imported macros do not get."""
    for name, filter_ in FILTERS.items():
        state.app.jinja_env.filters[name] = filter_
