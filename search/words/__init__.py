"""Words that find media by what they show (concepts, colours), by what they look like, and by what is written about
them."""

from search.words.answers import Correction, FoundByWords, Holding, Narrowing, Place, Reason, WordHit
from search.words.find import holding, search_words
from search.words.phrase import TextEncoder

__all__ = [
    "Correction",
    "FoundByWords",
    "Holding",
    "Narrowing",
    "Place",
    "Reason",
    "TextEncoder",
    "WordHit",
    "holding",
    "search_words",
]
