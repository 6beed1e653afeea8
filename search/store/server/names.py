"""Resolves the name of a collection or generation to a collection on the server.

The generations of ``images`` are the collections ``images-1``, ``images-2`` …, each with the prefix of the settings;
the alias ``images`` says which one is current. Requests name the collection itself, never the alias: what is known of
a collection's spaces then stays true of whatever answers, also while another process moves the alias.

Versions before generations made a collection called ``images``. It is generation 1. As no alias can have the name of a
collection that exists, ``images-current`` stands in for the alias until that collection is dropped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping

from qdrant_client import QdrantClient, models

from search.store.generations import GenerationName
from search.store.server.timing import ALIASES_HELD, COMMIT_SECONDS

_NEVER = float("-inf")


class ServerNames:
    """Names of Likewise's collections behind one client. Errors of the client are the caller's to translate."""

    def __init__(self, client: QdrantClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._aliases: Mapping[str, str] = {}
        self._read_at = _NEVER

    def current(self, collection: str, *, fresh: bool = False) -> str | None:
        """The collection that the alias names; None when there is no alias."""
        aliases = self._known(fresh=fresh)
        return aliases.get(self._stand_in(collection)) or aliases.get(self._prefix + collection)

    def is_current(self, physical: str) -> bool:
        """Whether an alias names this collection: the server is asked where it was known to, before."""
        return physical in self._aliases.values() and physical in self._known(fresh=True).values()

    def physical(self, name: str, *, fresh: bool = False) -> str:
        """The collection that ``name``, plain or a generation's, stands for; it need not exist."""
        generation = GenerationName.read(name)
        if generation is None:
            return self.current(name, fresh=fresh) or self._prefix + name
        if generation.number == 1 and self._prefix + generation.collection not in self._known(fresh=fresh):
            return self._prefix + generation.collection
        return self.made_as(generation)

    def made_as(self, generation: GenerationName) -> str:
        """What a generation is called when it is made."""
        return f"{self._prefix}{generation.collection}-{generation.number}"

    def among(self, present: Iterable[str], collection: str) -> dict[GenerationName, str]:
        """The generations of ``collection`` among the collections of the server, oldest first."""
        named = re.compile(rf"{re.escape(self._prefix + collection)}-([1-9][0-9]*)")
        found: dict[GenerationName, str] = {}
        for physical in present:
            if physical == self._prefix + collection:
                found[GenerationName(collection, 1)] = physical
            elif (match := named.fullmatch(physical)) is not None:
                found.setdefault(GenerationName(collection, int(match[1])), physical)
        return dict(sorted(found.items()))

    def point_at(self, collection: str, physical: str) -> None:
        """Make ``physical`` the current one, in one step."""
        aliases = self._known(fresh=True)
        alias, stand_in = self._prefix + collection, self._stand_in(collection)
        taken = alias not in aliases and self._client.collection_exists(alias)
        target = models.CreateAlias(collection_name=physical, alias_name=stand_in if taken else alias)
        # One operation takes the alias from wherever it points: even a server that dies has the old one or the new one.
        changes: list[models.AliasOperations] = [models.CreateAliasOperation(create_alias=target)]
        if stand_in in aliases and not taken:
            changes.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=stand_in)))
        self._client.update_collection_aliases(changes, timeout=COMMIT_SECONDS)
        self.forget()

    def restore_alias(self, collection: str) -> None:
        """Give the alias its proper name, once no collection is in its way any more."""
        aliases = self._known(fresh=True)
        alias, stand_in = self._prefix + collection, self._stand_in(collection)
        if stand_in in aliases and alias not in aliases and not self._client.collection_exists(alias):
            renaming = models.RenameAlias(old_alias_name=stand_in, new_alias_name=alias)
            self._client.update_collection_aliases(
                [models.RenameAliasOperation(rename_alias=renaming)], timeout=COMMIT_SECONDS
            )
            self.forget()

    def forget(self) -> None:
        """Read the aliases anew next time."""
        self._read_at = _NEVER

    def _stand_in(self, collection: str) -> str:
        return f"{self._prefix}{collection}-current"

    def _known(self, *, fresh: bool) -> Mapping[str, str]:
        if fresh or time.monotonic() - self._read_at >= ALIASES_HELD:
            read_at = time.monotonic()
            described = self._client.get_aliases().aliases
            self._aliases = {alias.alias_name: alias.collection_name for alias in described}
            self._read_at = read_at
        return self._aliases
