"""Kinds of job: what each is called where it is stored, what people read, and which options it takes.

Everything that lists kinds of job reads this enum: the node's tasks, pages, the API's description, scheduling, backups
and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from ingest.jobs.options import Stored, absolute_paths, choice, parse_options, positive_number, whole_number
from search.media import Credit

NO_CREDIT, ALL_CREDITS = "none", "all"


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What is taken in stands in columns of its own.

    Attributes:
        reread: the bytes of every file are read and compared, whatever its size and times say.
    """

    reread: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """Where a backup is written.

    Attributes:
        to: a folder.
        damaged: damaged records are taken along instead of refused.
        keep: so many of the latest backups in the folder are kept; None for all.
    """

    to: Annotated[Path, Stored("the absolute path of a folder", Path)]
    damaged: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False
    keep: Annotated[int | None, whole_number(1)] = None


@dataclass(frozen=True, slots=True)
class MigrateOptions:
    """``to`` is the store that everything is copied to."""

    to: Annotated[str, Stored("a store: http://HOST:6333, edge, or edge:DIR")]


@dataclass(frozen=True, slots=True)
class ReembedOptions:
    """The space to be made anew, and with which model; an empty ``model`` means the only one that there is.

    Attributes:
        decoding: no space, but every record that an older version decoded in another way than this one.
    """

    space: Annotated[str, Stored("the name of a space")] = ""
    model: str = ""
    decoding: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What is done about damage, and how fast everything is read.

    Attributes:
        repair: what is damaged is embedded or written anew.
        rate: records a second at most; None for as fast as it goes.
    """

    repair: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False
    rate: Annotated[float | None, Stored("a number above 0", positive_number)] = None


@dataclass(frozen=True, slots=True)
class OverlapsOptions:
    """``anew``: recordings that were compared before are compared again."""

    anew: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Where the photographers of photos and videos come from.

    Attributes:
        source: key ``from``; ``none`` takes credits back.
        path: only what lies at or below this folder; everything when it is empty.
        overwrite: this source counts before better ones (``ingest.ledger.credits.RANK``).
        depth: of ``folder``: 1, the folder that holds the photo; 2, the one above; … 0, the first below what was
            ingested.
        table, base: of ``csv``: the table itself, so that any machine may run the job, and the folder it lay in.
        groups, seed: of ``kmeans``; None is the usual number of groups.
        features: of ``kmeans``: ``picture``, the 58 of the picture alone, or ``global``, the published four.
        name, ids: of ``person``; an empty name says that the photographer is unknown.
        of: of ``none``: the source whose credits are taken back, or ``all``.
        undo: of ``none``, instead: id of the job whose credits are taken back, so that what was said before counts.
    """

    source: Annotated[str, choice(*Credit, NO_CREDIT, key="from")]
    path: str = ""
    overwrite: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False
    depth: Annotated[int, whole_number(0)] = 1
    table: str = ""
    base: str = ""
    groups: Annotated[int | None, whole_number(2)] = None
    seed: Annotated[int, whole_number(0)] = 0
    name: str = ""
    ids: Annotated[tuple[str, ...], Stored("ids with commas between them", lambda text: tuple(text.split(",")))] = ()
    of: Annotated[str, choice(*Credit, ALL_CREDITS)] = ""
    undo: str = ""
    features: Annotated[str, choice("picture", "global")] = "picture"


@dataclass(frozen=True, slots=True)
class FactsOptions:
    """When and where photos were taken.

    Attributes:
        table, base: the table itself, so that any machine may run the job, and the folder it lay in.
        overwrite: it counts before what files say.
        forget: no table; all that tables have told is forgotten.
    """

    table: str = ""
    base: str = ""
    overwrite: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False
    forget: Annotated[bool, Stored("0 or 1", {"0": False, "1": True}.__getitem__)] = False


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a model is trained.

    Attributes:
        seconds: for the part of a training that takes as long as it may; None is as long as the model says.
        seed: of everything that is drawn.
        report: whether the model is measured as well; False where a classifier is wanted soon.
    """

    seconds: Annotated[float | None, Stored("a number of seconds", float)] = None
    seed: Annotated[int, whole_number(0)] = 0
    report: Annotated[bool, Stored("no, or nothing", {"no": False}.__getitem__)] = True


@dataclass(frozen=True, slots=True)
class FoldInOptions:
    """``photographer`` is the name that photos in the library are credited to."""

    photographer: Annotated[str, Stored("the name of a photographer")]


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """``folders`` hold labelled files; stored as a JSON list."""

    folders: Annotated[tuple[Path, ...], Stored("the absolute paths of one or more folders", absolute_paths)]


@dataclass(frozen=True, slots=True)
class KindDescription:
    """What is known of a kind of job.

    Attributes:
        name: as the ledger, the API and ``--json`` have it.
        label: what it does, for people; begins a line.
        options: type of its options.
        photographers: the photographers' pages show it while it runs.
        read_only: it leaves store and ledger as they are.
    """

    name: str
    label: str
    options: type[Any]
    photographers: bool = False
    read_only: bool = False


class JobKind(StrEnum):
    """What a job does."""

    description: KindDescription

    INGEST = KindDescription("ingest", "Taking in files", IngestOptions)
    BACKUP = KindDescription("backup", "Backing up", BackupOptions, read_only=True)
    MIGRATE = KindDescription("migrate", "Copying to another store", MigrateOptions, read_only=True)
    REEMBED = KindDescription("reembed", "Making vectors anew", ReembedOptions)
    VERIFY = KindDescription("verify", "Reading back what is stored", VerifyOptions)
    OVERLAPS = KindDescription("overlaps", "Finding reused film and sound", OverlapsOptions)
    CALIBRATE = KindDescription("calibrate", "Learning likeness from labelled files", CalibrateOptions)
    LABEL = KindDescription("label", "Noting who took what", LabelOptions, photographers=True)
    FACTS = KindDescription("facts", "Noting dates and places", FactsOptions, photographers=True)
    TRAIN_CLASSIFIER = KindDescription(
        "train_photographers", "Training the classifier", TrainOptions, photographers=True
    )
    TRAIN_JOINT = KindDescription("train_joint", "Training the map", TrainOptions, photographers=True)
    FOLD_IN = KindDescription(
        "place_photographer", "Finding a photographer's place in the space", FoldInOptions, photographers=True
    )

    def __new__(cls, description: Any) -> JobKind:  # a KindDescription here, a name where a kind is looked up
        kind = str.__new__(cls, description.name)
        kind._value_ = description.name
        kind.description = description
        return kind

    @property
    def label(self) -> str:
        """What it does, for people."""
        return self.description.label

    def parse(self, texts: Mapping[str, str]) -> Any:
        """The options of a job of this kind, an instance of its description's type.

        Raises:
            UsageError: as :func:`ingest.jobs.options.parse_options`.
        """
        return parse_options(self.value, self.description.options, texts)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> dict[str, Any]:
        """For the API's description: every kind with its label."""
        return {"type": "string", "title": cls.__name__, "oneOf": [{"const": k.value, "title": k.label} for k in cls]}


def kind_of(task: str) -> JobKind | str:
    """The kind of that name; the name itself where only a newer version of Likewise knows it."""
    return JobKind(task) if task in set(JobKind) else task


def job_label(task: str) -> str:
    """What a job does, for people; of a kind that only a newer version of Likewise knows, its name."""
    kind = kind_of(task)
    return kind.label if isinstance(kind, JobKind) else task.replace("_", " ").capitalize()
