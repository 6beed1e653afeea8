"""The tables that ship, and how they are made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from search.errors import UsageError
from search.media import tokens
from search.words.build_concepts import CLASSES, WORDNET, Nouns, concept_rows, imagenet_classes
from search.words.table import COLOURS, COMPOUNDS, CONCEPTS, ENGLISH, PLURALS, table

TABLES = Path(sys.modules["search.words.table"].__file__ or "").parent

NOUNS = """\
  1 This line is WordNet's licence.
00000001 03 n 01 entity 0 000 | everything
00000010 05 n 02 animal 0 beast 0 001 @ 00000001 n 0000 | lives
00000020 05 n 01 dog 0 003 @ 00000010 n 0000 ~ 00000021 n 0000 ~ 00000023 n 0000 | barks
00000021 05 n 02 beagle 0 Canis_beagle(a) 0 002 @ 00000020 n 0000 + 00000001 v 0101 | a hound
00000022 05 n 02 toy 0 dog 0 001 @ 00000010 n 0000 | small
00000023 05 n 03 sheep-dog 0 collie 0 bulldog 0 001 @ 00000020 n 0000 | herds
"""
INDEX = {
    "noun": "  1 Licence\ndog n 2 1 @ 2 1 00000020 00000022\nbeagle n 1 0 1 1 00000021\ncoolie n 1 0 1 1 00000050\n"
    "doge n 1 0 1 1 00000051\nunused n 1 0 1 0 00000052\n",
    "verb": "beadle v 1 0 1 1 00000001\n",
    "adj": "eager a 1 0 1 1 00000001\n",
}


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "noun.exc").write_text("doggen dog\nunseen unsee\n")
    for part, text in INDEX.items():
        (tmp_path / f"index.{part}").write_text(text)
    return tmp_path


def concept(word: str) -> int:
    return table().words[tokens(word)][0][0]


def test_the_table_holds_every_class_and_everything_above_it() -> None:
    made = table()

    assert len(made) == 1860
    assert made.dim == 1860 + len(COLOURS) == 1871
    assert len(made.words) == 3247
    single = [classes for number, classes in enumerate(made.classes) if made.below[number].sum() == 1]
    assert sorted(one for classes in single for one in classes) == list(range(CLASSES))


@pytest.mark.parametrize(
    ("word", "classes"), [("dog", 118), ("bird", 59), ("musical instrument", 26), ("dalmatian", 1), ("entity", CLASSES)]
)
def test_classes_below_a_concept_are_those_of_wordnet(word: str, classes: int) -> None:
    assert len(table().classes[concept(word)]) == classes


def test_class_numbers_are_imagenets() -> None:
    assert table().classes[concept("dalmatian")] == (251,)
    assert table().classes[concept("tabby")] == (281,)
    assert table().classes[concept("tench")] == (0,)


def test_below_and_order_agree() -> None:
    made = table()
    place = np.empty(len(made), int)
    place[made.order] = np.arange(len(made))

    above, under = np.nonzero(made.below)
    assert (place[above] >= place[under]).all()
    assert made.below[concept("animal"), concept("dalmatian")]
    assert not made.below[concept("dalmatian"), concept("animal")]


def test_weights_reach_everything_below_once() -> None:
    dog, animal = concept("dog"), concept("animal")

    weights = table().at_or_below({dog: 1.0, animal: 0.3})

    assert weights[concept("dalmatian")] == 1
    assert weights[concept("tabby")] == pytest.approx(0.3)
    assert weights[concept("balloon")] == 0
    assert not weights[len(table()) :].any()


def test_every_table_names_wordnet_and_its_licence() -> None:
    for name in (CONCEPTS, COMPOUNDS, PLURALS, ENGLISH):
        text = (TABLES / name).read_text("utf-8")
        assert text.startswith("# WordNet 3.0 Copyright 2006 by Princeton University.")
        assert "NOTICE" in text.splitlines()[0]


def test_notice_holds_wordnets_licence(repository: Path) -> None:
    text = " ".join((repository / "NOTICE").read_text("utf-8").split())

    assert "Permission to use, copy, modify and distribute this software and database" in text
    assert all(name in text for name in (CONCEPTS, COMPOUNDS, PLURALS, ENGLISH))


def test_a_small_wordnet_makes_the_tables(wordnet: Path, tmp_path: Path) -> None:
    from search.words import build_concepts

    nouns = Nouns(wordnet)
    build_concepts.write_tables(nouns, ["00000021", "00000022"], tmp_path)

    def rows(name: str) -> list[str]:
        return [line for line in (tmp_path / name).read_text().splitlines() if not line.startswith("#")]

    assert rows(CONCEPTS) == [
        "00000001\t-\t-\tentity",
        "00000010\t-\t00000001\tanimal,beast",
        "00000020\t-\t00000010\tdog",
        "00000021\t0\t00000020\tbeagle,canis beagle",
        "00000022\t1\t00000010\ttoy,~dog",
    ]
    assert rows(COMPOUNDS) == ["sheep dog\t00000020"], "collie does not end in dog, and three letters end no word"
    assert rows(PLURALS) == ["doggen\tdog"]
    assert rows(ENGLISH) == ["beadle", "doge"]


def test_what_ships_is_what_wordnet_makes() -> None:
    if not WORDNET.is_dir():
        pytest.skip("Debian's wordnet-base is not installed")
    shipped = [line.split("\t") for line in (TABLES / CONCEPTS).read_text("utf-8").splitlines() if line[0] != "#"]

    assert [list(row) for row in concept_rows(Nouns(WORDNET), imagenet_classes())] == shipped


def test_files_that_are_not_there_or_not_imagenets_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.noun is not there\. Install wordnet-base"):
        Nouns(tmp_path)
    (tmp_path / "list.txt").write_text("n00000001\nn00000002\n")
    with pytest.raises(UsageError, match="lists 2 classes instead of 1000"):
        imagenet_classes(tmp_path / "list.txt")


def test_the_table_is_read_without_any_model() -> None:
    code = "import sys, search.words; sys.exit(bool({'torch', 'timm', 'PIL', 'cv2', 'flask'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
