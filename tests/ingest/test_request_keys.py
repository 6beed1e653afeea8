"""A job is made together with the note that names it at its idempotency key, or not at all; in either database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ingest.ledger.request_keys import CLAIM_SECONDS, Claim, KeptAnswer, RequestKeys
from ingest.ledger.tables import request_keys
from search.errors import KeyInUseError, KeyReusedError

WHO, WHAT, OTHER = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def keys(desk: Any) -> RequestKeys:
    return RequestKeys(desk.ledger)


def claim(keys: RequestKeys) -> Claim:
    claimed = keys.claim(WHO, "key", WHAT)
    assert isinstance(claimed, Claim)
    return claimed


def test_the_job_is_known_before_there_is_an_answer(desk: Any, keys: RequestKeys, media: Path) -> None:
    claimed = claim(keys)
    with pytest.raises(KeyInUseError):
        keys.claim(WHO, "key", WHAT)
    with keys.starting(claimed):
        job = desk.ingest.start([media])
    assert keys.claim(WHO, "key", WHAT) == KeptAnswer(job, None, None)
    keys.keep(claimed, 202, "{}")
    assert keys.claim(WHO, "key", WHAT) == KeptAnswer(job, 202, "{}")
    with pytest.raises(KeyReusedError):
        keys.claim(WHO, "key", OTHER)
    desk.ingest.start([media])
    assert keys.claim(WHO, "key", WHAT) == KeptAnswer(job, 202, "{}"), "another job has no key"


def test_one_that_was_overtaken_makes_no_job(desk: Any, keys: RequestKeys, media: Path) -> None:
    late = claim(keys)
    with desk.ledger.write() as connection:
        connection.execute(update(request_keys).values(claimed=request_keys.c.claimed - CLAIM_SECONDS))
    second = claim(keys)
    with pytest.raises(KeyInUseError), keys.starting(late):
        desk.ingest.start([media])
    assert desk.ingest.jobs() == []
    with keys.starting(second):
        desk.ingest.start([media])
    assert len(desk.ingest.jobs()) == 1
