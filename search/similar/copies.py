"""Decides which hits are copies of an example: the same bytes, or an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.media import Kind, MediaRecord
from search.similar.examples import Examples
from search.similar.near import FRAME_BITS, MIN_COSINE, Fingerprinted, fingerprint_distances, is_near_duplicate
from search.similar.questions import Relation

SEARCHED, SEARCHED_WITH_EDITS = 20, 64
"""Nearest media whose fingerprints are compared, where not more answers are asked for anyway; and once an edit is among
them. A heavy edit may be less like the example, by its vector, than many other media are, but hardly ever comes without
a lighter one; and comparing more costs more than the rest of a question."""


def may_be_copy(kind: Kind, score: float) -> bool:
    """Whether a medium of this cosine in the principal space of its kind can be an edit at all."""
    return kind is Kind.AUDIO or score >= MIN_COSINE


def relations(
    examples: Examples, records: Mapping[str, MediaRecord], principal: Mapping[str, float]
) -> dict[str, Relation]:
    """How these records relate to the examples; what is merely similar is left out.

    What is an edit of an edit of an example is one too, as in the groups of ``search.similar.duplicates``: two strong
    edits of one picture may be less like each other than either is like a third.

    Args:
        records: by id.
        principal: id to the cosine with the examples in ``search.similar.near.PRINCIPAL_SPACE``.
    """
    compared = {
        id_: record
        for id_, record in records.items()
        if record.fingerprints and id_ in principal and may_be_copy(record.kind, principal[id_])
    }
    edits = _edits_of([probe for probe in examples.like if probe.fingerprints], compared, principal)
    if edits:
        others = {id_: record for id_, record in compared.items() if id_ not in edits}
        edits += _edits_of([compared[id_] for id_ in edits], others, principal)
    exact = dict.fromkeys(examples.uploaded & records.keys(), Relation.EXACT_COPY)
    return dict.fromkeys(edits, Relation.EDITED_COPY) | exact


def _edits_of(
    originals: Sequence[Fingerprinted], records: Mapping[str, MediaRecord], principal: Mapping[str, float]
) -> list[str]:
    """Ids of the records that are an edit of any of the originals."""
    prints = [one for record in records.values() for one in record.fingerprints]
    owners = np.repeat(np.array([*records], object), [len(record.fingerprints) for record in records.values()])
    found: dict[str, None] = {}
    for original in originals if prints else ():
        close = fingerprint_distances(original.fingerprints, prints).min(axis=0) <= FRAME_BITS
        for id_ in dict.fromkeys(owners[close]):
            if id_ not in found and is_near_duplicate(original, records[id_], principal[id_]):
                found[id_] = None
    return list(found)
