"""The pair matrix: how many samples each two people have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PEOPLE_SHOWN = 20  # a matrix that can still be read


@dataclass(frozen=True)
class PairMatrix:
    """A row for each person but the first, a column for each but the last, and no pair above the diagonal.

    People by code. ``lowest`` and ``highest`` are of all pairs that share anything, also those not shown.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, int | None]]]]
    lowest: int
    highest: int
    people_left_out: int


def matrix_of(pairs: Mapping[frozenset[str], int]) -> PairMatrix:
    """Arrange the pairs; of more than PEOPLE_SHOWN people those who share the most."""
    shared: dict[str, int] = {}
    for people, pair in pairs.items():
        for code in people:
            shared[code] = shared.get(code, 0) + pair
    most = sorted(shared, key=lambda code: (-shared[code], code))[:PEOPLE_SHOWN]
    codes = sorted(most)
    columns = codes[:-1]

    def cell(code: str, column: str) -> tuple[str, int | None]:
        return column, pairs.get(frozenset({code, column}), 0) if column < code else None

    return PairMatrix(
        columns=columns,
        rows=[(code, [cell(code, column) for column in columns]) for code in codes[1:]],
        lowest=min(pairs.values(), default=0),
        highest=max(pairs.values(), default=0),
        people_left_out=len(shared) - len(codes),
    )
