"""Makes the tables of concepts from WordNet 3.0: ``python -m search.words.build_concepts``.

Needs WordNet's noun files, as Debian's package ``wordnet-base`` installs them, and the list of ImageNet's classes that
the Python package timm brings; timm is not imported. Writes, beside this file:

``concepts.tsv``   every class of ImageNet-1k and everything above one: WordNet's id (a noun's offset), class number or
                   ``-``, parents by id, words. A word whose sense here is untagged in WordNet's texts, while another
                   sense of it here is tagged, begins with ``~``: that is a rare sense.
``compounds.tsv``  words for what lies below a concept and is none itself, whose last word or ending is a word of that
                   concept (``hot air balloon``), with the ids of the closest such concepts.
``plurals.tsv``    irregular plurals of any word in the other two, with their singulars.
``english.tsv``    single words of four letters or more that are in none of these, occur in WordNet's tagged texts, and
                   are one typing error away from one that is: ``beach`` is not ``bench`` with an error.

Source: Fellbaum, WordNet: An Electronic Lexical Database, MIT Press 1998; file formats in wndb(5WN); ImageNet names its
classes by WordNet 3.0's offsets (Deng et al., ImageNet, CVPR 2009).
"""

from __future__ import annotations

import argparse
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from search.errors import UsageError
from search.media import tokens
from search.words.morphology import plural
from search.words.spelling import SHORTEST, nearest, shortened
from search.words.table import COMPOUNDS, CONCEPTS, ENGLISH, PLURALS, RARE_SENSE

WORDNET = Path("/usr/share/wordnet")
CLASSES = 1000
_SHORTEST_ENDING = 4
"""Letters that a word has to have to be recognised at the end of a longer one: ``boat`` in ``rowboat``."""

_HEADER = """\
# WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved. Its licence stands in NOTICE.
# Made by search/words/build_concepts.py, which says what the columns are. Do not edit by hand.
"""


@dataclass(frozen=True, slots=True)
class Synset:
    """A noun of WordNet: its words as written there, ids of what lies right above and below."""

    words: tuple[str, ...]
    above: tuple[str, ...]
    below: tuple[str, ...]


class Nouns:
    """WordNet's nouns.

    Raises:
        UsageError: a file is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.synsets = dict(_synset(line) for line in _lines(folder / "data.noun"))
        self._senses = dict(_senses(line) for line in _lines(folder / "index.noun"))
        exceptions = [line.split() for line in _lines(folder / "noun.exc")]
        self.plurals = {_plain(words[0]): [_plain(word) for word in words[1:]] for words in exceptions}

    def tagged_words(self) -> frozenset[str]:
        """Single words that occur in the texts that WordNet's makers tagged, as nouns, verbs or adjectives."""
        return frozenset(
            word
            for part in ("noun", "verb", "adj")
            for word, (tagged, _) in map(_senses, _lines(self._folder / f"index.{part}"))
            if tagged and word.isalpha()
        )

    def is_tagged(self, word: str, synset: str) -> bool:
        """Whether the word occurs in this sense in the texts that WordNet's makers tagged."""
        tagged, ids = self._senses.get(word.lower(), (0, ()))
        return synset in ids[:tagged]

    @cache  # noqa: B019  (one object for one run of the script)
    def distances(self, synset: str) -> Mapping[str, int]:
        """Everything at or above a synset with the number of steps to it, closest first."""
        found = {synset: 0}
        queue = [synset]
        for one in queue:
            for parent in self.synsets[one].above:
                if parent not in found:
                    found[parent] = found[one] + 1
                    queue.append(parent)
        return found


def imagenet_classes(path: Path | None = None) -> list[str]:
    """WordNet ids of the 1,000 classes in the order of every ImageNet head.

    Raises:
        UsageError: the list is not there, or is another one.
    """
    if path is None:
        found = importlib.util.find_spec("timm")
        if found is None or not found.submodule_search_locations:
            raise UsageError("The list of ImageNet's classes comes with timm, which is not installed.", "Install timm.")
        path = Path(found.submodule_search_locations[0], "data", "_info", "imagenet_synsets.txt")
    ids = [line.strip().removeprefix("n") for line in _lines(path)]
    if len(ids) != CLASSES or len(set(ids)) != CLASSES:
        raise UsageError(f"{path} lists {len(ids)} classes instead of {CLASSES}.", "Name timm's imagenet_synsets.txt.")
    return ids


def concept_rows(nouns: Nouns, classes: Sequence[str]) -> list[tuple[str, ...]]:
    """One row a concept, in order of id."""
    numbers = {synset: n for n, synset in enumerate(classes)}
    concepts = sorted({above for synset in classes for above in nouns.distances(synset)})
    tagged = {tokens(w) for c in concepts for w in nouns.synsets[c].words if nouns.is_tagged(w, c)}
    rows: list[tuple[str, ...]] = []
    for concept in concepts:
        synset = nouns.synsets[concept]
        words: dict[str, str] = {}
        for word in synset.words:
            rare_sense = tokens(word) in tagged and not nouns.is_tagged(word, concept)
            words.setdefault(_plain(word), RARE_SENSE if rare_sense else "")
        shown = (mark + word for word, mark in words.items())
        rows.append((concept, str(numbers.get(concept, "-")), ",".join(synset.above) or "-", ",".join(shown)))
    return rows


