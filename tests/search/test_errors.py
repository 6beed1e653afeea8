from __future__ import annotations

import pickle

import pytest

from search import errors
from search.errors import (
    MEDIA_ERRORS,
    LikewiseError,
    MediaError,
    StoreError,
    UsageError,
)


def family(root: type[LikewiseError]) -> list[type[LikewiseError]]:
    return [
        root,
        *(one for child in root.__subclasses__() for one in family(child) if one.__module__ == errors.__name__),
    ]


@pytest.mark.parametrize("kind", family(LikewiseError))
def test_survives_pickling_with_message_and_hint(kind: type[LikewiseError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what happened", "what to do")))
    assert type(again) is kind
    assert (again.message, again.hint) == ("what happened", "what to do")
    assert str(again) == "what happened what to do"


def test_every_class_stands_in_the_tree_of_the_docstring() -> None:
    assert errors.__doc__ is not None
    for kind in family(LikewiseError):
        assert kind.__name__ in errors.__doc__


def test_failure_codes_are_the_documented_ones() -> None:
    documented = "empty unreadable unsupported corrupt too_large timeout decoder_crash out_of_memory"
    assert set(MEDIA_ERRORS) == set(documented.split())
    assert all(MEDIA_ERRORS[kind.code] is kind for kind in family(MediaError) if kind is not MediaError)


def test_codes_tell_classes_apart() -> None:
    kinds = [kind for kind in family(LikewiseError) if kind is not MediaError]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_wrong_usage_ends_with_2_and_what_could_not_run_with_3() -> None:
    assert UsageError("x").exit_status == 2
    assert StoreError("x").exit_status == 3
    assert MediaError("x").exit_status == 3


def test_only_what_passes_by_itself_is_retryable() -> None:
    assert {kind.__name__ for kind in family(LikewiseError) if kind.retryable} == {
        "DecoderStartError",
        "StoreUnavailableError",
        "LedgerUnavailableError",
        "BrokerUnavailableError",
        "KeyInUseError",
        "WorkerUnavailableError",
        "WorkersBusyError",
    }
