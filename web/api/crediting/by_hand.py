"""API calls that credit photos by hand, undo it, and rename, merge and display photographers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ingest.ledger.access import Scope
from ingest.ledger.credit_edits import CreditEdit
from search.errors import NotFoundError, UsageError
from search.photographers.display import display_name
from search.photographers.photos.names import given_name
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort
from web.api.questions import check_id

MOST_CREDITED = 200
"""Photos that are credited at once; for more there is the job that labels."""


@dataclass(frozen=True, slots=True)
class PhotoCredit:
    """The photo ``id`` is by ``photographer``; empty: nobody is known, whatever the file says."""

    id: NonEmpty
    photographer: Annotated[str, Field(max_length=1000)] = ""


@dataclass(frozen=True, slots=True)
class Crediting:
    """Who took which photos."""

    credits: Annotated[tuple[PhotoCredit, ...], Field(min_length=1, max_length=MOST_CREDITED)]


@dataclass(frozen=True, slots=True)
class Undoing:
    """``edit`` is of the answer to a credit by hand."""

    edit: NonEmpty


@dataclass(frozen=True, slots=True)
class Undone:
    """``records`` is the number of records that were changed."""

    records: int


@dataclass(frozen=True, slots=True)
class Renaming:
    """``photographer``, by name or id, is to be called ``to``; with the name of another, the two become one."""

    photographer: NonEmpty
    to: NonEmpty


@dataclass(frozen=True, slots=True)
class Merging:
    """All that is ``photographer``'s is to be credited to ``into``; both by name or id, and both known."""

    photographer: NonEmpty
    into: NonEmpty


@dataclass(frozen=True, slots=True)
class Renamed:
    """``name`` as it is stored; ``records`` is the number of records that were checked."""

    name: str
    records: int


@dataclass(frozen=True, slots=True)
class Displaying:
    """How a photographer is to be shown; empty for what follows from the name."""

    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Displayed:
    """``photographer`` is the name that photos are credited by, ``display_name`` what is shown for it."""

    photographer: str
    display_name: str


def credit_photos(node: NodePort, crediting: Crediting) -> CreditEdit:
    """Credit photos by hand, at once, before every other source; an empty 'photographer' says that nobody is known.
    A name that somebody who is known has, or is shown by, in whatever case, means them. 'edit' of the answer undoes
    it."""
    return node.desk.credit({check_id(one.id): _known(node, one.photographer) for one in crediting.credits})


def undo_credits(node: NodePort, undoing: Undoing) -> Undone:
    """Undo what was credited by hand at once, for 30 days: what people said of these photos before counts again. Those
    that have been credited by hand since stay as they are."""
    return Undone(node.desk.undo(undoing.edit))


def rename_photographer(node: NodePort, renaming: Renaming) -> Renamed:
    """Call a photographer something else, also in what is imported later; two of one name become one."""
    try:
        name = node.photographers.name_of(renaming.photographer)
    except NotFoundError as nobody:
        try:  # one who goes by another name since; called so again, a merge is undone
            return _renamed(node, renaming.photographer, renaming.to)
        except NotFoundError:
            raise nobody from None
    return _renamed(node, name, renaming.to)


def merge_photographers(node: NodePort, merging: Merging) -> Renamed:
    """Credit all that is one photographer's to another, also in what is imported later."""
    into = node.photographers.name_of(merging.into)
    return rename_photographer(node, Renaming(merging.photographer, into))


def display_photographer(node: NodePort, displaying: Displaying, who: str) -> Displayed:
    """Say how a photographer is shown. The name that photos are credited by stays as it is; an empty 'display_name'
    goes back to what follows from it: Alfred T. Palmer of alfred_t_palmer."""
    name = node.photographers.name_of(who)
    kept = node.desk.show_as(name, displaying.display_name)
    if displaying.display_name.strip() and not kept:
        raise UsageError(f"{displaying.display_name!r} has nothing that can be shown.")
    return Displayed(name, display_name(name, {name: kept}))


def display_names(node: NodePort) -> Mapping[str, str]:
    """How photographers are shown, by the name that photos are credited by; those that are shown by just that name are
    left out."""
    told = node.desk.displayed()
    shown = {one.name: display_name(one.name, told) for one in node.photographers.list()}
    return {name: display for name, display in shown.items() if display != name}


def _known(node: NodePort, name: str) -> str:
    try:
        return node.photographers.name_of(name) if name.strip() else ""
    except NotFoundError:  # somebody new
        return name


def _renamed(node: NodePort, old: str, new: str) -> Renamed:
    records = node.desk.rename(old, new)
    return Renamed(given_name(new) or new, records)


OPERATIONS = (
    Operation(
        "POST",
        "/photographers/credit",
        credit_photos,
        CreditEdit,
        scope=Scope.INGEST,
        takes=(Crediting,),
        errors=(400, 404, 503),
    ),
    Operation(
        "POST",
        "/photographers/credit/undo",
        undo_credits,
        Undone,
        scope=Scope.INGEST,
        takes=(Undoing,),
        errors=(400, 404, 503),
    ),
    Operation(
        "POST",
        "/photographers/rename",
        rename_photographer,
        Renamed,
        scope=Scope.INGEST,
        takes=(Renaming,),
        errors=(400, 404, 503),
    ),
    Operation(
        "POST",
        "/photographers/merge",
        merge_photographers,
        Renamed,
        scope=Scope.INGEST,
        takes=(Merging,),
        errors=(400, 404, 503),
    ),
    Operation("GET", "/photographers/display-names", display_names, dict[str, str], scope=Scope.READ, errors=(503,)),
    Operation(
        "POST",
        "/photographers/<who>/display-name",
        display_photographer,
        Displayed,
        scope=Scope.INGEST,
        takes=(Displaying,),
        errors=(400, 404, 503),
    ),
)
