"""List the objects below prefixes of buckets, with sizes and times from the listings alone.

Hidden, excluded and ignored objects are left out, and so are what other programs keep beside photos
(``ingest.scan.system_files``) and Likewise's own previews and uploads. Sidecars are listed with the objects they belong
to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ingest.scan.folders import FolderListing, Found, FoundFile, Root, Unreadable
from ingest.scan.ignore import IGNORE_FILE, IgnoreRules
from ingest.scan.sidecars import Sidecars, describe_sidecars
from search import addresses
from search.sidecars import is_sidecar
from workers.storage.objects import Facts, Objects


class RemoteScan:
    """One scan of some roots.

    Args:
        roots: prefixes; an empty one yields an empty listing.
        excludes: patterns from the settings.
        own: prefixes of Likewise's own files, which are left out.
        named: existing objects ingested by name, which are listed whatever the rules say.
        include_system: what other programs keep beside photos is listed as well.
    """

    def __init__(
        self,
        roots: Iterable[Root],
        objects: Objects,
        *,
        excludes: Sequence[str],
        own: Iterable[str] = (),
        named: Iterable[str] = (),
        include_system: bool = False,
    ) -> None:
        self._roots = list(roots)
        self._include_system = include_system
        self._objects = objects
        self._excludes = excludes
        self._seen = set(own)
        self._named: dict[str, set[str]] = {}
        for address in named:
            self._named.setdefault(addresses.parent(address) or address, set()).add(address)

    def __iter__(self) -> Iterator[Found]:
        for root in self._roots:
            try:
                rules = self._rules_at(root)
            except OSError as error:
                yield Unreadable(root.path, f"A {IGNORE_FILE} above it cannot be read: {error.strerror}.")
                continue
            yield from self._tree(root.path, rules)
        for folder, named in sorted(self._named.items()):
            yield list_objects(self._objects, folder, named)

    def _rules_at(self, root: Root) -> IgnoreRules:
        """Rules in force when the walk enters the root: ignore files between the library's root and it."""
        rules = IgnoreRules.for_root(root.base, self._excludes, include_system=self._include_system)
        above = [folder for folder in addresses.parents(root.path) if addresses.is_at_or_below(folder, root.base)]
        for folder in reversed(above):
            with suppress(FileNotFoundError):
                rules = self._with_file(rules, folder)
        return rules

    def _with_file(self, rules: IgnoreRules, folder: str) -> IgnoreRules:
        return rules.with_file(folder, self._objects.read(f"{folder}/{IGNORE_FILE}"))

    def _tree(self, top: str, rules: IgnoreRules) -> Iterator[Found]:
        stack = [(top, rules)]
        while stack:
            folder, rules = stack.pop()
            if folder in self._seen:
                continue
            self._seen.add(folder)
            try:
                entries = self._objects.listing(folder)
                if any(entry.address == f"{folder}/{IGNORE_FILE}" for entry in entries):
                    rules = self._with_file(rules, folder)
            except OSError as error:
                yield Unreadable(folder, f"The folder cannot be read: {error.strerror}.")
                continue
            kept = _Kept([], [], [], [], {})
            yield from _classify(entries, rules, kept)
            files = [_found(facts, kept.sidecars) for facts in kept.files]
            named = frozenset(self._named.pop(folder, ()))
            if named:
                unlisted = named.difference(file[0] for file in files)
                files.extend(list_objects(self._objects, folder, unlisted).files)
            yield FolderListing(
                folder,
                files,
                named=named,
                system_folders=tuple(kept.system_folders),
                system_files=tuple(kept.system_files),
            )
            stack.extend((each, rules) for each in reversed(kept.folders))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is of use among the entries of one folder."""

    files: list[Facts]
    folders: list[str]
    system_folders: list[str]
    system_files: list[str]
    sidecars: dict[str, tuple[int, int]]


def _found(facts: Facts, beside: Sidecars) -> FoundFile:
    sidecars = describe_sidecars(addresses.name(facts.address), beside)
    return facts.address, facts.size, facts.mtime_ns, None, sidecars


def _classify(entries: Iterable[Facts], rules: IgnoreRules, kept: _Kept) -> Iterator[Unreadable]:
    """Append entries to those that are ``kept``; yields those that cannot be used."""
    for entry in entries:
        name = addresses.name(entry.address) if not entry.address.endswith("/") else ""
        if not name:
            if entry.is_folder:  # otherwise it only marks the folder that it is in
                yield Unreadable(entry.address, "Keys with an empty part ('//') cannot be imported; rename them.")
        elif not name.startswith(".") and not rules.ignores(entry.address, is_folder=entry.is_folder):
            if rules.is_system(entry.address, is_folder=entry.is_folder):
                (kept.system_folders if entry.is_folder else kept.system_files).append(entry.address)
            elif entry.is_folder:
                kept.folders.append(entry.address)
            elif is_sidecar(name):
                kept.sidecars[name] = (entry.size, entry.mtime_ns)
            else:
                kept.files.append(entry)


def list_objects(objects: Objects, folder: str, wanted: Iterable[str]) -> FolderListing:
    """A listing of only these objects of one folder; those that do not exist are covered but not listed.

    An object whose existence cannot be checked now is neither covered nor listed. Sidecars are found by one listing of
    the folder, which is made only where there is something to list.
    """
    files: list[FoundFile] = []
    covers: set[str] = set()
    beside: Sidecars | None = None
    for address in sorted(wanted):
        try:
            facts = objects.facts(address)
        except FileNotFoundError:
            covers.add(address)
        except OSError:
            continue
        else:
            covers.add(address)
            if not facts.is_folder:
                beside = _sidecars_in(objects, folder) if beside is None else beside
                files.append(_found(facts, beside))
    return FolderListing(folder, files, covers=frozenset(covers), named=frozenset(covers))


def _sidecars_in(objects: Objects, folder: str) -> Sidecars:
    try:
        entries = objects.listing(folder)
    except OSError:
        return {}
    named = ((addresses.name(entry.address), entry) for entry in entries if not entry.is_folder)
    return {name: (entry.size, entry.mtime_ns) for name, entry in named if is_sidecar(name) and name[0] != "."}
