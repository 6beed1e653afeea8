"""Find the id of the photographer whose name or id was typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from search.photographers.photos.names import fold, photographer_id, unknown_photographer

if TYPE_CHECKING:
    from web.client import Client


def found_id(client: Client, who: str) -> str:
    """The id of the photographer of this id, or of this name in any case, or who is shown by it. Addresses take ids, as
    names may hold "/".

    Raises:
        NotFoundError: no photographer has that name.
    """
    if re.fullmatch("[0-9a-f]{16}", who):
        return who
    listed = client.get("/photographers")
    known: dict[str, str] = {one["name"]: one["id"] for one in listed}
    if who in known:
        return photographer_id(who)
    for name, id_ in known.items():
        if fold(name) == fold(who):
            return id_
    shown = [one["id"] for one in listed if fold(one["display_name"]) == fold(who)]
    if len(shown) == 1:
        return str(shown[0])
    raise unknown_photographer(who, known)
