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
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

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
    tokens = list(_numbered(texts))
    lengths = [len(words) for words in tokens]
    words = np.concatenate(tokens)
    speakers = np.repeat(np.arange(len(texts)), lengths)
    grams = np.zeros(len(words) + 1, dtype=np.int64)  # the empty run before each word, and after the last
    logs = np.zeros(len(texts))
    for n in range(1, order + 1):
        grams = _longer(grams, words)
        is_whole = speakers[: len(grams)] == speakers[n - 1 :]
        matched, totals = _clipped(grams[is_whole], speakers[: len(grams)][is_whole], len(texts))
        for number in range(len(texts)):
            logs[number] += math.log((matched[number] or 0.5) / max(1, totals[number])) / order
    ordered = sorted(lengths)
    penalties = [_brevity_penalty(length, ordered) for length in lengths]
    return float(100 * np.mean(np.exp(logs) * penalties))


def _longer(grams: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Runs of n words from runs of n - 1, one for each start; the same run has the same number."""
    grams = grams[:-1]
    ends = words[len(words) - len(grams) :]
    _, numbers = np.unique(grams * (words.max(initial=0) + 1) + ends, return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)


def _clipped(
    grams: NDArray[np.int64], speakers: NDArray[np.int64], texts: int
) -> tuple[list[float], list[int]]:
    """Count per text the n-grams that others have, clipped to the most in one of them, and all n-grams."""
    totals = np.bincount(speakers, minlength=texts).tolist()
    if not len(grams):
        return [0.0] * texts, totals
    held, times = np.unique(grams * texts + speakers, return_counts=True)
    gram, speaker = np.divmod(held, texts)
    is_next = np.diff(gram, prepend=-1) != 0
    place = np.cumsum(is_next) - 1  # of the n-gram among those that are there
    starts = np.flatnonzero(is_next)
    rising = times[np.lexsort((times, gram))]
    ends = np.append(starts[1:], len(times)) - 1
    highest = rising[ends]
    second = np.where(ends > starts, rising[ends - 1], 0)
    elsewhere = np.where(times == highest[place], second[place], highest[place])
    matched = np.bincount(speaker, np.minimum(times, elsewhere), texts)
    return matched.tolist(), totals


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
    highest = 0
    found = []
    for words in _numbered(texts):
        highest = max(highest, int(words.max(initial=0)))
        found.append((words[:-2] << 2 * WORD_BITS) | (words[1:-1] << WORD_BITS) | words[2:])
    if highest >= 1 << WORD_BITS:
        raise ValueError(
            f"{highest + 1:,} different words are more than {1 << WORD_BITS:,}: compare fewer texts."
        )
    return found


def _numbered(texts: Iterable[str]) -> Iterator[NDArray[np.int64]]:
    """The words of each text as numbers, the same word the same number."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    for text in texts:
        yield np.array([numbers[word] for word in words_of(text)], dtype=np.int64)
