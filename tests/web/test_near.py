"""A place and a radius as people type them."""

from __future__ import annotations

import pytest

from search.errors import UsageError
from web.near import in_words, read, written


def test_there_and_back() -> None:
    near = read("-33.8568, 151.2153,250")
    assert near == (-33.8568, 151.2153, 250.0)
    assert written(near) == "-33.8568,151.2153,250"
    assert in_words(near) == "within 250 m of 33.857° S, 151.215° E"
    assert in_words((52.52, -13.405, 1500.0)) == "within 1.5 km of 52.520° N, 13.405° W"


@pytest.mark.parametrize("text", ["", "52.52", "52.52,13.4", "a,b,c", "1,2,3,4", "52,5; 13,4; 100"])
def test_what_is_no_place_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(text)
    assert "'near' cannot be" in refused.value.message
    assert "LAT,LON,METRES" in refused.value.hint
