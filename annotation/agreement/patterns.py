"""Distinct rows of a matrix of small integers, found by one integer code a row."""

from __future__ import annotations

import numpy as np

from annotation.agreement.counts import BoolArray, FloatArray, IntArray

_CODES_WORTH_A_TABLE = 2**22


def distinct_rows(matrix: IntArray, weights: FloatArray | None = None) -> tuple[IntArray, IntArray]:
    """The place of one row of each distinct kind, and how often the kind occurs.

    Rows with different weights are of different kinds.
    """
    codes, n_codes = _row_codes(matrix)
    if weights is not None:
        _, kinds = np.unique(weights, return_inverse=True)
        codes, n_codes = _with_digit(codes, n_codes, kinds.astype(np.int64))
    if n_codes <= _CODES_WORTH_A_TABLE and n_codes < 8 * len(matrix):
        table = np.bincount(codes, minlength=n_codes)
        place = np.empty(n_codes, dtype=np.int64)
        place[codes] = np.arange(len(codes))
        is_used = table > 0
        return place[is_used], table[is_used].astype(np.int64)
    _, rows, multiplicities = np.unique(codes, return_index=True, return_counts=True)
    return rows.astype(np.int64), multiplicities.astype(np.int64)


def kinds_of_rows(matrix: IntArray | BoolArray) -> IntArray:
    """A number for each row, the same for equal rows."""
    _, kinds = np.unique(_row_codes(matrix.astype(np.int64))[0], return_inverse=True)
    return kinds.astype(np.int64)


def distinct_patterns(matrix: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct rows of a count matrix and how often each occurs."""
    rows, multiplicities = distinct_rows(matrix)
    return matrix[rows], multiplicities


def _row_codes(matrix: IntArray) -> tuple[IntArray, int]:
    """One integer a row (mixed radix) and a bound above them all."""
    codes, n_codes = np.zeros(len(matrix), dtype=np.int64), 1
    for column in matrix.T:
        codes, n_codes = _with_digit(codes, n_codes, column - column.min(initial=0))
    return codes, n_codes


def _with_digit(codes: IntArray, n_codes: int, digits: IntArray) -> tuple[IntArray, int]:
    """The codes with one more digit, renumbered first where it would not fit."""
    radix = int(digits.max(initial=0)) + 1
    if n_codes * radix > np.iinfo(np.int64).max:
        seen, renumbered = np.unique(codes, return_inverse=True)
        codes, n_codes = renumbered.astype(np.int64), len(seen)
    return codes * radix + digits, n_codes * radix
