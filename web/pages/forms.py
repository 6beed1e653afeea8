"""Read a posted form of a page into the dataclass that the API takes for the same call."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from web.api.params import read_query


def read_form(type_: Any) -> Any:
    """An instance of the dataclass ``type_``, checked as a request to the API is.

    Raises:
        UsageError: a name that the type does not know, or a value of wrong form.
    """
    values = MultiDict((name, text) for name, text in request.form.items(multi=True) if name != "form_token")
    (made,) = read_query(values, (type_,))
    return made
