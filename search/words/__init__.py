"""Search by words: concepts and colours that pictures show, phrases, and text written about them.

It never runs a language model itself; an encoder is handed in.

Start with ``find``.

* ``answers``: Types of the answer to a question in words
* ``build_concepts``: Makes the tables of concepts from WordNet 3.0: ``python -m search.words.build_concepts``
* ``corrections``: Corrects a word that is known neither among concepts and colours nor in texts about media
* ``evidence``: Asks a collection what its records have to do with each term
* ``find``: Answers a question in words: by what media show, their colours, and what is written about them
* ``meaning``: Finds the concepts and colours that words mean
* ``moments``: Finds the moment of a video that shows best what was asked
* ``morphology``: Finds the singular of an English noun in the plural, by the rules of WordNet
* ``parse``: Parses what was typed: words, "phrases in quotation marks", -words and -"phrases" to leave out
* ``phrase``: Compares a whole phrase with pictures, in the space that both share (``meaning``)
* ``spelling``: Finds words that differ by one typing error: a letter too many, missing, wrong, or swapped
* ``table``: The table of concepts: what pictures are said to show, in which words, and what lies above what
* ``texts``: Finds a term in a record's own text: tags, names, folders, photographer, camera, date
"""

from search.words.answers import Correction, FoundByWords, Holding, MatchPlace, Narrowing, WordHit, WordReason
from search.words.find import holding, search_words
from search.words.phrase import TextEncoder

__all__ = [
    "Correction",
    "FoundByWords",
    "Holding",
    "MatchPlace",
    "Narrowing",
    "TextEncoder",
    "WordHit",
    "WordReason",
    "holding",
    "search_words",
]
