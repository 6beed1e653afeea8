"""Words that find media by what they show (concepts, colours) and by what is written about them."""

from search.words.find import WordHit, search_words

__all__ = ["WordHit", "search_words"]
