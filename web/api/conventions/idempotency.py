"""Answers a request that starts a job once for each ``Idempotency-Key``.

Source: IETF draft-ietf-httpapi-idempotency-key-header. The key may stand in quotation marks, as there, or without, as
most clients send it. Only answers of success are kept: after an error no job was started, and the same request may be
tried again with the same key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from ingest.ledger.request_keys import LONGEST_KEY, KeptAnswer, RequestKeys
from search.errors import UsageError
from web.access.caller import current_caller

HEADER = "Idempotency-Key"

_CHARACTERS = r"[!#-+\--\[\]-~]"
"""Visible ASCII but for the quotation mark, the backslash, and the comma, by which two headers are joined to one."""

SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_KEY,
    "pattern": f"^{_CHARACTERS}+$",
}
"""JSON schema of the header."""

_KEY = re.compile(rf'("?)({_CHARACTERS}{{1,{LONGEST_KEY}}})\1')


def answer_once(
    keys: RequestKeys, answer: Callable[[], Response], answer_of_job: Callable[[str], Response]
) -> Response:
    """The answer to the request in work; where it carries a key that has been answered, that answer again.

    Args:
        answer: starts the job.
        answer_of_job: answers with a job that was started before, by its id.

    Raises:
        UsageError: the key is too long or holds other characters than it may.
        KeyReusedError, KeyInUseError: as :meth:`RequestKeys.claim`.
    """
    key = _sent_key()
    if key is None:
        return answer()
    claim = keys.claim(current_caller().login.token, key, _digest())
    if isinstance(claim, KeptAnswer):
        if claim.answer is None and claim.job is not None:
            return answer_of_job(claim.job)
        return Response(claim.answer, claim.status, content_type="application/json")
    with keys.starting(claim):
        response = answer()
    keys.keep(claim, response.status_code, response.get_data(as_text=True))
    return response


def _sent_key() -> str | None:
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    found = _KEY.fullmatch(sent.strip())
    if found is None:
        raise UsageError(
            f"The header {HEADER} is not 1 to {LONGEST_KEY} visible ASCII characters without comma and backslash.",
            "A UUID is a good key.",
        )
    return found[2]


def _digest() -> str:
    """64 hex digits over what is asked: method, path, and the body, however its JSON is written."""
    body = (request.get_json(silent=True) if request.get_data(cache=True) else None) or {}
    asked = json.dumps([request.method, request.path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(asked.encode("ascii")).hexdigest()
