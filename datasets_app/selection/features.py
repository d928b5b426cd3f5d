"""TF-IDF over hashed words and its projection on few directions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.decomposition import TruncatedSVD

FEWEST_RECORDS = 3  # that have a word; what fewer have says nothing about likeness
MOST_RECORDS = 0.5
DIRECTIONS = 64
BASIS_RECORDS = 10_000  # the directions are fitted to as many; all are projected
FIXED = 0  # the projection hangs on the pool, never on the seed of a draw

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """An entry per record: TF-IDF of length 1, a projection of length 1, and how rare its words are."""

    tfidf: csr_array
    vectors: Vectors
    rareness: NDArray[np.float64]


def features_of(words: csr_array) -> Features:
    """The features of records by how often each has each word; tf is 1 + ln tf (Salton and Buckley 1988)."""
    count = words.shape[0]
    known = np.bincount(words.indices, minlength=words.shape[1])
    is_used = (known >= min(FEWEST_RECORDS, count)) & (known <= max(MOST_RECORDS * count, 1))
    used = words[:, np.flatnonzero(is_used)]
    idf = (np.log((1 + count) / (1 + known[is_used])) + 1).astype(np.float32)
    rareness = _rows_like(used, idf[used.indices]).sum(axis=1) / np.maximum(np.diff(used.indptr), 1)
    weights = (1 + np.log(used.data)) * idf[used.indices]
    lengths = np.sqrt(_rows_like(used, weights**2).sum(axis=1))
    weights /= np.repeat(lengths, np.diff(used.indptr))
    tfidf = _rows_like(used, weights)
    return Features(tfidf, _projected(tfidf), rareness.astype(np.float64))


def _rows_like(rows: csr_array, data: NDArray[np.float32]) -> csr_array:
    """Other numbers in the places of `rows`, which are shared."""
    return csr_array((data, rows.indices, rows.indptr), shape=rows.shape)


def _projected(tfidf: csr_array) -> Vectors:
    count, width = tfidf.shape
    directions = min(DIRECTIONS, count - 1, width - 1)
    if directions < 1:
        return np.ones((count, 1), dtype=np.float32)
    step = max(1, count // BASIS_RECORDS)
    svd = TruncatedSVD(directions, n_iter=3, random_state=FIXED).fit(tfidf[::step])
    vectors = svd.transform(tfidf)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    projected: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return projected
