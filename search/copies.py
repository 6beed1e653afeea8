"""Which hits are copies of an example: the same bytes, or an edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from search.examples import Examples
from search.media import Kind, MediaRecord
from search.near import MIN_COSINE, is_near_duplicate
from search.questions import Relation

SEARCHED = 100
"""Nearest media among which copies are looked for, where more than so many answers are not asked for anyway: a heavy
edit may be less like the example, by its vector, than other media are."""


def may_be_copy(kind: Kind, score: float) -> bool:
    """Whether a medium of this cosine in the principal space of its kind can be an edit at all."""
    return kind is Kind.AUDIO or score >= MIN_COSINE


def relations(
    examples: Examples, records: Mapping[str, MediaRecord], principal: Mapping[str, float]
) -> dict[str, Relation]:
    """How each of these records relates to the examples; what is merely similar is left out.

    What is an edit of an edit of an example is one too, as in the groups of ``search.duplicates``: two strong edits of
    one picture may be less like each other than either is like a third.

    Args:
        principal: id to the cosine with the examples in ``search.near.PRINCIPAL_SPACE``.
    """
    compared = [record for id_, record in records.items() if id_ in principal and record.fingerprints]
    probes = [probe for probe in examples.like if probe.fingerprints]
    edits = {
        record.id: record
        for record in compared
        if any(is_near_duplicate(probe, record, principal[record.id]) for probe in probes)
    }
    further = [record for record in compared if record.id not in edits and edits]
    found = dict.fromkeys([*edits, *_edits_of(edits.values(), further, principal)], Relation.EDITED_COPY)
    return found | {id_: Relation.EXACT_COPY for id_ in records if id_ in examples.uploaded}


def _edits_of(edits: Iterable[MediaRecord], others: Iterable[MediaRecord], principal: Mapping[str, float]) -> list[str]:
    known = list(edits)
    return [other.id for other in others if any(is_near_duplicate(edit, other, principal[other.id]) for edit in known)]
