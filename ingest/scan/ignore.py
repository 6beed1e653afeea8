"""Rules for files that a scan leaves out: patterns of the settings and of ``.likewiseignore`` files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.pattern import Pattern

from ingest.scan.system_files import is_system
from search.errors import SettingsError

IGNORE_FILE = ".likewiseignore"


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules in one folder: those of its own ignore file before those of the folders above it, as in git.

    Attributes:
        excludes: patterns from the settings, relative to the scanned folder; no ignore file can revoke them.
        levels: ``(length of the folder's path with its slash, patterns)``, deepest first.
        include_system: whether what other programs keep beside photos is taken in.
    """

    excludes: GitIgnoreSpec | None
    base: int
    levels: tuple[tuple[int, GitIgnoreSpec], ...] = ()
    include_system: bool = False

    @classmethod
    def for_root(cls, root: str, excludes: Sequence[str], *, include_system: bool = False) -> IgnoreRules:
        """Rules before any ignore file has been read.

        Raises:
            SettingsError: an exclude is not a pattern.
        """
        try:
            spec = GitIgnoreSpec.from_lines(excludes) if excludes else None
        except ValueError as error:
            raise SettingsError(f"LIKEWISE_EXCLUDES holds what is no .gitignore pattern: {error}.") from None
        return cls(spec, _length(root), include_system=include_system)

    def entering(self, folder: str) -> IgnoreRules:
        """Rules inside ``folder``, which holds an ignore file.

        Raises:
            OSError: the ignore file cannot be read, so its rules are unknown.
        """
        return self.with_file(folder, Path(folder, IGNORE_FILE).read_bytes())

    def with_file(self, folder: str, content: bytes) -> IgnoreRules:
        """Rules inside ``folder``, given the content of its ignore file. Invalid lines are left out, as in git."""
        lines = content.decode("utf-8", "replace").splitlines()
        return replace(self, levels=((_length(folder), _compile(lines)), *self.levels))

    @property
    def empty(self) -> bool:
        """Whether there are no rules."""
        return self.excludes is None and not self.levels

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether the rules leave out the entry at ``path``. The scan itself leaves out hidden entries."""
        tail = "/" if is_folder else ""
        if self.excludes is not None and self.excludes.check_file(path[self.base :] + tail).include:
            return True
        for start, spec in self.levels:
            verdict = spec.check_file(path[start:] + tail).include
            if verdict is not None:
                return verdict
        return False

    def is_system(self, path: str, *, is_folder: bool) -> bool:
        """Whether the entry at ``path`` is left out because other programs keep it beside photos.

        An ignore file that names it takes it in: ``!@eaDir/`` does, ``!*/`` does not, which only says that folders are
        to be looked into.
        """
        if self.include_system or not is_system(path, is_folder=is_folder):
            return False
        tail = "/" if is_folder else ""
        for start, spec in self.levels:
            inner = path[start:] + tail
            if spec.check_file(inner).include is False:
                return not any(_names(each) and each.match_file(inner) for each in spec.patterns)
        return True


def _names(pattern: Pattern) -> bool:
    """Whether it is a negated pattern that says more of a name than that there is one."""
    text = str(getattr(pattern, "pattern", ""))
    return pattern.include is False and text.rstrip("/").rpartition("/")[2].strip("!*") != ""


def _length(folder: str) -> int:
    return len(folder.rstrip("/")) + 1


def _compile(lines: Sequence[str]) -> GitIgnoreSpec:
    usable: list[str] = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        usable.append(line)
    return GitIgnoreSpec.from_lines(usable)
