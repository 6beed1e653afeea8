"""Requests drawn from the API's own description: no call breaks, and no answer is one that the description leaves out.

``SCHEMATHESIS_EXAMPLES=100`` draws more of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.ledger.access import Scope
from ingest.node import Node
from search.settings import Settings
from web.api.description.document import document
from web.app import create_app

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
LEFT_OUT = ("/events", "/media/{media_id}/preview", "/media/{media_id}/file")
"""Streams, and answers that are no JSON; they have tests of their own."""


@pytest.fixture(scope="module")
def described() -> Any:
    import schemathesis  # takes a second, which every process of a run would spend

    return schemathesis.openapi.from_dict(document())


def operations(described: Any) -> list[Any]:
    found = [result.ok() for result in described.get_all_operations()]
    return [one for one in found if not one.path.endswith(LEFT_OUT)]


@pytest.fixture
def filled(
    make_settings: Callable[..., Settings], quick_models: Any, make_media: Callable[..., Path]
) -> Iterator[Node]:
    """A node that has taken in nine pictures."""
    media = make_media()
    with Node.open(make_settings(allowed_folders=(str(media),))) as node:
        node.start_ingest([media])
        node.wait_until_idle()
        yield node
        node.wait_until_idle()


@pytest.mark.parametrize("scope", [None, *Scope], ids=str)
def test_no_call_breaks_or_answers_what_is_not_described(filled: Node, described: Any, scope: Scope | None) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    every = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance]
    every.append(checks.response_schema_conformance)
    app = create_app(filled)
    headers = {"Accept-Encoding": "identity"}  # called without a server, nothing unpacks what is compressed
    if scope:
        headers["Authorization"] = f"Bearer {filled.access.add_token('contract', scope)}"
    answered: Counter[int] = Counter()
    for operation in operations(described):

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            answer = case.call(app=app, headers=headers)
            answered[answer.status_code] += 1
            case.validate_response(answer, checks=every)

        ask()
    assert answered.total() > 100
    assert answered[401] > 100 if scope is None else answered[200] > 10
