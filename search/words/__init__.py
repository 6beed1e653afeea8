"""Words that find media by what they show (concepts, colours), by what they look like, and by what is written about
them."""

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
