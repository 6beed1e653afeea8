"""Read the metadata of a picture: XMP, IPTC-IIM, EXIF and PNG's texts, wherever its format keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from workers.decode.decoded import MediaFacts
from workers.decode.metadata.dates import moment
from workers.decode.metadata.exif import exif_facts
from workers.decode.metadata.iptc import IPTC_RESOURCE, XMP_RESOURCE, iptc_facts, photoshop_resource
from workers.decode.metadata.quantities import tolerant
from workers.decode.metadata.sources import Source, SourceFacts, merged
from workers.decode.metadata.texts import text
from workers.decode.metadata.xmp import xmp_facts

_TIFF_XMP, _TIFF_IPTC, _TIFF_PHOTOSHOP = 700, 33723, 34377
_AUTHORS = ("author", "artist")
_PNG_IPTC = "raw profile type iptc"
"""ImageMagick's text that holds IPTC data as hex digits."""
_LONGEST_PROFILE = 1 << 20


def picture_facts(picture: Image.Image, width: int, height: int, others: Sequence[SourceFacts] = ()) -> MediaFacts:
    """Metadata of an opened (not necessarily loaded) picture.

    Args:
        width, height: pixels after orientation.
        others: what sources outside the picture say, such as sidecars.
    """
    return replace(merged([*others, *picture_sources(picture)]), width=width, height=height)


def picture_sources(picture: Image.Image) -> Iterator[SourceFacts]:
    """What each source in an opened picture says. Broken metadata never fail a picture: such a source says nothing."""
    exif = tolerant(picture.getexif)  # first: Pillow reads the chunks at the end of a PNG for it
    xmp = _bytes(picture.info.get("xmp")) or _bytes(picture.info.get("XML:com.adobe.xmp"))
    tags = getattr(picture, "tag_v2", None)
    texts = _lowered(picture.info)
    yield from embedded_sources(
        tolerant(lambda: xmp or _resource(picture, XMP_RESOURCE)) or _tagged_xmp(tags),
        tolerant(lambda: _resource(picture, IPTC_RESOURCE) or _hex_profile(texts.get(_PNG_IPTC))) or _tagged_iptc(tags),
        exif,
    )
    said = tolerant(lambda: _text_facts(texts)) if picture.format == "PNG" else None
    if said is not None:
        yield said


def directory_sources(exif: Image.Exif) -> Iterator[SourceFacts]:
    """What the directories of a TIFF say, whose pixels are somebody else's business."""
    tags = exif._info
    yield from embedded_sources(_tagged_xmp(tags), _tagged_iptc(tags), exif)


def embedded_sources(xmp: bytes | None, iptc: bytes | None, exif: Image.Exif | None) -> Iterator[SourceFacts]:
    """What each of these says; one that cannot be read says nothing."""
    said = (
        tolerant(lambda: xmp_facts(xmp) if xmp else None),
        tolerant(lambda: iptc_facts(iptc) if iptc else None),
        tolerant(lambda: exif_facts(exif) if exif is not None else None),
    )
    yield from (one for one in said if one is not None)


def _resource(picture: Image.Image, wanted: int) -> bytes | None:
    """One of Photoshop's resources, of a JPEG or a PSD."""
    resources = picture.info.get("photoshop")
    if isinstance(resources, Mapping):
        return _bytes(resources.get(wanted))
    listed = getattr(picture, "resources", None)
    return next((_bytes(data) for id_, _, data in listed if id_ == wanted), None) if isinstance(listed, list) else None


def _tagged_xmp(tags: ImageFileDirectory_v2 | None) -> bytes | None:
    return _tagged(tags, _TIFF_XMP) or _tagged_resource(tags, XMP_RESOURCE)


def _tagged_iptc(tags: ImageFileDirectory_v2 | None) -> bytes | None:
    return _tagged(tags, _TIFF_IPTC) or _tagged_resource(tags, IPTC_RESOURCE)


def _tagged_resource(tags: ImageFileDirectory_v2 | None, wanted: int) -> bytes | None:
    block = _tagged(tags, _TIFF_PHOTOSHOP)
    return tolerant(lambda: photoshop_resource(block, wanted)) if block else None


def _tagged(tags: ImageFileDirectory_v2 | None, tag: int) -> bytes | None:
    """Bytes of a tag, whatever type it is declared as: old writers call IPTC data 32-bit numbers."""
    return tolerant(lambda: _bytes(tags._tagdata.get(tag))) if tags is not None else None


def _hex_profile(written: object) -> bytes | None:
    """ImageMagick's form: a name, a length, then hex digits."""
    if not isinstance(written, str):
        return None
    return bytes.fromhex("".join(written[:_LONGEST_PROFILE].split()[2:]))


def _text_facts(written: Mapping[str, Any]) -> SourceFacts | None:
    """What PNG's texts say, by their keywords in lower case."""
    authors = tuple(author for key in _AUTHORS if (author := text(written.get(key))))
    created = moment(text(written.get("creation time")))
    rights = text(written.get("copyright"))
    if not (authors or created or rights):
        return None
    return SourceFacts(Source.TEXTS, authors=authors, rights=rights, original=(created,) if created else ())


def _lowered(info: Mapping[Any, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in info.items() if isinstance(key, str)}


def _bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, tuple):
        return tolerant(lambda: bytes(value))
    return bytes(value) if isinstance(value, bytes | bytearray) else None
