"""The pages of jobs with their progress, and of failed files."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ingest.jobs.kinds import job_label
from ingest.jobs.progress import JobProgress, JobState
from search.errors import LikewiseError, NotFoundError
from web.api import jobs as api
from web.api.operation import current_node
from web.errors import STATUS_OF
from web.pages.forms import typed_path

blueprint = Blueprint("jobs", __name__)
blueprint.add_app_template_filter(job_label)

SHOWN = 30
FAILURES_SHOWN = 500
ACTIONS = {"pause": api.pause_job, "resume": api.resume_job, "cancel": api.cancel_job}

REASONS = {
    "empty": "The file has no bytes.",
    "unreadable": "The operating system would not give its bytes.",
    "unsupported": "Not a picture, video or sound that can be decoded.",
    "corrupt": "The right format, but its content is broken.",
    "too_large": "Beyond the cap on bytes, pixels or seconds.",
    "timeout": "The decoder ran past its time limit.",
    "decoder_crash": "The decoder died on it.",
    "out_of_memory": "The decoder ran into its memory limit.",
    "model": "The model could not take it.",
    "store": "The store would not take it.",
}


@blueprint.get("/jobs")
def page() -> str:
    """The latest jobs, or older ones."""
    return _jobs_page(after=request.args.get("after") or None)


@blueprint.post("/jobs")
def start() -> Response:
    """Start taking in a folder typed into the form, or confirm a job that waits for it."""
    new = api.NewJob(
        paths=tuple(path for text in request.form.getlist("path") if (path := typed_path(text))),
        library=request.form.get("library", "").strip() or None,
        confirm_missing=request.form.get("confirm_missing") == "yes",
    )
    try:
        api.start_job(current_node(), new)
    except LikewiseError as error:
        return make_response(_jobs_page(error, new), STATUS_OF.get(error.code, 500))
    return redirect(url_for("jobs.page"), 303)


@blueprint.post("/jobs/<job_id>/<action>")
def act(job_id: str, action: str) -> Response:
    """Pause, resume or cancel a job.

    Raises:
        NotFoundError: there is no such action or job.
    """
    if action not in ACTIONS:
        raise NotFoundError(f"A job cannot be told to '{action}'.")
    ACTIONS[action](current_node(), job_id)
    return redirect(url_for("jobs.page"), 303)


@blueprint.get("/failures")
def failures() -> str:
    """Failed files with their reason, of one code or all."""
    code = request.args.get("code") or None
    every = current_node().ingest.failures()
    chosen = [failure for failure in every if code in {None, failure.code}]
    return render_template(
        "failures.html",
        failures=chosen[:FAILURES_SHOWN],
        count=len(chosen),
        total=len(every),
        codes=Counter(failure.code for failure in every).most_common(),
        code=code,
        reasons=REASONS,
    )


@blueprint.post("/failures/retry")
def retry() -> Response:
    """Try all of them again."""
    api.retry_failures(current_node())
    return redirect(url_for("jobs.page"), 303)


def _jobs_page(problem: LikewiseError | None = None, typed: api.NewJob | None = None, after: str | None = None) -> str:
    found = api.list_jobs(current_node(), api.JobListing(SHOWN, after))
    # A later job of the same folder has answered what an older one asked, and those of the first pages are later.
    latest = {} if after else {job.roots: job.id for job in reversed(found.items)}
    return render_template(
        "jobs.html",
        jobs=sorted(found.items, key=_sort_key),
        latest=latest.values(),
        problem=problem,
        typed=typed,
        after=found.after,
        first=after is None,
    )


def _sort_key(job: JobProgress) -> tuple[int, float]:
    """Running and paused jobs first, then queued ones in the order they will run, then finished ones, newest first."""
    if job.state is JobState.QUEUED:
        return (1, job.created)
    return (2 if job.finished else 0, -job.created)
