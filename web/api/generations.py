"""API calls that change the model of a space or decode files anew, and list or delete generations of collections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from ingest.ledger.access import Scope
from search.errors import UsageError
from search.media import COLLECTIONS
from search.model_descriptions.registry import models_by_space, models_in_words
from web.api.jobs import job
from web.api.operation import Operation
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class Reembedding:
    """Which space is to be made anew, with which model; or that what an older version decoded is decoded anew.

    Attributes:
        space: ``style``, ``concepts`` and ``meaning`` fill in what records lack where they are.
        model: the spaces with one model each need no name of it.
        decoding: without a space: the records counted as ``outdated`` by ``/status``.
    """

    space: Annotated[str, Field(description=f"One of {', '.join(models_by_space())}.")] = ""
    model: Annotated[str, Field(description=f"{models_in_words()}; the others need none.")] = ""
    decoding: Annotated[
        bool, Field(description="Without a space: decode the files anew that an older version decoded otherwise.")
    ] = False


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """One making of a collection.

    Attributes:
        current: questions go to this one.
        spaces: name to model.
        coverage: share of the current generation's records that it holds, at most 1.
    """

    name: str
    collection: str
    current: bool
    points: int
    coverage: float
    spaces: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Names of the generations that were deleted."""

    dropped: tuple[str, ...]


def reembed(node: NodePort, asked: Reembedding) -> JobProgress:
    """Make a space anew with another model, or what an older version decoded. Questions are answered from the old
    vectors until the new ones are there; the answer is the job that does it."""
    options = {"space": asked.space, "model": asked.model, "decoding": str(int(asked.decoding))}
    return node.ingest.progress(node.start_task(JobKind.REEMBED, options))


def generations(node: NodePort) -> list[GenerationStatus]:
    """Every generation of every collection, oldest first."""
    found: list[GenerationStatus] = []
    existing = node.store.collections()
    for collection in COLLECTIONS:
        if collection in existing:
            points = existing[collection].points
            for one in node.store.generations(collection):
                coverage = min(1.0, one.points / points) if points else 1.0
                spaces = {field.space.name: field.space.model for field in one.schema.fields}
                found.append(GenerationStatus(one.name, collection, one.current, one.points, coverage, spaces))
    return found


def drop_generations(node: NodePort) -> Dropped:
    """Delete every generation that questions do not go to: those from before, and one that is not full yet."""
    for one in node.ingest.jobs():
        if one.task == JobKind.REEMBED and not one.finished:
            raise UsageError(f"Job {one.id} is filling a generation just now.", "Wait for its end, or cancel it first.")
    others = [one.name for one in generations(node) if not one.current]
    for name in others:
        node.store.drop_generation(name)
    return Dropped(tuple(others))


OPERATIONS = (
    Operation(
        "POST",
        "/reembed",
        reembed,
        JobProgress,
        scope=Scope.ADMIN,
        takes=(Reembedding,),
        status=202,
        errors=(400, 503),
        answer_of_job=job,
    ),
    Operation("GET", "/generations", generations, list[GenerationStatus], scope=Scope.READ),
    Operation("POST", "/generations/drop", drop_generations, Dropped, scope=Scope.ADMIN, errors=(400,)),
)
