"""Convert dataclasses to JSON and back, in the same way for ``--json`` and for the API."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from search.errors import StoreUnavailableError

T = TypeVar("T")


def dump(value: object) -> object:
    """``value`` in plain JSON types; dataclasses become objects, tuples become lists."""
    return TypeAdapter(object).dump_python(value, mode="json")


def dump_json(value: object) -> str:
    """:func:`dump` as text."""
    return json.dumps(dump(value), ensure_ascii=False)


def load(of: type[T], value: object) -> T:
    """Inverse of :func:`dump`, given the type.

    Raises:
        StoreUnavailableError: another version of Likewise has written it.
    """
    try:
        return TypeAdapter(of).validate_python(value)
    except ValidationError as error:
        raise StoreUnavailableError(
            f"The running Likewise answered something this version does not understand ({error.error_count()} places).",
            "Restart `likewise up` so that both are the same version.",
        ) from None
