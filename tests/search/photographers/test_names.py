"""Which texts name a photographer, and how names are kept and addressed."""

from __future__ import annotations

import hashlib

import pytest

from search.photographers.photos.names import (
    MAX_LENGTH,
    clean_name,
    given_name,
    photographer_id,
    same_name,
    unknown_photographer,
)

NAMED = {
    "Ada Lovelace": "Ada Lovelace",
    "© 2019 Ada Lovelace, all rights reserved": "Ada Lovelace",
    "(c) 2001-2004 Foo Bar": "Foo Bar",
    "Copyright © 1998, 2003 by Grace Hopper.": "Grace Hopper.",
    "Photo by Jane Doe": "Jane Doe",
    "PHOTOGRAPHER: Bob": "Bob",
    "Photography by Tom": "Tom",
    "By Jane": "Jane",
    "Byron Katie": "Byron Katie",
    "Foto Meyer": "Foto Meyer",
    "Deborah": "Deborah",
    "  two\n lines\tand tabs ": "two lines and tabs",
    "[Ann]": "Ann",
    "O'Neil": "O'Neil",
    "张三": "张三",
    "Sony World": "Sony World",
    "Jack\u202etxt": "Jacktxt",
    "Ann\0": "Ann",
    "e\u0301mile": "\u00e9mile",
    "../../x": "../../x",
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "Aperture Jones": "Aperture Jones",
    "Lightroom Lara": "Lightroom Lara",
    "Canon Smith": "Canon Smith",
    "Nikon Ivanov": "Nikon Ivanov",
    "Adobe Walls": "Adobe Walls",
    "Studio 54 Photography": "Studio 54 Photography",
    "Max Pro": "Max Pro",
    "Sigmar Leica": "Sigmar Leica",
}

NOBODY = (
    *(None, "", "   ", "\0\0", "\u200b", "-", "12345", "©", "Copyright 2020", "all rights reserved"),
    *("unknown", "Unknown.", "<unknown>", "UNKNOWN  ARTIST", "n/a", "N.A.", "Anonymous", "Photographer", "Picasa"),
    *("NIKON CORPORATION", "Canon Inc.", "SAMSUNG", "SONY", "OLYMPUS DIGITAL CAMERA", "Eastman Kodak Company"),
    *("www.example.com", "https://example.com/me"),
    *("Adobe Photoshop", "Adobe Photoshop CS6 (Windows)", "Adobe Photoshop Lightroom Classic 11.0.1 (Macintosh)"),
    *("Picasa 3.0", "Google Photos", "GIMP", "GIMP 2.10.8", "darktable 3.8.1", "Lightroom", "RawTherapee 5.8"),
    *("Paint.NET v3.5.10", "Snapseed 2.0", "Capture One 22 Windows", "ACDSee Ultimate 2022", "digiKam-7.1.0"),
    *("Microsoft Windows Photo Viewer 6.1.7600.16385", "Instagram", "Photos 1.5", "Corel PaintShop Pro X6"),
    *("Photoshop Elements 9", "Photoshop Express", "ImageMagick 6.9.11-60 Q16", "VSCOcam", "iPhoto"),
    *("Canon", "Canon EOS R5", "NIKON D850", "SAMSUNG TECHWIN CO., LTD.", "Leica Camera AG", "SONY ILCE-7RM3"),
    *("Owner", "camera owner", "Owner's name", "Administrator", "Windows User", "Your name here", "Besitzer"),
    *("S\ufffdren \ufffdberg",),
)


@pytest.mark.parametrize(("text", "name"), NAMED.items())
def test_a_name_is_found_in_what_the_file_says(text: str, name: str) -> None:
    assert clean_name(text) == name


@pytest.mark.parametrize("text", NOBODY)
def test_what_names_nobody_is_no_name(text: str | None) -> None:
    assert clean_name(text) is None


def test_cleaning_a_clean_name_changes_nothing() -> None:
    for name in NAMED.values():
        assert clean_name(name) == name


def test_a_name_has_an_end() -> None:
    cleaned = clean_name("x y " * 1000)
    assert cleaned is not None
    assert len(cleaned) <= MAX_LENGTH


def test_what_a_person_typed_keeps_its_years_and_marks() -> None:
    assert given_name(" Group 01 ") == "Group 01"
    assert given_name("Studio 1984") == "Studio 1984"
    assert given_name("Photo by Ann") == "Photo by Ann"
    assert given_name("unknown") is None


def test_spellings_of_one_name() -> None:
    assert same_name("ANN  Lee", "Ann Lee")
    assert same_name("e\u0301mile", "\u00c9mile")
    assert not same_name("Ann Lee", "Anne Lee")


def test_the_id_is_of_the_name_and_fits_into_an_address() -> None:
    assert photographer_id("Ada") == hashlib.sha256(b"Ada").hexdigest()[:16]
    assert photographer_id("../../x") != photographer_id("../../y")
    assert all(photographer_id(name).isalnum() for name in ("<script>", "../../x", "\ud800"))


@pytest.mark.parametrize(
    ("who", "meant"),
    [
        ("Jack Delano", " Did you mean 'jack_delano'?"),
        ("JACK DELAN", " Did you mean 'jack_delano'?"),
        ("john vachn", " Did you mean 'John Vachon'?"),
        ("Ann Le", " Did you mean 'Ann Lee' or 'Anna Lee'?"),
        ("Somebody Else", ""),
        ("", ""),
        ("../..", ""),
    ],
)
def test_who_may_have_been_meant_is_proposed(who: str, meant: str) -> None:
    known = ["jack_delano", "John Vachon", "Ann Lee", "Anna Lee", "../../x", "🙂"]
    assert unknown_photographer(who, known).message == f"There is no photographer '{who}'.{meant}"
