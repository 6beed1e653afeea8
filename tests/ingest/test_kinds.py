"""Kinds of job: their options as they are stored, and that everything which lists kinds lists all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from ingest.jobs.kinds import (
    BackupOptions,
    CalibrateOptions,
    FoldInOptions,
    IngestOptions,
    JobKind,
    LabelOptions,
    MigrateOptions,
    ReembedOptions,
    TrainOptions,
    VerifyOptions,
    job_label,
)
from ingest.jobs.options import OPTIONS_VERSION
from ingest.jobs.service import JobService, JobState
from ingest.jobs.tasks import TaskRun
from ingest.ledger.tables import jobs
from ingest.node import Node
from search.errors import UsageError

WRITTEN_BY_0_1_0 = [
    (JobKind.INGEST, "{}", IngestOptions()),
    (JobKind.INGEST, '{"reread": "1"}', IngestOptions(reread=True)),
    (JobKind.BACKUP, '{"to": "/mnt/backup"}', BackupOptions(Path("/mnt/backup"))),
    (JobKind.BACKUP, '{"to": "/b", "damaged": "1", "keep": "3"}', BackupOptions(Path("/b"), damaged=True, keep=3)),
    (JobKind.VERIFY, '{"repair": "0", "rate": ""}', VerifyOptions()),
    (JobKind.VERIFY, '{"repair": "1", "rate": "0.5"}', VerifyOptions(repair=True, rate=0.5)),
    (JobKind.MIGRATE, '{"to": "http://qdrant:6333"}', MigrateOptions("http://qdrant:6333")),
    (JobKind.REEMBED, '{"space": "visual", "model": "resnet18"}', ReembedOptions("visual", "resnet18")),
    (JobKind.REEMBED, '{"space": "style", "model": ""}', ReembedOptions("style")),
    (JobKind.CALIBRATE, '{"folders": "[\\"/a\\", \\"/b\\"]"}', CalibrateOptions((Path("/a"), Path("/b")))),
    (JobKind.LABEL, '{"from": "folder", "depth": "0", "path": "/p"}', LabelOptions("folder", path="/p", depth=0)),
    (
        JobKind.LABEL,
        '{"overwrite": "1", "ids": "x,y", "name": "Ada", "from": "person"}',
        LabelOptions("person", overwrite=True, name="Ada", ids=("x", "y")),
    ),
    (JobKind.LABEL, '{"from": "kmeans", "features": "global"}', LabelOptions("kmeans", features="global")),
    (JobKind.LABEL, '{"groups": "30", "from": "kmeans", "seed": "7"}', LabelOptions("kmeans", groups=30, seed=7)),
    (JobKind.LABEL, '{"of": "all", "from": "none"}', LabelOptions("none", of="all")),
    (
        JobKind.LABEL,
        '{"table": "path,photographer\\na.jpg,Ada\\n", "base": "/t", "from": "csv"}',
        LabelOptions("csv", table="path,photographer\na.jpg,Ada\n", base="/t"),
    ),
    (JobKind.TRAIN_CLASSIFIER, "{}", TrainOptions()),
    (JobKind.TRAIN_CLASSIFIER, '{"seed": "4", "report": "no"}', TrainOptions(seed=4, report=False)),
    (JobKind.TRAIN_JOINT, '{"seed": "0", "seconds": "2.5"}', TrainOptions(2.5, 0)),
    (JobKind.FOLD_IN, '{"photographer": "Cy"}', FoldInOptions("Cy")),
]
"""Column ``options`` as version 0.1.0 filled it, and what it means."""


@pytest.mark.parametrize(("kind", "column", "meaning"), WRITTEN_BY_0_1_0)
def test_options_of_version_0_1_0_are_read(kind: JobKind, column: str, meaning: object) -> None:
    texts = json.loads(column)
    assert kind.parse(texts) == meaning
    assert kind.parse({"schema": str(OPTIONS_VERSION), **texts}) == meaning


@pytest.mark.parametrize(
    ("kind", "texts", "said"),
    [
        (JobKind.BACKUP, {}, "A backup job needs the option 'to'. It takes the absolute path of a folder."),
        (JobKind.BACKUP, {"to": "/b", "fast": "1"}, "has no option 'fast'. Its options are damaged, keep, to."),
        (JobKind.VERIFY, {"rate": "inf"}, "'rate' of a verify job cannot be 'inf'. It takes a number above 0."),
        (JobKind.INGEST, {"to": "/b"}, "ingest job has no option 'to'. Its options are reread."),
        (JobKind.TRAIN_JOINT, {"seed": "x"}, "'seed' of a train_joint job cannot be 'x'. It takes a whole number"),
        (JobKind.TRAIN_JOINT, {"report": "yes"}, "cannot be 'yes'. It takes no, or nothing."),
        (JobKind.LABEL, {"from": "dreams"}, "'from' of a label job cannot be 'dreams'. It takes one of exif, folder"),
        (JobKind.BACKUP, {"to": "/b", "schema": "9"}, "have layout 9; this Likewise reads layouts up to 1. Go on with"),
    ],
)
def test_options_that_are_not_known_are_refused_with_what_to_do(kind: JobKind, texts: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        kind.parse(texts)


class Remembering:
    """A task that remembers the options of its runs."""

    def __init__(self) -> None:
        self.ran_with: list[MigrateOptions] = []

    def check(self, options: MigrateOptions) -> str:
        return options.to

    def run(self, options: MigrateOptions, job: TaskRun) -> str:
        self.ran_with.append(options)
        return ""


@pytest.fixture
def task() -> Remembering:
    return Remembering()


@pytest.fixture
def ingest(desk: Any, task: Remembering) -> JobService:
    desk.ingest.halt()
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, desk.runner, tasks={JobKind.MIGRATE: task})
    return desk.ingest  # type: ignore[no-any-return]


def test_the_ledger_keeps_the_version_of_the_options(desk: Any, ingest: JobService) -> None:
    ingest.start_task(JobKind.MIGRATE, {"to": "there"})
    with desk.ledger.read() as connection:
        stored = json.loads(connection.execute(select(jobs.c.options)).scalar_one())
    assert stored == {"schema": "1", "to": "there"}


@pytest.mark.parametrize(
    ("values", "state", "message"),
    [
        ({"options": '{"to": "there"}'}, JobState.DONE, ""),
        ({"options": '{"to": "there", "schema": "9"}'}, JobState.FAILED, "have layout 9"),
        ({"options": '{"to": "there", "speed": "3"}'}, JobState.FAILED, "no option 'speed'"),
        ({"task": "dance"}, JobState.FAILED, "knows no task 'dance'"),
    ],
)
def test_a_job_of_another_version_is_run_or_refused(
    desk: Any, ingest: JobService, task: Remembering, values: dict[str, str], state: JobState, message: str
) -> None:
    job = ingest.start_task(JobKind.MIGRATE, {"to": "here"})
    with desk.ledger.write() as connection:
        connection.execute(update(jobs).values(**values))
    ended = ingest.run(job)
    assert ended.state is state
    assert message in ended.message
    assert task.ran_with == ([MigrateOptions("there")] if state is JobState.DONE else [])
    assert ingest.jobs() == [ended]


def test_labels_are_for_people() -> None:
    assert job_label("place_photographer") == JobKind.FOLD_IN.label
    assert job_label("a_newer_kind") == "A newer kind"
    assert len({kind.label for kind in JobKind}) == len(JobKind)


def test_a_node_has_a_task_for_each_kind_but_ingest(make_settings: Any) -> None:
    with Node.open(make_settings()) as node:
        assert node.ingest.kinds == set(JobKind)
