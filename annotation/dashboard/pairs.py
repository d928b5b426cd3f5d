"""The pair matrix: what each two people label in common, and how far both have come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PEOPLE_SHOWN = 20  # a matrix that can still be read


@dataclass(frozen=True)
class Pair:
    """Samples that two people were both given, and those that both have labelled."""

    planned: int
    labelled: int


@dataclass(frozen=True)
class PairMatrix:
    """A row for each person but the first, a column for each but the last, and no pair above the diagonal.

    People by code. ``lowest`` and ``highest`` are of all pairs that share anything, also those not shown.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, Pair | None]]]]
    lowest: int
    highest: int
    people_left_out: int


def matrix_of(pairs: Mapping[frozenset[str], Pair]) -> PairMatrix:
    """Arrange the pairs; of more than PEOPLE_SHOWN people those who share the most."""
    shared: dict[str, int] = {}
    for people, pair in pairs.items():
        for code in people:
            shared[code] = shared.get(code, 0) + pair.planned
    most = sorted(shared, key=lambda code: (-shared[code], code))[:PEOPLE_SHOWN]
    codes = sorted(most)
    columns = codes[:-1]

    def cell(code: str, column: str) -> tuple[str, Pair | None]:
        return column, pairs.get(frozenset({code, column}), Pair(0, 0)) if column < code else None

    return PairMatrix(
        columns=columns,
        rows=[(code, [cell(code, column) for column in columns]) for code in codes[1:]],
        lowest=min((pair.planned for pair in pairs.values()), default=0),
        highest=max((pair.planned for pair in pairs.values()), default=0),
        people_left_out=len(shared) - len(codes),
    )
