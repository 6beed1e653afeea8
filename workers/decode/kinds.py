"""Kind of media of a file: by its name, before it is opened, and by its first bytes."""

from __future__ import annotations

from enum import Enum
from pathlib import PurePath

from search.media import Kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RAW_EXTENSIONS = _words(
    """3fr arw cr2 cr3 crw dcr dng erf iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"""
)
"""Raw formats of cameras. Many are TIFF inside, so the name decides whether the embedded preview is used."""

IMAGE_EXTENSIONS = RAW_EXTENSIONS | _words(
    """apng avif avifs bmp bw cur dcx dds dib eps fit fits flc fli gbr gif gpl hdp heic heics heif heifs hif icb
    icns ico im j2c j2k jfif jls jp2 jpc jpe jpeg jpf jpg jpx jxl jxr mpo msp p7 pbm pcd pcx pfm pgm png pnm ppm psd
    pxr qoi ras rgb rgba sgi spi spider tga tif tiff vda vst wbmp wdp webp wmf xbm xcf xpm"""
)
VIDEO_EXTENSIONS = _words(
    """3g2 3gp 3gpp amv asf avi divx dv f4v flv h264 h265 hevc ivf m1v m2p m2t m2ts m2v m4v mj2 mjpeg mjpg mkv mod mov
    mp4 mp4v mpe mpeg mpg mpv mts mxf nut ogm ogv ogx oggtheora qt rm rmvb swf tod ts vob webm wmv wtv xvid
    y4m"""
)
AUDIO_EXTENSIONS = _words(
    """aac aax ac3 adts aif aifc aiff alac amr ape apev2 au awb caf dff dsf dts eac3 ec3 f4a flac gsm m4a m4b m4p m4r
    mka mlp mp1 mp2 mp3 mpa mpc mpga ofr ofs oga ogg opus ra shn snd spx tak thd tta voc w64 wav wave weba wma wv"""
)

_KIND_OF_EXTENSION = {
    extension: kind
    for kind, extensions in (
        (Kind.IMAGE, IMAGE_EXTENSIONS),
        (Kind.VIDEO, VIDEO_EXTENSIONS),
        (Kind.AUDIO, AUDIO_EXTENSIONS),
    )
    for extension in extensions
}


def kind_of_name(path: str) -> Kind | None:
    """Kind by the extension alone, None for other names. Decoding decides by the content later."""
    return _KIND_OF_EXTENSION.get(PurePath(path).suffix[1:].lower())


def is_raw_name(path: str) -> bool:
    return PurePath(path).suffix[1:].lower() in RAW_EXTENSIONS


class Family(Enum):
    """Decoder that a file's first bytes call for."""

    PICTURE = "picture"
    RAW = "raw file"
    STREAMS = "recording"
    UNKNOWN = "unknown"


SNIFFED_BYTES = 64

_PICTURE_BRANDS = frozenset(
    (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"jpeg", b"jpgs")
)
TIFF_STARTS = (b"II*\0", b"MM\0*")
_PICTURE_STARTS = (
    *TIFF_STARTS,
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II+\0",
    b"MM\0+",
    b"8BPS",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"qoif",
    b"DDS ",
    b"icns",
    b"\x01\xda",
    b"\x59\xa6\x6a\x95",
    b"SIMPLE  =",
    b"/* XPM",
    b"DanM",
    b"LinS",
    b"P7 332",
)
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"pnot", b"skip")
"""First atoms of QuickTime files older than ``ftyp``."""
_FLI_MARKS, _FLI_FLAGS = (b"\x11\xaf", b"\x12\xaf"), (b"\0\0", b"\x03\0")
"""At bytes 4 and 14 of an Autodesk animation, which begins with its length."""
_JPEG_LS = b"\xff\xd8\xff\xf7"
"""JPEG-LS, which begins like a JPEG but is another format."""
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_STREAM_STARTS = (
    b"ID3",
    b"fLaC",
    b"OggS",
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"caff",
    b"#!AMR",
    b"MAC ",
    b"wvPk",
    b".snd",
    b"MPCK",
    b"MP+",
    b"DSD ",
    b"FRM8",
    b"TTA1",
    b"\0\0\x01\xba",
    b"\0\0\x01\xb3",
    b".RMF",
    b"Creative Voice File",
    b"riff\x2e\x91\xcf\x11",
)
_RIFF_FAMILY = {b"WEBP": Family.PICTURE, b"WAVE": Family.STREAMS, b"AVI ": Family.STREAMS}
_IFF_FAMILY = {b"AIFF": Family.STREAMS, b"AIFC": Family.STREAMS}


def sniff(head: bytes) -> Family:
    """Family by the first ``SNIFFED_BYTES`` bytes; UNKNOWN leaves it to the name, and then to trial."""
    if head[4:8] in _QUICKTIME_ATOMS:
        return Family.STREAMS
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand == b"crx ":
            return Family.RAW
        return Family.PICTURE if brand in _PICTURE_BRANDS else Family.STREAMS
    if head[4:6] in _FLI_MARKS and head[14:16] in _FLI_FLAGS:
        return Family.PICTURE
    if head.startswith(_JPEG_LS):
        return Family.UNKNOWN
    if head.startswith((b"RIFF", b"RF64")):
        return _RIFF_FAMILY.get(head[8:12], Family.STREAMS)
    if head.startswith(b"FORM"):
        return _IFF_FAMILY.get(head[8:12], Family.UNKNOWN)
    for family, starts in (
        (Family.PICTURE, _PICTURE_STARTS),
        (Family.RAW, _RAW_STARTS),
        (Family.STREAMS, _STREAM_STARTS),
    ):
        if head.startswith(starts):
            return family
    return Family.UNKNOWN
