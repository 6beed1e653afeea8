"""Words that find media by what they show (concepts, colours) and by what is written about them."""

from search.words.answers import Correction, FoundByWords, Holding, Place, Reason, WordHit
from search.words.find import holding, search_words

__all__ = ["Correction", "FoundByWords", "Holding", "Place", "Reason", "WordHit", "holding", "search_words"]
