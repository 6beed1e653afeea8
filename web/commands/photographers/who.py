"""A photographer as somebody types one, as an address carries one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from search.photographers.photos.names import fold, unknown_photographer, photographer_id

if TYPE_CHECKING:
    from web.client import Client


def found_id(client: Client, who: str) -> str:
    """The id of the photographer of this name, in whatever case, or this id: names may hold slashes.

    Raises:
        NotFoundError: there is nobody of that name.
    """
    if re.fullmatch("[0-9a-f]{16}", who):
        return who
    known: dict[str, str] = {one["name"]: one["id"] for one in client.get("/photographers")}
    if who in known:
        return photographer_id(who)
    for name, id_ in known.items():
        if fold(name) == fold(who):
            return id_
    raise unknown_photographer(who, known)
