"""The gate's rule, without a database: what stands about a person, and what that admits to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.qualification.gate import (
    BEFORE_ANY_TEXT,
    Facts,
    Outcome,
    admission_of,
    end_of_day,
    warns_of_end,
)

ENDS_AT = datetime(2027, 6, 30, 12, tzinfo=UTC)
KINDS = ("consent", "confidentiality", "contractor_terms")


@given(
    outcome=st.none() | st.sampled_from(Outcome),
    unsigned=st.frozensets(st.sampled_from(KINDS)),
    ends_at=st.none() | st.just(ENDS_AT),
)
def test_only_a_decided_signed_and_licensed_person_gets_everything(
    outcome: Outcome | None, unsigned: frozenset[str], ends_at: datetime | None
) -> None:
    admitted = admission_of(Facts(outcome, 0, unsigned, ends_at))
    gets_all = admitted is not None and admitted.covers_all and not admitted.is_held
    is_decided = outcome in (Outcome.PROVISIONAL, Outcome.QUALIFIED)
    assert gets_all == (is_decided and not unsigned and ends_at is not None)
    if admitted is not None and admitted.covers_all:
        assert admitted.valid_until == ends_at


@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_signs_what_protects_the_texts_and_no_contract_yet(kind: str) -> None:
    admitted = admission_of(Facts(Outcome.CALIBRATE, 0, frozenset({kind})))
    assert admitted is not None
    assert not admitted.covers_all
    assert admitted.is_held == (kind in BEFORE_ANY_TEXT)


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("UTC", datetime(2027, 1, 1, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 12, 31, 11, tzinfo=UTC)),  # UTC+13 in its summer
        ("Pacific/Apia", datetime(2026, 12, 31, 11, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2027, 1, 1, 8, tzinfo=UTC)),
    ],
)
def test_the_last_day_ends_where_the_licence_was_issued(zone: str, ends: datetime) -> None:
    assert end_of_day(date(2026, 12, 31), zone) == ends


def test_the_last_day_is_as_long_as_the_clock_change_makes_it() -> None:
    begins, ends = (end_of_day(date(2026, 10, day), "Europe/Berlin") for day in (24, 25))
    assert (ends - begins.astimezone(UTC)) == timedelta(hours=25)


@pytest.mark.parametrize(("days", "warns"), [(-1, False), (1, True), (30, True), (31, False)])
def test_it_warns_for_thirty_days(days: int, warns: bool) -> None:
    assert warns_of_end(ENDS_AT, ENDS_AT - timedelta(days=days)) == warns
