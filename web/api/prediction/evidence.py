"""API call that writes the evidence of predictions as one HTML file."""

from __future__ import annotations

from ingest.ledger.access import Scope
from search.errors import UsageError
from search.similar.questions import Probe
from web.api.operation import Operation
from web.api.ports import NodePort
from web.api.prediction.many import PredictedExample, PredictingMany, asked_ids, judged, predict_probe, predict_stored
from web.evidence.document import EvidenceFile, evidence

MOST_PHOTOS = 40
"""Photos of one document: each brings its preview and those of its nearest."""


def evidence_of(node: NodePort, ids: list[str], uploads: list[Probe], total: int) -> EvidenceFile:
    """The document of stored photos and uploads.

    Raises:
        UsageError: there are more than :data:`MOST_PHOTOS`.
    """
    if len(ids) + len(uploads) > MOST_PHOTOS or total > MOST_PHOTOS:
        raise UsageError(
            f"Evidence is written of {MOST_PHOTOS} photos at most, and this is of {max(total, len(ids)):,}.",
            "Ask about some of them, or a folder below.",
        )
    photos: list[PredictedExample] = [predict_probe(node, probe, nearest=True) for probe in uploads]
    photos += [predict_stored(node, media_id, nearest=True) for media_id in ids]
    return evidence(node, judged(node, photos, total), uploads)


def predict_evidence(node: NodePort, asked: PredictingMany, example: Probe | None = None) -> EvidenceFile:
    """The evidence of predictions for stored photos, a folder of the library, or an uploaded 'file', as one HTML file
    that holds its pictures, runs no script and prints well: answers with probabilities, what spoke for and against,
    nearest photos by style with their credits, the digests of model and data, date and versions."""
    if example is not None and not (asked.like or asked.folder):
        return evidence_of(node, [], [example], 1)
    ids, total = asked_ids(node, asked)
    uploads = [example] if example is not None else []
    return evidence_of(node, ids, uploads, total + len(uploads))


OPERATIONS = (
    Operation(
        "POST",
        "/photographers/predict/evidence",
        predict_evidence,
        EvidenceFile,
        scope=Scope.READ,
        takes=(PredictingMany,),
        uploads=True,
        errors=(400, 404, 409, 413, 415, 422, 503, 507),
    ),
)
