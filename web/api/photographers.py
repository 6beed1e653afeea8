"""API calls about photographers: list, show, compare, predict, develop, label and train."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal
from weakref import WeakKeyDictionary

from pydantic import Field

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from ingest.ledger.access import Scope
from ingest.photographers.label_preview import LabelPreview
from ingest.photographers.training import TASK_OF
from search.errors import NotFoundError, UsageError
from search.photographers.answers import (
    Alike,
    Basis,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
)
from search.photographers.develop.developing import Development, DevelopQuestion, SettingsCourse
from search.photographers.develop.lut import cube
from search.photographers.develop.settings import MOST_STRENGTH, Preset
from search.photographers.develop.xmp import xmp
from search.photographers.model_registry import ModelKind
from search.photographers.profiles.comparison import Comparison
from search.records.lookup import probe_of
from search.similar.questions import Probe
from search.store.base import Store
from web.api.jobs import job
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort
from web.api.questions import check_id
from workers.photographers.develop.preview import DevelopedPreviews


@dataclass(frozen=True, slots=True)
class Predicting:
    """Which photo, and by what its photographer is told.

    Attributes:
        like: id of a stored photo, where none is uploaded.
        evidence: ``picture``, the picture alone; ``everything``, the facts of file, clock and camera as well.
    """

    like: str = ""
    evidence: Basis = Basis.PICTURE


@dataclass(frozen=True, slots=True)
class Developing:
    """Like whom a photo is to be developed, and what is to come with the answer.

    Attributes:
        photographer: name or id.
        like: id of a stored photo, where none is uploaded.
        style: number of one of the photographer's styles, the most frequent is 1; left out, all their photos count.
        taken_from, taken_to: only what they took in this time: a year, a month or a day, both included.
        strength: share of the way there; more than 1 exaggerates.
        developed: the photo has been developed before: its own settings are read, and the difference is made. False
            takes it as it came from the camera.
        include: ``cube``, a 3-D LUT; ``xmp``, a preset of Lightroom and Camera Raw; ``preview``, a JPEG.
    """

    photographer: Annotated[str, Field(min_length=1)]
    like: str = ""
    style: Annotated[int, Field(ge=1, le=1000)] | None = None
    taken_from: str = ""
    taken_to: str = ""
    strength: Annotated[float, Field(ge=0, le=MOST_STRENGTH)] = 1.0
    developed: bool = True
    include: tuple[Literal["cube", "xmp", "preview"], ...] = ()


@dataclass(frozen=True, slots=True)
class DevelopedPhoto:
    """How a photo is developed like somebody's, and what was asked to come with it.

    Attributes:
        cube, xmp: texts of the files.
        preview: the photo's preview with the settings, a JPEG as base64; None also where it has no preview.
    """

    development: Development
    cube: str | None = None
    xmp: str | None = None
    preview: str | None = None


@dataclass(frozen=True, slots=True)
class NewTraining:
    """What is to be trained.

    Attributes:
        kind: ``classifier`` tells whose photo something is; ``joint`` is the model of the photographer space.
        seconds: for the training of ``joint``; by default what the model says. A classifier takes what it takes.
        seed: of everything that is drawn.
    """

    kind: Literal["classifier", "joint"] = "classifier"
    seconds: float | None = None
    seed: Annotated[int, Field(ge=0, lt=10**9)] = 0


@dataclass(frozen=True, slots=True)
class NewLabels:
    """Where photographers' names are to come from.

    Attributes:
        source: ``from`` in a request: ``exif``, what files say; ``folder``, names of folders; ``csv``, a ``table``;
            ``kmeans``, groups of alike photos; ``person``, who says that ``ids`` are by ``name``; ``none`` takes back
            what the source ``of`` has said.
        path: only what lies at or below this folder.
        overwrite: let this source count before better ones.
        depth: of ``folder``: 1 is the folder that holds a photo, 2 the one above; 0 the first below what was imported.
        table, base: of ``csv``: its text, with the columns path and photographer, and the folder that its paths start
            from.
        groups, seed: of ``kmeans``.
        features: of ``kmeans``: ``picture`` (58 of the picture alone) or ``global`` (contrast and three means).
        of: ``exif``, ``folder``, ``csv``, ``kmeans``, ``person`` or ``all``.
        undo: of ``none``, in place of ``of``: id of the job whose credits are taken back, for 30 days.
    """

    source: Annotated[Literal["exif", "folder", "csv", "kmeans", "person", "none"], Field(alias="from")]
    path: str = ""
    overwrite: bool = False
    depth: Annotated[int, Field(ge=0, le=64)] | None = None
    table: str = ""
    base: str = ""
    groups: Annotated[int, Field(ge=2, le=10_000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=10**9)] | None = None
    name: str = ""
    ids: tuple[NonEmpty, ...] = ()
    of: str = ""
    undo: str = ""
    features: Literal["picture", "global"] | None = None

    @property
    def options(self) -> dict[str, str]:
        """As the task ``label`` takes them."""
        texts = {one.name: getattr(self, one.name) for one in fields(self)}
        texts |= {"ids": ",".join(self.ids), "overwrite": "1" if self.overwrite else ""}
        given = {name: str(value) for name, value in texts.items() if value is not None and value != ""}
        given["from"] = given.pop("source")
        return given


def list_photographers(node: NodePort) -> list[PhotographerListed]:
    """Everyone whose photos are known, those with most photos first."""
    return list(node.photographers.list())


def photographer(node: NodePort, who: str) -> PhotographerShown:
    """All about one photographer, by id or name: what sets them apart, their styles, who works alike, sessions."""
    return node.photographers.show(who)


def similar_photographers(node: NodePort, who: str) -> list[Alike]:
    """Who works alike, most alike first, by style, by subject and by the photographer space."""
    return list(node.photographers.alike(who))


def compare_photographers(node: NodePort, who: str, other: str) -> Comparison:
    """Two photographers beside each other: what tells them apart, with intervals, their styles, the nearest photos of
    the two, and whom the classifier takes for whom."""
    return node.photographers.compare(who, other)


def predict_photographer(node: NodePort, asked: Predicting, example: Probe | None = None) -> Prediction:
    """Whose photo an uploaded 'file', or the stored photo 'like', is: names with calibrated probabilities, or unknown;
    what spoke for and against; the nearest photos by each candidate. The picture alone is asked, and beside it what the
    facts of file, clock and camera say; 'evidence' asks for both together, and then 'by_trees' is answered, too:
    CatBoost over features and embedding, a recipe of its own."""
    if (example is None) == (not asked.like):
        raise UsageError("It takes one photo.", "Upload a 'file', or give the id of a stored photo in 'like'.")
    return node.photographers.predict(example or probe_of(node.store, check_id(asked.like)), asked.evidence)


def develop_photo(node: NodePort, asked: Developing, example: Probe | None = None) -> DevelopedPhoto:
    """Develop an uploaded 'file', or the stored photo 'like', like a photographer: the twelve settings read from their
    photos, the photo's own, and the change in an editor's words; on request as a LUT, as a preset, and as a preview."""
    probe, development = developed_like(node, asked, example)
    name = development_name(development)
    return DevelopedPhoto(
        development,
        cube=cube(development.change, name) if "cube" in asked.include else None,
        xmp=xmp(development.change, name) if "xmp" in asked.include else None,
        preview=_encoded_preview(node, probe, development) if "preview" in asked.include else None,
    )


def developed_like(node: NodePort, asked: Developing, example: Probe | None = None) -> tuple[Probe, Development]:
    """The photo that is asked about, and how it is developed."""
    if (example is None) == (not asked.like):
        raise UsageError("It takes one photo.", "Upload a 'file', or give the id of a stored photo in 'like'.")
    probe = example or probe_of(node.store, check_id(asked.like))
    question = DevelopQuestion(
        asked.photographer, asked.style, asked.taken_from, asked.taken_to, asked.strength, asked.developed
    )
    return probe, node.photographers.develop(probe, question)


def development_name(development: Development) -> str:
    """What a LUT or a preset is called."""
    style = f", style {development.style}" if development.style else ""
    span = " to ".join(filter(None, (development.taken_from, development.taken_to)))
    name = development.display_name or development.photographer
    return f"Like {name}{style}{f', {span}' if span else ''} ({development.strength:.0%})"


def developed_preview(node: NodePort, probe: Probe, settings: Preset) -> bytes:
    """JPEG of the photo's preview with these settings.

    Raises:
        NotFoundError: it has no preview.
    """
    preview = probe.shot.preview if probe.shot else None
    if preview is None:
        raise NotFoundError("This photo has no preview.", "`likewise verify --repair` makes previews that are missing.")
    return _renderers.setdefault(node.store, DevelopedPreviews(node.settings)).render(preview, settings)


def photographer_development(node: NodePort, who: str) -> list[SettingsCourse]:
    """How somebody develops, over time: the settings read from all their photos, then from those of each style."""
    return list(node.photographers.development(who))


_renderers: WeakKeyDictionary[Store, DevelopedPreviews] = WeakKeyDictionary()


def _encoded_preview(node: NodePort, probe: Probe, development: Development) -> str | None:
    try:
        return base64.b64encode(developed_preview(node, probe, development.change)).decode("ascii")
    except NotFoundError:
        return None


def train_photographers(node: NodePort, new: NewTraining) -> JobProgress:
    """Learn from the photos that are credited; the answer is the job that does it."""
    options = {"seed": str(new.seed)} | ({} if new.seconds is None else {"seconds": f"{new.seconds:g}"})
    return node.ingest.progress(node.start_task(TASK_OF[ModelKind(new.kind)], options))


def place_photographer(node: NodePort, who: str) -> JobProgress:
    """Give somebody whose photos came after its training a place in the photographer space, which stays as it was
    learnt; the answer is the job that does it. About ten photos tell enough."""
    return node.ingest.progress(node.start_task(JobKind.FOLD_IN, {"photographer": node.photographers.name_of(who)}))


def label_photographers(node: NodePort, new: NewLabels) -> JobProgress:
    """Note whose work photos and videos are; the answer is the job that does it."""
    _check_labels(new)
    checked = replace(new, ids=tuple(check_id(media_id) for media_id in new.ids))
    return node.ingest.progress(node.start_task(JobKind.LABEL, checked.options))


def _check_labels(new: NewLabels) -> None:
    """
    Raises:
        UsageError: parameters that belong together do not come together.
    """
    if (new.source == "none") != bool(new.of or new.undo) or (new.of and new.undo):
        raise UsageError(
            "'from' none takes 'of' or 'undo'.", "They name the source or the job whose credits are taken back."
        )
    if new.source == "csv" and not new.table:
        raise UsageError("No table came with the request.", "It is a CSV with the columns path and photographer.")


def preview_labels(node: NodePort, new: NewLabels) -> LabelPreview:
    """What labelling by ``exif``, ``folder`` or ``csv`` would change: whom it names, and of how many photos. Nothing is
    written."""
    _check_labels(new)
    return node.desk.preview_labels(replace(new, ids=()).options)


def photographers_report(node: NodePort) -> Mapping[str, Any]:
    """What the classifier in use is worth, with n and a 95 % interval for each figure."""
    return node.photographers.report()


def photographers_map(node: NodePort) -> PhotographerMap:
    """Photographers in two dimensions: by the joint model, once that is trained, and by their profiles."""
    return node.photographers.map()


_STARTED: dict[str, Any] = {"answer": JobProgress, "status": 202, "errors": (400, 404, 503, 507), "answer_of_job": job}

OPERATIONS = (
    Operation("GET", "/photographers", list_photographers, list[PhotographerListed], scope=Scope.READ, errors=(503,)),
    Operation(
        "GET", "/photographers/report", photographers_report, dict[str, Any], scope=Scope.READ, errors=(404, 503)
    ),
    Operation("GET", "/photographers/map", photographers_map, PhotographerMap, scope=Scope.READ, errors=(503,)),
    Operation("GET", "/photographers/<who>", photographer, PhotographerShown, scope=Scope.READ, errors=(404, 503)),
    Operation(
        "GET", "/photographers/<who>/similar", similar_photographers, list[Alike], scope=Scope.READ, errors=(404, 503)
    ),
    Operation(
        "GET",
        "/photographers/<who>/compare/<other>",
        compare_photographers,
        Comparison,
        scope=Scope.READ,
        errors=(400, 404, 503),
    ),
    Operation(
        "POST",
        "/photographers/predict",
        predict_photographer,
        Prediction,
        scope=Scope.READ,
        takes=(Predicting,),
        uploads=True,
        errors=(400, 404, 409, 413, 415, 422, 503, 507),
    ),
    Operation(
        "GET",
        "/photographers/<who>/development",
        photographer_development,
        list[SettingsCourse],
        scope=Scope.READ,
        errors=(404, 409, 503),
    ),
    Operation(
        "POST",
        "/photographers/develop",
        develop_photo,
        DevelopedPhoto,
        scope=Scope.READ,
        takes=(Developing,),
        uploads=True,
        errors=(400, 404, 409, 413, 415, 422, 503, 507),
    ),
    Operation(
        "POST", "/photographers/train", train_photographers, scope=Scope.INGEST, takes=(NewTraining,), **_STARTED
    ),
    Operation("POST", "/photographers/<who>/place", place_photographer, scope=Scope.INGEST, **_STARTED),
    Operation(
        "POST",
        "/photographers/label/preview",
        preview_labels,
        LabelPreview,
        scope=Scope.INGEST,
        takes=(NewLabels,),
        errors=(400, 404, 503),
    ),
    Operation(
        "POST",
        "/photographers/label",
        label_photographers,
        scope=Scope.INGEST,
        takes=(NewLabels,),
        long_text=True,
        **_STARTED,
    ),
)
