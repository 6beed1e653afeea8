"""What files say of themselves: when, where, with what and by whom they were taken.

It never invents a fact: what no source says, or says impossibly, is absent. Which source counts is told in ``sources``.

Start with ``sources``.

* ``dates``: Dates and times as files write them, to ISO 8601
* ``exif``: Read EXIF's directories
* ``iptc``: Read IPTC-IIM data, alone and within Photoshop's image resources
* ``pictures``: Read the metadata of a picture: XMP, IPTC-IIM, EXIF and PNG's texts, wherever its format keeps them
* ``quantities``: Numbers and places of metadata: each in its range, or none
* ``raws``: Read the metadata of a camera's raw file from the file itself, for files that are a TIFF inside
* ``recordings``: Read the metadata of a video or a sound: the tags of its container and streams
* ``sidecar``: Read the XMP sidecars of a file, which the caller has opened
* ``sources``: What each source says of a file, and which of them counts
* ``texts``: Texts of metadata: bytes in an unknown encoding to one line of text, or none
* ``xmp``: Read XMP packets: XML is parsed as XML, within bounds, and a document type is refused
"""
