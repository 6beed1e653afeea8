"""Reads a request's query string or body into the dataclasses that operations take, strictly."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from flask import Request
from pydantic import Field, TypeAdapter, ValidationError, WithJsonSchema
from werkzeug.datastructures import MultiDict

from search.errors import UsageError
from search.media import COLLECTIONS
from search.records.browse import ORDERS
from search.similar.find import MOST_OFFSET
from web.api.filtering import filter_of, filter_parameters, is_filter

CollectionName: TypeAlias = Literal["images", "videos", "audio"]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=500)]
Offset: TypeAlias = Annotated[int, Field(ge=0, le=MOST_OFFSET)]
NonEmpty: TypeAlias = Annotated[str, Field(min_length=1)]
StylePosition: TypeAlias = Annotated[float, Field(ge=-1, le=1)]
OrderName: TypeAlias = Annotated[str, WithJsonSchema({"type": "string", "enum": list(ORDERS)})]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=1e9)]
Diversity: TypeAlias = Annotated[float, Field(ge=0, le=1)]

Values: TypeAlias = dict[str, Any]
"""Parameter name to text, list of texts or JSON value; not yet validated."""


@dataclass(frozen=True, slots=True)
class SimilarParameters:
    """What is like these and unlike those, where, and how many answers.

    Attributes:
        like, unlike: ids of stored media.
        start, end: seconds from which and up to which the one example asks, of a film or recording, stored or uploaded;
            left out, from its beginning and to its end.
        collections: where to look (``in`` in a request); empty means everywhere.
        spaces: which vector spaces to use; empty means all that fit, but style.
        style: weigh subject against style: -1 same subject in another style, -0.5 subject alone, 0 both, 0.5 style
            alone, 1 same style of another subject; left out, style is not compared.
        pivot: also reach sounds from pictures, and pictures from sounds, through the videos that hold both.
        exact: compare with every vector instead of using the approximate index.
        offset: leave out so many of the best answers, to page on.
        diversity: from 0 to 1, how much what is like a better answer already gives way to something else, so that
            twenty pictures of one moment do not fill a page; left out or 0, the order goes by likeness alone. Not
            together with 'style'.
    """

    like: tuple[NonEmpty, ...] = ()
    unlike: tuple[NonEmpty, ...] = ()
    start: Seconds | None = None
    end: Seconds | None = None
    collections: Annotated[tuple[CollectionName, ...], Field(alias="in")] = ()
    spaces: tuple[NonEmpty, ...] = ()
    limit: Limit = 20
    pivot: bool = True
    exact: bool = False
    style: StylePosition | None = None
    offset: Offset = 0
    diversity: Diversity | None = None

    @property
    def part(self) -> tuple[float, float] | None:
        """Seconds, for ``Question.part``."""
        if self.start is None and self.end is None:
            return None
        return self.start or 0.0, math.inf if self.end is None else self.end

    @property
    def where_to_look(self) -> tuple[str, ...]:
        return self.collections or COLLECTIONS


@dataclass(frozen=True, slots=True)
class WordParameters:
    """A search for words: what media show, their colours, tags, names, folders, photographer, camera and date.

    Attributes:
        q: the words; "-word" leaves out what holds it, words in quotation marks stand side by side.
        offset: leave out so many of the best answers, to page on.
    """

    q: NonEmpty
    collections: Annotated[tuple[CollectionName, ...], Field(alias="in")] = ()
    limit: Limit = 50
    offset: Offset = 0


@dataclass(frozen=True, slots=True)
class BrowseParameters:
    """A page of one collection.

    Attributes:
        after: the 'after' of the page before, asked in the same order; left out, the first page.
        order: newest (date taken, or of the file where there is none), name, size, duration, added or id.
        descending: from the greatest on; left out, as the order usually goes: newest, size, duration and added from the
            greatest, name and id from the least.
    """

    collection: CollectionName
    limit: Limit = 60
    after: str | None = None
    order: OrderName = "newest"
    descending: bool | None = None


@functools.cache
def adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(filter_parameters(type_) if is_filter(type_) else type_)


@functools.cache
def properties(type_: Any) -> Mapping[str, Mapping[str, Any]]:
    """Parameter names of a dataclass, as requests spell them, with the JSON schema of each."""
    found: Mapping[str, Mapping[str, Any]] = adapter(type_).json_schema().get("properties", {})
    return found


def read_query(values: MultiDict[str, str], types: Sequence[Any]) -> tuple[Any, ...]:
    """One instance of each of ``types`` from a query string or form.

    A list is given by repeating its name; an empty value counts as absent, as an HTML form sends it. Blanks around a
    value do not count, but in ``after`` they do: it may be a path, and is not typed.

    Raises:
        UsageError: a name none of the types knows, a name given twice that takes one value, or a value of wrong form.
    """
    given: Values = {}
    for name in values:
        texts = [text if name == "after" else text.strip() for text in values.getlist(name) if text.strip()]
        takes_list = any(properties(type_).get(name, {}).get("type") == "array" for type_ in types)
        if takes_list:
            given[name] = texts
        elif len(texts) > 1:
            raise UsageError(f"'{name}' is given {len(texts)} times, but takes one value.")
        elif texts:
            given[name] = texts[0]
        elif not any(name in properties(type_) for type_ in types):
            given[name] = ""
    _refuse_null(given)
    return read_values(given, types)


def read_body(request: Request, types: Sequence[Any]) -> tuple[Any, ...]:
    """One instance of each of ``types`` from a JSON object.

    Raises:
        UsageError: no JSON object, or as for :func:`read_query`.
    """
    try:
        body = request.get_json(silent=True) if request.get_data(cache=True) else {}
        json.dumps(body, ensure_ascii=False).encode()
        _refuse_null(body)
    except (RecursionError, UnicodeEncodeError):
        raise UsageError("The body is nested too deeply, or not all of its text is valid UTF-8.") from None
    if not isinstance(body, dict):
        raise UsageError("The body is not a JSON object.", "Send an object with 'Content-Type: application/json'.")
    return read_values(body, types, strict=True)


def read_values(given: Values, types: Sequence[Any], *, strict: bool = False) -> tuple[Any, ...]:
    """One instance of each of ``types`` from parameters by name.

    Args:
        strict: values have the types of JSON that they are to have; otherwise they may be texts, as of a query string.

    Raises:
        UsageError: as for :func:`read_query`.
    """
    allowed = {name for type_ in types for name in properties(type_)}
    unknown = sorted(given.keys() - allowed)
    if unknown:
        raise UsageError(f"There is no parameter '{unknown[0]}' here.", f"Known are: {', '.join(sorted(allowed))}.")
    return tuple(_build_one(given, type_, strict) for type_ in types)


def _refuse_null(value: Any) -> None:
    if isinstance(value, str) and "\0" in value:
        raise UsageError("A text that was sent holds a null character, which no text here can.")
    if isinstance(value, Mapping):
        for pair in value.items():
            _refuse_null(pair)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_null(each)


def _build_one(given: Values, type_: Any, strict: bool) -> Any:
    own = {name: value for name, value in given.items() if name in properties(type_)}
    try:
        read = adapter(type_)
        made = read.validate_json(json.dumps(own), strict=True) if strict else read.validate_python(own)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"]) or "the request"
        if problem["type"] == "missing":
            raise UsageError(f"'{name}' is needed.") from None
        if problem["type"] in ("string_too_short", "too_short") and not problem["input"]:
            raise UsageError(f"'{name}' is empty.") from None
        raise UsageError(f"'{name}' cannot be {problem['input']!r}: {problem['msg']}.") from None
    return filter_of(type_, made) if is_filter(type_) else made
