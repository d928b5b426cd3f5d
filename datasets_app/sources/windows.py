"""Long conversations cut into windows that a person can read and label in one go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .records import Turn

# What beginning with a therapist's turn costs, in squared turns: moving one boundary between equal windows
# by one turn costs 2, between windows that differ by one turn 4, and by two turns 8.
NOT_CLIENT_FIRST_COST = 5

# Chinese, Japanese and Korean write no spaces that could be counted, so each of their characters is a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class Window:
    """The turns from `start` up to, not including, `stop`."""

    start: int
    stop: int


def count_words(text: str) -> int:
    """Return how many words a text has, in languages that write no spaces too."""
    return len(text.split()) if text.isascii() else len(_WORD.findall(text))


def windows(turns: Sequence[Turn], max_turns: int = 12, max_words: int = 900) -> list[Window]:
    """The fewest windows that hold every turn once and in order, within both limits.

    Among those the most even in turns are taken, where a window that begins with a client's turn may cost
    its neighbours one turn of evenness. A turn longer than `max_words` has a window of its own. The same
    turns always give the same windows. Raises ValueError where a limit is below 1.
    """
    if max_turns < 1 or max_words < 1:
        raise ValueError("A window needs room for at least one turn and one word.")
    words = [count_words(turn.content) for turn in turns]
    if 0 < len(turns) <= max_turns and sum(words) <= max_words:  # most conversations, and the same answer
        return [Window(0, len(turns))]
    # best[i]: (windows, cost, start of the last window) for the turns before i
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for stop in range(1, len(turns) + 1):
        choices = []
        held = 0
        for start in range(stop - 1, max(stop - max_turns, 0) - 1, -1):
            held += words[start]
            if held > max_words and start < stop - 1:
                break
            count, cost, _ = best[start]
            begins_with_client = turns[start].role == "user"
            cost += (stop - start) ** 2 + (0 if begins_with_client else NOT_CLIENT_FIRST_COST)
            choices.append((count + 1, cost, start))
        best.append(min(choices))
    return _walk_back(best)


def _walk_back(best: Sequence[tuple[int, int, int]]) -> list[Window]:
    found = []
    stop = len(best) - 1
    while stop > 0:
        start = best[stop][2]
        found.append(Window(start, stop))
        stop = start
    return found[::-1]
