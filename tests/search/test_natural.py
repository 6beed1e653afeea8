from __future__ import annotations

import random

import pytest

from search.records.natural_order import SORT_BITS, natural_key, sort_number


@pytest.mark.parametrize(
    "names",
    [
        ["", "1", "9", "10", "a", "ab", "b"],
        ["IMG_9.jpg", "img_10.jpg", "IMG 11.JPG", "img-100.jpg"],
        ["20210604_120000.jpg", "20210604_120001.jpg", "20210605_000000.jpg"],
        ["Etage", "Été", "etui"],
        ["photo 2.jpg", "photo 10.jpg", "photo.jpg", "photo2.jpg", "photograph.jpg"],
        ["12345678.jpg", "123456789.jpg", "20210604120000.jpg", "20210604130000.jpg"],
        ["a99999999999999", "a999999999999999", "a9999999999999999999"],
        ["zebra", "ж", "日"],
    ],
)
def test_the_order_that_people_expect(names: list[str]) -> None:
    shuffled = random.Random(0).sample(names, len(names))
    assert sorted(shuffled, key=natural_key) == names
    assert sorted(shuffled, key=lambda name: (sort_number(name), natural_key(name))) == names


def test_what_makes_no_difference() -> None:
    assert natural_key("Été_007.JPG") == natural_key("ete 7.jpg")
    assert sort_number("Été_007.JPG") == sort_number("ete 7.jpg")


def test_a_number_never_contradicts_the_key() -> None:
    draw = random.Random(1)
    names = {"".join(draw.choices("aZ0199 _-éЖ日", k=draw.randrange(12))) for _ in range(3000)}
    names |= {"x" * 300, "9" * 300, "\U0010ffff" * 4, "\x00"}
    ordered = sorted(names, key=natural_key)
    numbers = [sort_number(name) for name in ordered]
    assert numbers == sorted(numbers)
    assert min(numbers) >= 0
    assert max(numbers) < 2**SORT_BITS
    assert all(int(float(number)) == number for number in numbers)


def test_names_of_cameras_are_told_apart() -> None:
    names = [f"DSC{n:05}.JPG" for n in range(1, 2000)] + [f"IMG_2021{n:04}_1.jpg" for n in range(101, 132)]
    names += [f"202106{n}120000.jpg" for n in range(10, 31)] + [f"1700000{n}123.jpg" for n in range(100, 120)]
    assert len({sort_number(name) for name in names}) == len(names)
