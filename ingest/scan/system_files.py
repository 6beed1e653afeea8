"""What other programs and systems keep beside photos: thumbnails, recycle bins, snapshots, caches.

These are no photos of one's own, so scans leave them out unless an ignore file takes them in by name (``!@eaDir/``),
a person names such a folder to be ingested, or ``Settings.include_system_folders`` is set. Everything whose name begins
with a dot is left out as well, whoever made it, and needs no line here: ``.Trash-1000``, ``.Trashes``, ``.thumbnails``,
``.@__thumb``, ``._photo.jpg``, ``.DS_Store``, ``.git``, ``.stversions``, ``.dtrash``, ``.picasaoriginals``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase, translate

FOLDERS: tuple[tuple[str, str], ...] = (
    ("@eaDir", "Synology: thumbnails and attributes of the files beside it"),
    ("@tmp", "Synology: files in transit"),
    ("@sharebin", "Synology: internals of a shared folder"),
    ("@SynologyDrive", "Synology Drive: versions and its database"),
    ("@SynologyCloudSync", "Synology Cloud Sync: its database"),
    ("#recycle", "Synology, ASUSTOR: recycle bin of a shared folder"),
    ("#snapshot", "Synology: snapshots of a shared folder"),
    ("@Recycle", "QNAP: recycle bin of a shared folder"),
    ("@Recently-Snapshot", "QNAP: snapshots of a shared folder"),
    ("@__thumb", "QNAP: thumbnails"),
    ("@Transcode", "QNAP: films made smaller for streaming"),
    ("Network Recycle Bin*", "QNAP: recycle bin of older systems"),
    ("~snapshot", "NetApp: snapshots"),
    ("trashbox", "Buffalo: recycle bin"),
    ("$RECYCLE.BIN", "Windows: recycle bin"),
    ("RECYCLER/S-1-*", "Windows XP: recycle bin, by user"),
    ("System Volume Information", "Windows: restore points and indexes"),
    ("found.[0-9][0-9][0-9]", "Windows: fragments that chkdsk found"),
    ("Network Trash Folder", "macOS: bin of a shared folder"),
    ("Temporary Items", "macOS: files in transit"),
    ("TheVolumeSettingsFolder", "macOS: settings of a shared folder"),
    ("lost+found", "Linux: fragments that fsck found"),
    ("LOST.DIR", "Android: fragments found on a memory card"),
    ("files_trashbin", "Nextcloud, ownCloud: recycle bin"),
    ("files_versions", "Nextcloud, ownCloud: former versions"),
    ("appdata_*/preview", "Nextcloud: thumbnails"),
    ("*.lrdata", "Lightroom: previews and smart previews of a catalogue"),
    ("*.lrcat-data", "Lightroom: internals of a catalogue"),
    ("*.photoslibrary/resources/derivatives", "Apple Photos: smaller copies; the photos are in originals or Masters"),
    ("*.photoslibrary/resources/proxies", "Apple Photos: smaller copies"),
    ("*.photoslibrary/resources/caches", "Apple Photos: caches"),
    ("*.photoslibrary/resources/modelresources", "Apple Photos: pictures of its own"),
    ("*.photoslibrary/resources/media/face", "Apple Photos: cut-out faces"),
    ("*.photoslibrary/private", "Apple Photos: caches of its analysis"),
    ("*.photoslibrary/database", "Apple Photos: its database"),
    ("*.photoslibrary/Thumbnails", "Apple Photos: thumbnails"),
    ("*.photoslibrary/Previews", "Apple Photos: smaller copies"),
    ("*.photolibrary/Thumbnails", "iPhoto: thumbnails; the photos are in Masters"),
    ("*.photolibrary/Previews", "iPhoto: smaller copies"),
    ("*.migratedphotolibrary/Thumbnails", "iPhoto, migrated to Photos: thumbnails"),
    ("*.migratedphotolibrary/Previews", "iPhoto, migrated to Photos: smaller copies"),
    ("*.migratedphotolibrary/resources/derivatives", "iPhoto, migrated to Photos: smaller copies"),
    ("*.migratedphotolibrary/resources/proxies", "iPhoto, migrated to Photos: smaller copies"),
    ("*.aplibrary/Thumbnails", "Aperture: thumbnails; the photos are in Masters"),
    ("*.aplibrary/Previews", "Aperture: smaller copies"),
    ("*.aplibrary/resources/derivatives", "Aperture: smaller copies"),
    ("*.aplibrary/resources/proxies", "Aperture: smaller copies"),
    ("*.migratedaplibrary/Thumbnails", "Aperture, migrated to Photos: thumbnails"),
    ("*.migratedaplibrary/Previews", "Aperture, migrated to Photos: smaller copies"),
    ("CaptureOne/Cache", "Capture One: previews of a session"),
    ("*.cocatalog/Cache", "Capture One: previews of a catalogue"),
    ("M4ROOT/THMBNL", "Sony cameras: thumbnails of films"),
    ("AVF_INFO", "Sony cameras: index of films"),
)
"""Folders by a pattern of their last names, and what each is. ``*`` stands for anything but a slash."""

FILES: tuple[tuple[str, str], ...] = (
    ("Thumbs.db", "Windows: thumbnails of a folder"),
    ("ehthumbs.db", "Windows Media Center: thumbnails"),
    ("ehthumbs_vista.db", "Windows Media Center: thumbnails"),
    ("thumbcache_*.db", "Windows: thumbnails"),
    ("desktop.ini", "Windows: how a folder is shown"),
    ("Picasa.ini", "Picasa: edits, which it writes nowhere else"),
    ("Icon\r", "macOS: icon of a folder"),
    ("thumbnails-digikam.db", "digiKam: thumbnails"),
    ("*.thm", "cameras: thumbnail of the film beside it"),
    ("*.lrv", "cameras: smaller copy of the film beside it"),
)
"""Files by a pattern of their names, and what each is."""


class _Table:
    """Patterns by their last part, which is nearly always all that is looked at. Case does not count: Windows, macOS
    and the network drives they write to do not heed it."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact: dict[str, list[list[str]]] = {}
        self._wild: list[tuple[re.Pattern[str], list[str]]] = []
        for pattern in patterns:
            *above, last = pattern.lower().split("/")
            if re.search(r"[*?[]", last):
                self._wild.append((re.compile(translate(last)), above))
            else:
                self._exact.setdefault(last, []).append(above)
        self._any_wild = re.compile("|".join(pattern.pattern for pattern, _ in self._wild))

    def match(self, path: str) -> bool:
        name = path[path.rfind("/") + 1 :].lower()
        found = list(self._exact.get(name, ()))
        if self._any_wild.match(name):
            found += [above for pattern, above in self._wild if pattern.match(name)]
        return any(_ends(path, above) for above in found)


def _ends(path: str, above: list[str]) -> bool:
    """Whether the folders above the last name of a path match these patterns."""
    if not above:
        return True
    folders = path.lower().split("/")[:-1][-len(above) :]
    return len(folders) == len(above) and all(map(fnmatchcase, folders, above))


_ENDS = frozenset(pattern[-3:].lower() for pattern, _ in FILES)
"""The last three characters of each of :data:`FILES`, none of which is a wildcard."""

_TABLES: Mapping[bool, _Table] = {
    True: _Table(pattern for pattern, _ in FOLDERS),
    False: _Table(pattern for pattern, _ in FILES),
}


def is_system(path: str, *, is_folder: bool) -> bool:
    """Whether a folder or file is one of :data:`FOLDERS` or :data:`FILES`, by its path alone.

    Args:
        path: a path or an address.
    """
    return (is_folder or path[-3:].lower() in _ENDS) and _TABLES[is_folder].match(path)
