"""Which of many texts are worth a closer look for which patterns: one pass over the bytes of all of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets_app.compile.kernel import Integers, compiled, ended

COMMON = b" etaoinshrdlu,.cmwfgypb'vk"  # most common first; any other byte is rarer in what people say
_NO_HINT, _DIGIT = -1, -2


class Hint(NamedTuple):
    """What a text must hold to be worth looking through: one of these strings, and so many digits.

    Without strings the digits decide alone.
    """

    strings: tuple[str, ...] = ()
    digits: int = 0


class Hints:
    """Finds hints by the rarest byte of each, so that nearly all bytes of a text are passed over."""

    def __init__(self, hints: Sequence[Hint]) -> None:
        strings = [(string.encode(), bit) for bit, hint in enumerate(hints) for string in hint.strings]
        self._data = np.frombuffer(b"".join(string for string, _bit in strings), dtype=np.uint8)
        self._ends = np.cumsum([len(string) for string, _bit in strings])
        self._bits = np.array([1 << bit for _string, bit in strings], dtype=np.int64)
        self._anchors = np.array([_rarest_in(string) for string, _bit in strings], dtype=np.int64)
        self._digits = np.array([hint.digits for hint in hints], dtype=np.int64)
        self._always = sum(1 << bit for bit, hint in enumerate(hints) if not hint.strings)
        self._first = np.full(256, _NO_HINT, dtype=np.int64)  # the first hint by its anchor's byte
        self._first[ord("0") : ord("9") + 1] = _DIGIT
        self._next = np.full(len(strings), _NO_HINT, dtype=np.int64)  # and the next of the same byte
        for number, (string, _bit) in enumerate(strings):
            byte = string[self._anchors[number]]
            self._next[number], self._first[byte] = self._first[byte], number

    def suspected(self, texts: Sequence[str]) -> list[int]:
        """For each text a number with a bit for each of the hints that it fulfils, the first one's lowest."""
        data = np.frombuffer(ended(texts).encode(), dtype=np.uint8)
        strings = (self._data, self._ends, self._bits, self._anchors, self._first, self._next)
        found: list[int] = _suspected(data, len(texts), *strings, self._digits, self._always).tolist()
        return found


def _rarest_in(string: bytes) -> int:
    """The place of the rarest byte of a string, which is no digit: those are counted."""
    return max(range(len(string)), key=lambda at: COMMON.find(string[at]) % (len(COMMON) + 1))


@compiled
def _suspected(
    data: NDArray[np.uint8],
    text_count: int,
    strings: NDArray[np.uint8],
    ends: Integers,
    bits: Integers,
    anchors: Integers,
    first: Integers,
    following: Integers,
    digits_wanted: Integers,
    always: Any,
) -> Integers:
    found = np.zeros(text_count, dtype=np.int64)
    text, digits, bits_found = 0, 0, always
    for at in range(data.size):
        hint = first[data[at]]
        if hint == _DIGIT:
            digits += 1
        while hint >= 0:
            begin = ends[hint - 1] if hint else 0
            start = at - anchors[hint]
            if start >= 0 and start + ends[hint] - begin <= data.size:
                place = begin
                while place < ends[hint] and data[start + place - begin] == strings[place]:
                    place += 1
                if place == ends[hint]:
                    bits_found |= bits[hint]
            hint = following[hint]
        if data[at] == 0 and text < text_count:
            for bit in range(digits_wanted.size):
                if digits < digits_wanted[bit]:
                    bits_found &= ~(1 << bit)
            found[text] = bits_found
            text, digits, bits_found = text + 1, 0, always
    return found
