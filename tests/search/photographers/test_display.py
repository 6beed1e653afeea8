"""How photographers are shown."""

from __future__ import annotations

import pytest

from search.photographers.display import display_name, shown_as

SHOWN = {
    "alfred_t_palmer": "Alfred T. Palmer",
    "marion_post_wolcott": "Marion Post Wolcott",
    "jan_van_der_berg": "Jan van der Berg",
    "jean-luc_godard": "Jean-Luc Godard",
    "andré_kertész": "André Kertész",
    "Alfred_T_Palmer": "Alfred_T_Palmer",
    "ada": "ada",
    "img_1234": "img_1234",
    "a__b": "a__b",
    "_": "_",
    "Grace Hopper": "Grace Hopper",
    "<script>_x": "<script>_x",
}


@pytest.mark.parametrize(("name", "shown"), SHOWN.items())
def test_words_with_underscores_between_them_are_a_name(name: str, shown: str) -> None:
    assert display_name(name, {}) == shown


def test_what_people_have_said_counts_and_is_found_again() -> None:
    told = {"alfred_t_palmer": "A. T. Palmer"}
    names = ["alfred_t_palmer", "arthur_rothstein", "arthur_siegel"]
    assert display_name("alfred_t_palmer", told) == "A. T. Palmer"
    assert shown_as("a. t. palmer", names, told) == "alfred_t_palmer"
    assert shown_as("Arthur Rothstein", names, told) == "arthur_rothstein"
    assert shown_as("Alfred T. Palmer", names, told) is None
    assert shown_as("same", ["a", "b"], {"a": "Same", "b": "same"}) is None
