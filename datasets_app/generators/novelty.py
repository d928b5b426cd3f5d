"""Whether a text is new beside those kept of its scenario."""

from collections.abc import Sequence

from datasets_app.synthesis.dialogue import Turn
from datasets_app.synthesis.diversity import SHINGLE_WORDS, Ngram, ngrams, words_of


class Kept:
    """The word trigrams of what was kept, one set for each text, as numbers."""

    def __init__(self, most_shared: float) -> None:
        self._most_shared = most_shared
        self._numbers: dict[Ngram, int] = {}
        self._held: list[frozenset[int]] = []

    def takes(self, turns: Sequence[Turn]) -> bool:
        """Keep the turns, unless they share too much with a text that was kept (Jaccard similarity)."""
        words = words_of("\n".join(turn.content for turn in turns))
        grams = frozenset(
            self._numbers.setdefault(gram, len(self._numbers)) for gram in ngrams(words, SHINGLE_WORDS)
        )
        if any(len(grams & other) > self._most_shared * len(grams | other) for other in self._held):
            return False
        self._held.append(grams)
        return True
