"""Decides which hits are copies of an example, or shots of one burst with it: the same bytes, pixels, or an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from search.media import Kind, MediaRecord
from search.similar.examples import Examples
from search.similar.near import FRAME_BITS, MIN_COSINE, fingerprint_distances, is_near_duplicate
from search.similar.questions import Probe, Relation
from search.similar.shots import Comparisons, Shot, ShotVerdict, by_facts, in_sequence, same_pixels, verdict

SEARCHED, SEARCHED_WITH_EDITS = 20, 64
"""Nearest media whose fingerprints are compared, where not more answers are asked for anyway; and once an edit is among
them. A heavy edit may be less like the example, by its vector, than many other media are, but hardly ever comes without
a lighter one; and comparing more costs more than the rest of a question."""


def may_be_copy(kind: Kind, score: float) -> bool:
    """Whether a medium of this cosine in the principal space of its kind can be an edit at all."""
    return kind is Kind.AUDIO or score >= MIN_COSINE


_RELATION = {
    ShotVerdict.SAME_PICTURE: Relation.SAME_PICTURE,
    ShotVerdict.EDITED_COPY: Relation.EDITED_COPY,
    ShotVerdict.UNSURE: Relation.EDITED_COPY,
    ShotVerdict.BURST: Relation.BURST,
    ShotVerdict.APART: Relation.SIMILAR,
}

_STRONGEST_FIRST = tuple(Relation)
"""What holds of a hit that relates to several examples in several ways."""

COPIES = (Relation.SAME_PICTURE, Relation.EDITED_COPY)


def relations(
    examples: Examples, records: Mapping[str, MediaRecord], principal: Mapping[str, float], comparisons: Comparisons
) -> dict[str, Relation]:
    """How these records relate to the examples; what is merely similar is left out.

    What is an edit of an edit of an example is one too, as in the groups of ``search.similar.duplicates``: two strong
    edits of one picture may be less like each other than either is like a third.

    Args:
        records: by id.
        principal: id to the cosine with the examples in ``search.similar.near.principal_space``.
        comparisons: of pixels, which tell edits from other shots where nothing else does.
    """
    compared = {
        id_: record
        for id_, record in records.items()
        if record.fingerprints and id_ in principal and may_be_copy(record.kind, principal[id_])
    }
    likes = [probe for probe in examples.like if probe.fingerprints]
    found = _judged(likes, compared, principal, comparisons)
    if edits := [id_ for id_, relation in found.items() if relation in COPIES]:
        others = {id_: record for id_, record in compared.items() if id_ not in found}
        originals = [_probe(compared[id_]) for id_ in edits]
        for id_, relation in _judged(originals, others, principal, comparisons).items():
            found[id_] = Relation.BURST if _known_burst(likes, others[id_]) else relation
    found |= _of_facts(examples.like, {id_: records[id_] for id_ in records.keys() - found.keys()}, principal)
    exact = dict.fromkeys(examples.uploaded & records.keys(), Relation.EXACT_COPY)
    return {id_: relation for id_, relation in found.items() if relation is not Relation.SIMILAR} | exact


def _judged(
    originals: Sequence[Probe],
    records: Mapping[str, MediaRecord],
    principal: Mapping[str, float],
    comparisons: Comparisons,
) -> dict[str, Relation]:
    """Relations of the records that look like one of the originals after an edit, with ``similar`` for what is another
    shot and of no burst."""
    prints = [one for record in records.values() for one in record.fingerprints]
    owners = np.repeat(np.array([*records], object), [len(record.fingerprints) for record in records.values()])
    found: dict[str, Relation] = {}
    for original in originals if prints else ():
        close = fingerprint_distances(original.fingerprints, prints).min(axis=0) <= FRAME_BITS
        for id_ in dict.fromkeys(owners[close]):
            if found.get(id_) not in COPIES and is_near_duplicate(original, records[id_], principal[id_]):
                relation = _relation(original, records[id_], comparisons)
                found[id_] = min(relation, found.get(id_, relation), key=_STRONGEST_FIRST.index)
    return found


def _relation(original: Probe, record: MediaRecord, comparisons: Comparisons) -> Relation:
    if original.shot is None or record.kind is not Kind.IMAGE:
        return Relation.EDITED_COPY
    return _RELATION[verdict(original.shot, Shot.of(record), comparisons)]


def _of_facts(
    examples: Sequence[Probe], records: Mapping[str, MediaRecord], principal: Mapping[str, float]
) -> dict[str, Relation]:
    """Relations of pictures that need not look like an example after an edit: equal pixels, also of what is too plain
    for a fingerprint; and, in what they show alike, neighbours in one sequence of shots."""
    shots = [probe.shot for probe in examples if probe.shot is not None]
    found: dict[str, Relation] = {}
    for id_, record in records.items() if shots else ():
        if record.kind is not Kind.IMAGE:
            continue
        mine = Shot.of(record)
        if any(same_pixels(shot, mine) for shot in shots):
            found[id_] = Relation.SAME_PICTURE
        elif principal.get(id_, -1.0) >= MIN_COSINE and any(in_sequence(shot, mine) for shot in shots):
            found[id_] = Relation.BURST
    return found


def _known_burst(examples: Sequence[Probe], record: MediaRecord) -> bool:
    """Whether a picture is known to be another shot than an example, whatever an edit of that looks like."""
    shots = [probe.shot for probe in examples if probe.shot is not None]
    if record.kind is not Kind.IMAGE or not shots:
        return False
    return all(by_facts(shot, Shot.of(record)) is ShotVerdict.BURST for shot in shots)


def _probe(record: MediaRecord) -> Probe:
    """A record as an example, for what a comparison of fingerprints and shots needs of one."""
    return Probe(
        record.kind,
        {},
        {},
        fingerprints=record.fingerprints,
        duration=record.duration,
        shot=Shot.of(record) if record.kind is Kind.IMAGE else None,
    )
