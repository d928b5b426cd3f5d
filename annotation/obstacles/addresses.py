"""The samples behind a part of the disagreement as the query of an address, and back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from urllib.parse import urlencode

from annotation.agreement.alerts import Alert, AlertKind
from annotation.agreement.disagreements import Material
from annotation.obstacles.evidence import Behind

Query = Mapping[str, Sequence[str]]
NARROWING = frozenset({"person", "answer", "clause", "division", "group", "first"})


class UnknownSamplesError(ValueError):
    """The address names nothing that this dimension has."""


def query_of(dimension: str, behind: Behind) -> str:
    """Return the query that `behind_of` reads; of several pairs of answers only a clause names all."""
    named: list[tuple[str, object]] = [("dimension", dimension)]
    named += [("person", rater) for rater in behind.raters]
    named += [("answer", code) for pair in behind.pairs for code in pair]
    if behind.clause:
        named.append(("clause", behind.clause))
    if behind.group is not None:
        named += [("division", behind.group[0]), ("group", behind.group[1])]
    if behind.n_first is not None:
        named.append(("first", behind.n_first))
    return urlencode(named)


def query_of_alert(dimension: str, alert: Alert) -> str:
    """Return the query that names an alert."""
    return urlencode({"dimension": dimension, "alert": alert.kind, "person": alert.rater})


def behind_of(query: Query, material: Material) -> Behind:
    """Return what the query means. Raises UnknownSamplesError."""
    people, answers = tuple(query.get("person", ())), tuple(query.get("answer", ()))
    clause, division, group, first = (_only(query, name) for name in ("clause", "division", "group", "first"))
    ratings = material.ratings
    groups = material.groupings.get(division, ())
    clauses = {each for named in material.clauses_of.values() for each in named}
    is_sound = (
        set(query) - {"dimension", "page"} <= NARROWING
        and set(people) <= set(ratings.raters)
        and (
            not answers
            or (len(set(answers)) == len(answers) == 2 and set(answers) <= set(ratings.categories))
        )
        and (not clause or clause in clauses)
        and (bool(division) == bool(group) and (not group or group in groups))
        and (not first or (first.isascii() and first.isdecimal() and len(people) == 1))
    )
    if not is_sound:
        raise UnknownSamplesError("There are no such samples.")
    return Behind(
        raters=people,
        pairs=((answers[0], answers[1]),) if answers else (),
        clause=clause,
        group=(division, group) if group else None,
        n_first=int(first) if first else None,
    )


def alert_of(query: Query, alerts: Sequence[Alert]) -> Alert | None:
    """Return the alert that the query names, None where it no longer stands. Raises UnknownSamplesError."""
    kind, person = _only(query, "alert"), _only(query, "person")
    if kind not in set(AlertKind) or set(query) - {"dimension", "page", "alert", "person"}:
        raise UnknownSamplesError("There is no such alert.")
    return next((each for each in alerts if (each.kind, str(each.rater)) == (kind, person)), None)


def _only(query: Query, name: str) -> str:
    values: Sequence[Hashable] = query.get(name, ())
    if len(values) > 1:
        raise UnknownSamplesError("The address says one thing twice.")
    return str(values[0]) if values else ""
