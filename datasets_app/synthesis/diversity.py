"""How alike the dialogues of a set are: self-BLEU, Jaccard similarity of pairs, distinct n-grams.

Self-BLEU-n after Zhu et al. 2018 (Texygen): the mean over texts of BLEU-n (Papineni et al. 2002) of the text
against all the other texts as references, uniform weights, closest reference length. It grows with the number
of references, so every figure names how many texts it was taken over and sets are compared at
equal numbers.
Smoothing: an order without a match counts half a match (so short texts do not give zero).
Jaccard similarity is that of the sets of word trigrams of two texts. Distinct-n after Li et al. 2016:
distinct n-grams over all n-grams of the set. Words are lower-cased, punctuation marks are words.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

WORDS = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
ORDER = 4
SHINGLE_WORDS = 3
WORD_BITS = 21  # of a word's number, three of which stand in one
Ngram = tuple[str, ...]


def words_of(text: str) -> list[str]:
    """Lower-cased words and punctuation marks."""
    return WORDS.findall(text.lower())


def ngrams(words: Sequence[str], n: int) -> list[Ngram]:
    """The runs of n words, in order."""
    return list(zip(*(words[start:] for start in range(n)), strict=False))


def self_bleu(texts: Sequence[str], order: int = ORDER) -> float:
    """Mean BLEU of each text against all others, from 0 (nothing shared) to 100.

    The clipped count of an n-gram is the highest count in any other text; the two highest counts over all
    texts, kept per n-gram, give it for every text at once.
    """
    if len(texts) < 2:
        raise ValueError("Self-BLEU needs two texts or more.")
    tokens = [words_of(text) for text in texts]
    lengths = sorted(len(words) for words in tokens)
    logs = np.zeros(len(texts))
    for n in range(1, order + 1):
        counts = [Counter(ngrams(words, n)) for words in tokens]
        highest, second = _two_highest(counts)
        for number, counted in enumerate(counts):
            matched = sum(
                min(times, second.get(gram, 0) if times == highest[gram] else highest[gram])
                for gram, times in counted.items()
            )
            total = max(1, sum(counted.values()))
            logs[number] += math.log((matched or 0.5) / total) / order
    penalties = [_brevity_penalty(len(words), lengths) for words in tokens]
    return float(100 * np.mean(np.exp(logs) * penalties))


def _two_highest(counts: Sequence[Counter[Ngram]]) -> tuple[dict[Ngram, int], dict[Ngram, int]]:
    """Per n-gram the highest count in a text and the highest in another text."""
    highest: dict[Ngram, int] = {}
    second: dict[Ngram, int] = {}
    for counted in counts:
        for gram, times in counted.items():
            most = highest.get(gram, 0)
            if times > most:
                highest[gram] = times
                if most:
                    second[gram] = most
            elif times > second.get(gram, 0):
                second[gram] = times
    return highest, second


def _brevity_penalty(length: int, lengths: Sequence[int]) -> float:
    """Against the closest length of another text, the shorter of two as close."""
    at = bisect_left(lengths, length)
    others = [*lengths[max(0, at - 1) : at], *lengths[at + 1 : at + 2]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= closest else math.exp(1 - closest / max(1, length))


def distinct(texts: Sequence[str]) -> float:
    """Distinct-3: the share of the word trigrams of a set that are distinct."""
    grams = np.concatenate([np.empty(0, dtype=np.int64), *_trigrams(texts)])
    return len(np.unique(grams)) / max(1, len(grams))


@dataclass(frozen=True, slots=True)
class PairShares:
    """Shares of pairs of texts at least so similar, and the highest similarity met."""

    pairs: int
    at_least_half: float
    at_least_seven_tenths: float
    highest: float


def pair_shares(texts: Sequence[str]) -> PairShares:
    """Jaccard similarity of the trigram sets of all pairs."""
    similar = jaccard_matrix(texts)[np.triu_indices(len(texts), 1)]
    return PairShares(
        pairs=similar.size,
        at_least_half=float(np.mean(similar >= 0.5)),
        at_least_seven_tenths=float(np.mean(similar >= 0.7)),
        highest=float(similar.max()),
    )


def jaccard_matrix(texts: Sequence[str]) -> NDArray[np.float64]:
    """Similarity of every text to every other by their sets of word trigrams."""
    sets = [np.unique(grams) for grams in _trigrams(texts)]
    sizes = np.array([len(held) for held in sets])
    columns, places = np.unique(np.concatenate(sets), return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    holds = csr_array((np.ones(len(places)), places, ends), shape=(len(texts), max(1, len(columns))))
    common = (holds @ holds.T).toarray()
    return np.asarray(common / np.maximum(1, sizes[:, None] + sizes[None, :] - common))


def _trigrams(texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """The word trigrams of each text in order, each as one number."""
    ids: dict[str, int] = {}
    found = []
    for text in texts:
        words = np.array([ids.setdefault(word, len(ids)) for word in words_of(text)], dtype=np.int64)
        found.append((words[:-2] << 2 * WORD_BITS) | (words[1:-1] << WORD_BITS) | words[2:])
    if len(ids) > 1 << WORD_BITS:
        raise ValueError(
            f"{len(ids):,} different words are more than {1 << WORD_BITS:,}: compare fewer texts."
        )
    return found