def compound_rows(nouns: Nouns, concepts: Iterable[str]) -> list[tuple[str, ...]]:
    """One row a compound, in order of its words."""
    known = set(concepts)
    single = {c: {_plain(w) for w in nouns.synsets[c].words if " " not in _plain(w)} for c in known}
    taken = {_plain(word) for c in known for word in nouns.synsets[c].words}
    found: dict[str, set[str]] = defaultdict(set)
    below = {synset for c in known for synset in nouns.synsets[c].below} - known
    queue = sorted(below)
    for synset in queue:
        new = set(nouns.synsets[synset].below) - known - below
        below |= new
        queue += sorted(new)
    for synset in queue:
        closest = sorted((steps, one) for one, steps in nouns.distances(synset).items() if one in known and single[one])
        for word in {_plain(word) for word in nouns.synsets[synset].words} - taken:
            fitting = [(steps, one) for steps, one in closest if _ends_with(word, single[one])]
            found[word] |= {one for steps, one in fitting if steps == fitting[0][0]}
    return [(word, ",".join(sorted(ids))) for word, ids in sorted(found.items()) if ids]


def plural_rows(nouns: Nouns, words: Iterable[str]) -> list[tuple[str, ...]]:
    """One row an irregular plural of a word, or of the last of several words, in order."""
    known = set(words) | {word.split()[-1] for word in words}
    rows: list[tuple[str, ...]] = []
    for many, singulars in sorted(nouns.plurals.items()):
        kept = [word for word in singulars if word in known and word != many]
        if kept:
            rows.append((many, ",".join(kept)))
    return rows


def english_rows(words: Iterable[str], known: Iterable[str]) -> list[tuple[str, ...]]:
    """One row a word that looks like a typing error in a known one, or in its plural, in order."""
    taken = {part for word in known for part in word.split()}
    targets = taken | {plural(part) for part in taken}
    similar: dict[str, list[str]] = defaultdict(list)
    for word in targets:
        for less in shortened(word):
            similar[less].append(word)
    long_enough = sorted(word for word in set(words) - targets if len(word) >= SHORTEST)
    return [(word,) for word in long_enough if nearest(word, {w for less in shortened(word) for w in similar[less]})]


def write_tables(nouns: Nouns, classes: Sequence[str], folder: Path) -> None:
    """Write the four files into ``folder``.

    Raises:
        OSError: it cannot be written to.
    """
    concepts = concept_rows(nouns, classes)
    compounds = compound_rows(nouns, [row[0] for row in concepts])
    words = [word.removeprefix(RARE_SENSE) for row in concepts for word in row[3].split(",")] + [
        row[0] for row in compounds
    ]
    plurals, english = plural_rows(nouns, words), english_rows(nouns.tagged_words(), words)
    for name, rows in ((CONCEPTS, concepts), (COMPOUNDS, compounds), (PLURALS, plurals), (ENGLISH, english)):
        text = _HEADER + "".join("\t".join(row) + "\n" for row in rows)
        (folder / name).write_text(text, "utf-8", newline="\n")


def _ends_with(word: str, endings: Iterable[str]) -> bool:
    last = word.split()[-1]
    return any(last == end or (len(end) >= _SHORTEST_ENDING and last.endswith(end)) for end in endings)


def _plain(word: str) -> str:
    """As people may type it: lower case, everything but letters and digits a blank."""
    return " ".join(tokens(word))


def _lines(path: Path) -> Iterator[str]:
    """Lines of a file but those of WordNet's licence, which begin with two blanks."""
    if not path.is_file():
        raise UsageError(f"{path} is not there.", "Install wordnet-base, or name WordNet's folder with --wordnet.")
    with path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if line.strip() and not line.startswith("  "))


def _synset(line: str) -> tuple[str, Synset]:
    fields = line.split(" | ")[0].split()
    count = int(fields[3], 16)
    words = tuple(re.sub(r"\(.*\)$", "", word) for word in fields[4 : 4 + 2 * count : 2])
    pointers = fields[5 + 2 * count :]
    links: dict[str, list[str]] = defaultdict(list)
    for symbol, target, kind in zip(pointers[::4], pointers[1::4], pointers[2::4], strict=False):
        if kind == "n":
            links[symbol[0]].append(target)
    return fields[0], Synset(words, tuple(links["@"]), tuple(links["~"]))


def _senses(line: str) -> tuple[str, tuple[int, tuple[str, ...]]]:
    fields = line.split()
    pointers = int(fields[3])
    return fields[0], (int(fields[5 + pointers]), tuple(fields[6 + pointers :]))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="folder with data.noun, index.noun, noun.exc")
    parser.add_argument("--classes", type=Path, help="ImageNet's list of classes; timm's by default")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where to write the tables")
    given = parser.parse_args()
    write_tables(Nouns(given.wordnet), imagenet_classes(given.classes), given.out)


if __name__ == "__main__":
    main()
