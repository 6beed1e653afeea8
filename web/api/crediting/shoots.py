"""API calls about shoots: list and name a photographer's, and see them with the style on one time axis."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.ledger.access import Scope
from search.errors import UsageError
from search.photographers.answers import Session
from search.photographers.profiles.timeline import Timeline
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort
from web.api.questions import check_id


@dataclass(frozen=True, slots=True)
class ShootNaming:
    """The shoot that the photo ``id`` is of is to be called ``name``; empty for what follows from folder and date."""

    id: NonEmpty
    name: str = ""


@dataclass(frozen=True, slots=True)
class NamedShoot:
    """``name`` as it is stored, empty where the name was taken back; ``photos`` of the shoot have it."""

    name: str
    photos: int


def photographer_shoots(node: NodePort, who: str) -> list[Session]:
    """All shoots of a photographer, the latest first: photos taken in one place without a long pause, found from time,
    place, file names, folders and looks. A single photo is no shoot."""
    return list(node.photographers.shoots(who))


def photographer_timeline(node: NodePort, who: str) -> Timeline:
    """Shoots of a photographer in order of time, with how unlike the earlier style each is, and the change of style
    that is beyond what shoots vary by, where there is one."""
    return node.photographers.timeline(who)


def name_shoot(node: NodePort, naming: ShootNaming) -> NamedShoot:
    """Call a shoot something else. The name stays with its photos; an empty one takes it back."""
    ids = node.photographers.photos_of_shoot(check_id(naming.id))
    kept = node.desk.name_shoot(ids, naming.name)
    if naming.name.strip() and not kept:
        raise UsageError(f"{naming.name!r} has nothing that can be shown.")
    return NamedShoot(kept, len(ids))


OPERATIONS = (
    Operation(
        "GET", "/photographers/<who>/shoots", photographer_shoots, list[Session], scope=Scope.READ, errors=(404, 503)
    ),
    Operation(
        "GET", "/photographers/<who>/timeline", photographer_timeline, Timeline, scope=Scope.READ, errors=(404, 503)
    ),
    Operation(
        "POST",
        "/photographers/shoots/name",
        name_shoot,
        NamedShoot,
        scope=Scope.INGEST,
        takes=(ShootNaming,),
        errors=(400, 404, 503),
    ),
)
